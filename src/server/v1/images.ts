/** `POST /v1/images/…`: pictures as clients of the OpenAI API ask for them. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  V1EditRequest,
  V1GenerationRequest,
  V1Headers,
  V1ImageForm,
  type V1ImageRequest,
  V1Images,
  V1Task,
  V1VariationRequest,
} from '../../api/v1/images.ts'
import { invalid } from '../../errors.ts'
import { needsConversion } from '../../images/conversion.ts'
import { maxRequestBytes, parsePreference } from '../api/generate.ts'
import type { Parts } from '../parts.ts'
import type { App, RouteFacts } from '../route.ts'
import { presentImages, writeImages } from './answer.ts'
import { ask, askProblems } from './ask.ts'
import { findNamedModel } from './models.ts'
import { findOwnImage } from './own-images.ts'
import { readImageRequest } from './request.ts'
import { type EventPrefix, streamImages } from './stream.ts'
import { sendTask } from './tasks.ts'

const variationPrompt = 'Another version of this picture: the same subject and style, composed differently.'

const answerHeaders = [
  'X-Webimgui-Generation',
  'X-Webimgui-Joined',
  'X-Webimgui-Size',
  'X-Webimgui-Ignored',
  'X-Webimgui-Converted',
] as const

const facts = {
  access: 'member',
  rateLimit: 'generation',
  problems: askProblems,
  answers: {
    200: {
      description: 'The pictures; with `stream`, events.',
      type: 'text/event-stream',
      headers: answerHeaders,
    },
    202: { headers: ['Location', 'Preference-Applied', ...answerHeaders] },
  },
} as const satisfies RouteFacts

const withFiles = {
  accepts: 'json or files',
  filesForm: V1ImageForm,
  listFields: ['image', 'images'],
} as const satisfies RouteFacts

const schema = { tags: ['OpenAI API'], headers: V1Headers, response: { 200: V1Images, 202: V1Task } }

const repeats =
  'A client that repeats the request by itself joins the first one and never pays twice; the header `x-webimgui-joined` says so.'

export function v1ImageRoutes(app: App, parts: Parts) {
  app.post(
    '/v1/images/generations',
    {
      bodyLimit: maxRequestBytes,
      config: facts,
      schema: { ...schema, summary: 'Make pictures', description: repeats, body: V1GenerationRequest },
    },
    (request, reply) => answer(request, reply, request.body, 'image_generation'),
  )

  app.post(
    '/v1/images/edits',
    {
      bodyLimit: maxRequestBytes,
      config: { ...facts, ...withFiles },
      schema: { ...schema, summary: 'Edit pictures', description: repeats, body: V1EditRequest },
    },
    (request, reply) => {
      mustHavePicture(request.body)
      return answer(request, reply, request.body, 'image_edit')
    },
  )

  app.post(
    '/v1/images/variations',
    {
      bodyLimit: maxRequestBytes,
      config: { ...facts, ...withFiles },
      schema: {
        ...schema,
        summary: 'Variations of a picture',
        description: `An edit with the prompt "${variationPrompt}" ${repeats}`,
        body: V1VariationRequest,
      },
    },
    (request, reply) => {
      mustHavePicture(request.body)
      return answer(request, reply, { ...request.body, prompt: variationPrompt }, 'image_edit')
    },
  )

  async function answer(request: FastifyRequest, reply: FastifyReply, body: V1ImageRequest, prefix: EventPrefix) {
    const {
      response_format: format = usualFormat(body.model),
      stream = false,
      async = false,
      partial_images: partialImages = 0,
    } = body
    if (partialImages > 3) {
      throw invalid([{ path: 'partial_images', message: '"partial_images" must be 0, 1, 2 or 3.' }])
    }
    const model = await findNamedModel(parts, body.model)
    const read = readImageRequest(body, model, {
      uploads: request.uploads ?? new Map(),
      isForm: request.isMultipart(),
      ownImage: address => findOwnImage(parts, request, address),
    })
    const preference = parsePreference([request.headers.prefer].flat().join(','))
    const isTask = async || preference.waitSeconds === 0
    const { conversion } = read
    // Whoever looks at a task later says again what form it wants, in the address of a picture.
    if (isTask && conversion) read.ignored.push('output_format')
    const asked = await ask(parts, request, reply, { read, named: body.model })
    if (isTask) {
      if (preference.applied) reply.header('preference-applied', preference.applied)
      asked.noteEnd()
      return reply.code(202).send(sendTask(parts, asked.generation, request, reply))
    }
    if (stream) {
      if (conversion) reply.header('x-webimgui-converted', conversion.format)
      await streamImages(parts, request, reply, asked, { prefix, partialImages, conversion })
      return reply
    }
    const record = await asked.ended()
    if (conversion && record.images.some(image => needsConversion(image, conversion))) {
      reply.header('x-webimgui-converted', conversion.format)
    }
    const payload =
      format === 'url'
        ? presentImages(parts, record, request, conversion)
        : await writeImages(parts, record, request, { format, conversion })
    asked.noteEnd()
    return reply.type('application/json; charset=utf-8').send(payload as V1Images)
  }
}

/** OpenAI's own models of this name answer with base64 alone, and their clients know nothing else. Otherwise both. */
function usualFormat(model: string | undefined) {
  return /^(?:chat)?gpt-image/.test(model ?? '') ? ('b64_json' as const) : undefined
}

function mustHavePicture({ image, images }: Pick<V1ImageRequest, 'image' | 'images'>) {
  if ([image, images].flat().some(one => one !== undefined)) return
  const message =
    'Give the picture in "image": a file in a form, or in JSON a data URI, an address or the id of a stored picture.'
  throw invalid([{ path: 'image', message }])
}
