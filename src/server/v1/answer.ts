/** Pictures in the form of the OpenAI API. Those in base64 are written piece by piece: none of them is in memory as a whole. */
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { V1Images } from '../../api/v1/images.ts'
import { type Conversion, needsConversion } from '../../images/conversion.ts'
import type { GenerationRecord, ImageRecord } from '../../storage/records.ts'
import { getCaller } from '../access/access.ts'
import { baseFor, chooseLinkOwner } from '../access/signed-links.ts'
import type { Parts } from '../parts.ts'

export type AnswerParts = Pick<Parts, 'services' | 'settings' | 'links'>

/** What a client wants of each picture. */
export type ResponseFormat = 'url' | 'b64_json' | undefined

/** An absolute address that opens without a header. */
export function linkTo(
  { links, settings }: AnswerParts,
  image: ImageRecord,
  request: Pick<FastifyRequest, 'headers' | 'caller'>,
  conversion?: Conversion,
) {
  const owner = chooseLinkOwner(getCaller(request))
  const link = links.link(`/images/${encodeURIComponent(image.id)}`, baseFor(settings, request), owner)
  if (!conversion || !needsConversion(image, conversion)) return link
  const { format, quality } = conversion
  const form = `format=${format}${quality === undefined ? '' : `&quality=${quality}`}`
  return `${link}${link.includes('?') ? '&' : '?'}${form}`
}

/** The picture in the form that was asked for. */
export async function readFor({ services }: AnswerParts, image: ImageRecord, conversion: Conversion | undefined) {
  const isConverted = conversion && needsConversion(image, conversion)
  const converted = isConverted ? await services.images.convert(image, conversion) : undefined
  return converted ? Readable.from([converted]) : services.images.read(image)
}

export function presentImages(
  parts: AnswerParts,
  generation: GenerationRecord,
  request: Pick<FastifyRequest, 'headers' | 'caller'>,
  conversion?: Conversion,
): V1Images {
  return {
    ...presentAround(generation, conversion),
    data: generation.images.map(image => ({
      url: linkTo(parts, image, request, conversion),
      ...(generation.revisedPrompt === null ? {} : { revised_prompt: generation.revisedPrompt }),
    })),
  }
}

/** The same with the pictures themselves, and their addresses unless only `b64_json` was asked for. */
export async function writeImages(
  parts: AnswerParts,
  generation: GenerationRecord,
  request: Pick<FastifyRequest, 'headers' | 'caller'>,
  { format, conversion }: { format: ResponseFormat; conversion?: Conversion },
): Promise<Readable> {
  const { data, created, ...around } = presentImages(parts, generation, request, conversion)
  // Opened before the answer begins: a file that is missing is an error of its own.
  const files = await Promise.all(generation.images.map(image => readFor(parts, image, conversion)))
  async function* pieces() {
    yield `{"created":${created},"data":[`
    for (const [index, file] of files.entries()) {
      const { url, ...others } = data[index]!
      if (index > 0) yield ','
      yield* writeWithPicture(file, format === undefined ? { url, ...others } : others)
    }
    yield `],${JSON.stringify(around).slice(1)}`
  }
  return Readable.from(pieces(), { objectMode: false })
}

/** A JSON object whose first member is the picture. */
export async function* writeWithPicture(file: NodeJS.ReadableStream, others: object): AsyncGenerator<string> {
  yield '{"b64_json":"'
  // Three bytes are four characters.
  let rest = Buffer.alloc(0)
  for await (const piece of file) {
    const bytes = Buffer.concat([rest, piece as Buffer])
    const whole = bytes.length - (bytes.length % 3)
    yield bytes.toString('base64', 0, whole)
    rest = bytes.subarray(whole)
  }
  const members = JSON.stringify(others).slice(1)
  yield `${rest.toString('base64')}"${members === '}' ? '' : ','}${members}`
}

export function presentUsage({ images, charge, cost }: GenerationRecord): V1Images['usage'] {
  return {
    input_tokens: 0,
    output_tokens: 0,
    total_tokens: 0,
    input_tokens_details: { text_tokens: 0, image_tokens: 0 },
    generated_images: images.length,
    charge,
    cost,
  }
}

export function describeImage(image: ImageRecord, conversion?: Conversion) {
  const { mimeType, width, height } = image
  const isConverted = conversion && needsConversion(image, conversion)
  const output_format = isConverted ? conversion.format : mimeType.replace(/^image\//, '')
  return { output_format, size: `${width}x${height}` }
}

/** In seconds since 1970. */
export function toSeconds(time: string | null): number {
  return Math.floor(Date.parse(time ?? '') / 1000) || 0
}

function presentAround(generation: GenerationRecord, conversion: Conversion | undefined) {
  const { images, finishedAt } = generation
  return {
    created: toSeconds(finishedAt ?? generation.timestamp),
    ...(images[0] && describeImage(images[0], conversion)),
    usage: presentUsage(generation),
  }
}
