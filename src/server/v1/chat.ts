/** `POST /v1/chat/completions` for models that draw: many chat programs ask for pictures only there. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { V1ChatCompletion, V1ChatRequest } from '../../api/v1/chat.ts'
import { V1Headers } from '../../api/v1/images.ts'
import type { GenerationRecord, ImageRecord } from '../../storage/records.ts'
import { maxRequestBytes } from '../api/generate.ts'
import { streamEvents } from '../event-stream.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { linkTo, toSeconds } from './answer.ts'
import { type Asked, ask, askProblems } from './ask.ts'
import { readConversation } from './conversation.ts'
import { findNamedModel } from './models.ts'
import { findOwnImage } from './own-images.ts'
import { eachState, writeError } from './stream.ts'

export function v1ChatRoutes(app: App, parts: Parts) {
  app.post(
    '/v1/chat/completions',
    {
      bodyLimit: maxRequestBytes,
      config: {
        access: 'member',
        rateLimit: 'generation',
        problems: askProblems,
        answers: {
          200: {
            description: 'The answer with its pictures; with `stream`, chunks.',
            type: 'text/event-stream',
            headers: ['X-Webimgui-Generation', 'X-Webimgui-Joined', 'X-Webimgui-Size', 'X-Webimgui-Ignored'],
          },
        },
      },
      schema: {
        tags: ['OpenAI API'],
        summary: 'Draw in a chat',
        description:
          'Each request makes pictures from the last message of the user. Tasks that chat programs give to the model of a chat, such as naming it, are refused.',
        headers: V1Headers,
        body: V1ChatRequest,
        response: { 200: V1ChatCompletion },
      },
    },
    async (request, reply) => {
      const { body } = request
      const model = await findNamedModel(parts, body.model)
      const wanted = readConversation(body, model, address => findOwnImage(parts, request, address))
      const asked = await ask(parts, request, reply, { read: { request: wanted, ignored: [] }, named: body.model })
      const options: ChatOptions = {
        model: body.model ?? asked.generation.model ?? '',
        inParts: body.modalities?.includes('image') === true,
        hasUsage: body.stream_options?.include_usage === true,
      }
      if (body.stream) {
        await streamChat(request, reply, asked, options)
        return reply
      }
      const record = await asked.ended()
      asked.noteEnd()
      // As text: what a "message" holds is otherwise taken for the words of a service, without addresses.
      const completion = JSON.stringify(presentCompletion(request, record, options))
      return reply.type('application/json; charset=utf-8').send(completion as unknown as V1ChatCompletion)
    },
  )

  function presentCompletion(
    request: FastifyRequest,
    record: GenerationRecord,
    { model, inParts }: ChatOptions,
  ): V1ChatCompletion {
    const pictures = record.images.map(image => presentPicture(request, image))
    const message = inParts
      ? { content: '', images: pictures.map(({ part }) => part) }
      : { content: pictures.map(({ markdown }) => markdown).join('\n\n') }
    return {
      id: completionId(record),
      object: 'chat.completion',
      created: toSeconds(record.timestamp),
      model,
      choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
      usage: noTokens,
    }
  }

  function presentPicture(request: FastifyRequest, image: ImageRecord) {
    const url = linkTo(parts, image, request)
    const part = { type: 'image_url' as const, index: image.index, image_url: { url } }
    return { part, markdown: `![image](${url})` }
  }

  /** The role at once, each picture as soon as it is stored, and the end. */
  async function streamChat(request: FastifyRequest, reply: FastifyReply, asked: Asked, options: ChatOptions) {
    const { model, inParts, hasUsage } = options
    await streamEvents(request, reply, parts, async (write, signal) => {
      const send = (choices: object[], others: object = {}) => {
        const about = { id: completionId(asked.generation), created: toSeconds(asked.generation.timestamp), model }
        return write(`data: ${JSON.stringify({ ...about, object: 'chat.completion.chunk', choices, ...others })}\n\n`)
      }
      const sendDelta = (delta: object, finish_reason: 'stop' | null = null) =>
        send([{ index: 0, delta, finish_reason }])
      await sendDelta({ role: 'assistant', content: '' })
      const sent = new Set<string>()
      const told = eachState(parts, asked, signal, async (generation, isEnd) => {
        for (const image of generation.images.filter(({ id }) => !sent.has(id))) {
          const { part, markdown } = presentPicture(request, image)
          await sendDelta(inParts ? { images: [part] } : { content: sent.size > 0 ? `\n\n${markdown}` : markdown })
          sent.add(image.id)
        }
        if (!isEnd) return
        await sendDelta({}, 'stop')
        if (hasUsage) await send([], { usage: noTokens })
        await write('data: [DONE]\n\n')
      })
      await told.catch(error => writeError(parts, request, write, error))
    })
  }
}

interface ChatOptions {
  /** As the client names it. */
  model: string
  /** Pictures as parts instead of Markdown. */
  inParts: boolean
  hasUsage: boolean
}

/** These services do not bill by token. */
const noTokens = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }

function completionId({ id }: Pick<GenerationRecord, 'id'>) {
  return `chatcmpl-${id}`
}
