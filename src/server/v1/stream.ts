/** Pictures as events of the OpenAI API, each as soon as it is stored. */
import type { FastifyRequest } from 'fastify'
import type { Conversion } from '../../images/conversion.ts'
import type { GenerationRecord, ImageRecord } from '../../storage/records.ts'
import { describeError } from '../errors/answer.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import { type StreamedReply, streamEvents } from '../event-stream.ts'
import type { Parts } from '../parts.ts'
import { describeImage, linkTo, presentUsage, readFor, toSeconds, writeWithPicture } from './answer.ts'
import type { Asked } from './ask.ts'
import { presentV1Error } from './errors.ts'

export type EventPrefix = 'image_generation' | 'image_edit'

/** Streams until the generation has ended. Errors from now on are events: the status of the answer has been sent. */
export async function streamImages(
  parts: Parts,
  request: FastifyRequest,
  reply: StreamedReply,
  asked: Asked,
  { prefix, partialImages, conversion }: { prefix: EventPrefix; partialImages: number; conversion?: Conversion },
) {
  await streamEvents(request, reply, parts, async (write, signal) => {
    async function send(type: string, image: ImageRecord, generation: GenerationRecord, others: object) {
      const described = { ...describeImage(image, conversion), quality: 'auto', background: 'auto' }
      const created_at = toSeconds(generation.finishedAt ?? image.createdAt)
      const facts = { type, created_at, ...described, url: linkTo(parts, image, request, conversion), ...others }
      await write(`event: ${type}\ndata: `)
      for await (const piece of writeWithPicture(await readFor(parts, image, conversion), facts)) await write(piece)
      await write('\n\n')
    }
    const sent = new Set<string>()
    const early = new Set<string>()
    await eachState(parts, asked, signal, async (generation, isEnd) => {
      for (const image of generation.images) {
        if (sent.has(image.id)) continue
        if (!isEnd && early.has(image.id)) continue
        if (!isEnd && early.size < partialImages) {
          early.add(image.id)
          await send(`${prefix}.partial_image`, image, generation, { partial_image_index: early.size - 1 })
          continue
        }
        sent.add(image.id)
        await send(`${prefix}.completed`, image, generation, { usage: presentUsage(generation) })
      }
    }).catch(error => writeError(parts, request, write, error))
  })
}

/**
 * Calls `tell` with each state of the generation in which it has more pictures, and with its end.
 * @throws GenerationFailed where it made none, HttpRefusal `shutting_down`
 */
export async function eachState(
  { services, closing }: Pick<Parts, 'services' | 'closing'>,
  asked: Asked,
  signal: AbortSignal,
  tell: (generation: GenerationRecord, isEnd: boolean) => Promise<void>,
) {
  let told = 0
  for await (const event of services.generations.events.follow({ generationId: asked.generation.id, signal })) {
    if (event.type !== 'generation' || event.generation.finishedAt !== null) break
    if (event.generation.images.length === told) continue
    told = event.generation.images.length
    await tell(event.generation, false)
  }
  if (closing.aborted) throw new HttpRefusal('shutting_down', 'The server is stopping; send the same request again.')
  if (signal.aborted) return
  const ended = await asked.ended()
  if (ended.finishedAt === null) return
  await tell(ended, true)
  asked.noteEnd()
}

export async function writeError(
  { discretion }: Pick<Parts, 'discretion'>,
  request: FastifyRequest,
  write: (text: string) => Promise<void>,
  error: unknown,
) {
  if (request.raw.socket.destroyed) throw error
  const answer = describeError(error, request)
  if (answer.isOurs) request.log.error({ err: error }, 'a stream failed')
  const body = await discretion.apply(presentV1Error(answer, request.id), request.caller)
  await write(`event: error\ndata: ${JSON.stringify({ type: 'error', ...body })}\n\n`)
}
