/** Generations as a model reads them: a few lines, small previews, and the same as data. */
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import type { Generation } from '../api/generations.ts'
import { hasEnded } from '../client/client.ts'
import type { Connection } from './connection.ts'
import { failure } from './errors.ts'
import type { Money } from './operations.ts'
import type { GenerationAnswer } from './schemas.ts'
import { countWanted } from './waiting.ts'

/** Previews take room in the context of a model. */
const maxThumbnails = 4
const maxThumbnailBytes = 200_000

export async function answerGeneration(
  generation: Generation,
  connection: Pick<Connection, 'operations'>,
  { isJoined = false, thumbnails = true }: { isJoined?: boolean; thumbnails?: boolean } = {},
): Promise<CallToolResult> {
  if (generation.status === 'failed' || generation.status === 'cancelled') {
    if (generation.images.length === 0) return describeFailure(generation)
  }
  const { save } = connection.operations
  const paths = await Promise.all(generation.images.map(image => save?.(image).catch(() => undefined)))
  const left = (await connection.operations.left()) ?? null
  const answer = presentGeneration(generation, connection, { isJoined, left, paths })
  const previews = thumbnails ? await Promise.all(generation.images.slice(0, maxThumbnails).map(preview)) : []
  const links = generation.images.map(
    (image, index): ContentBlock => ({
      type: 'resource_link',
      uri: imageUri(image.id),
      name: `picture ${index + 1}`,
      description: `${image.width}x${image.height}`,
      mimeType: image.mime_type,
      size: image.bytes,
    }),
  )
  return {
    content: [{ type: 'text', text: describe(answer) }, ...previews.flat(), ...links],
    structuredContent: answer,
  }

  /** Nothing for a picture that cannot be shown. */
  async function preview({ id }: { id: string }): Promise<ContentBlock[]> {
    const bytes = await connection.operations.thumbnail(id, 512).catch(() => undefined)
    if (!bytes || bytes.byteLength > maxThumbnailBytes) return []
    return [{ type: 'image', data: Buffer.from(bytes).toString('base64'), mimeType: 'image/webp' }]
  }
}

export function imageUri(id: string) {
  return `webimgui://images/${encodeURIComponent(id)}`
}

export function generationUri(id: string) {
  return `webimgui://generations/${encodeURIComponent(id)}`
}

/** The id in one of these addresses; undefined where its percent signs are none of an address. */
export function decodeId(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function presentGeneration(
  generation: Generation,
  { operations }: Pick<Connection, 'operations'>,
  { isJoined, left, paths }: { isJoined: boolean; left: Money | null; paths: readonly (string | undefined)[] },
): z.infer<typeof GenerationAnswer> {
  const { id, status, prompt, model, resolved, images, failures, warnings, charge, cost, timestamp } = generation
  return {
    generation_id: id,
    status,
    prompt,
    model: model ?? undefined,
    size: typeof resolved?.size === 'string' ? resolved.size : undefined,
    images: images.map((image, index) => ({
      id: image.id,
      resource: imageUri(image.id),
      url: operations.link(image),
      path: paths[index],
      width: image.width,
      height: image.height,
      mime_type: image.mime_type,
      bytes: image.bytes,
    })),
    wanted: countWanted(generation),
    missing: failures.map(({ code, message }) => ({ code, message })),
    warnings: warnings.map(({ message }) => message),
    charge,
    cost,
    session_left: left,
    joined: isJoined,
    timestamp,
    next: adviseNext(generation),
  }
}

function adviseNext(generation: Generation) {
  const { id, charge, failures, advice, cancel_requested: isCancelled, waiting } = generation
  if (!hasEnded(generation)) {
    const why = waiting ? `${waiting} ` : ''
    const cancelled = isCancelled ? 'It was cancelled; what the service already makes is still kept. ' : ''
    return `${why}${cancelled}Still running. Call get_generation with generation_id "${id}" and wait_seconds; do not generate again, that would pay again.`
  }
  if (charge === 'unknown') return advice?.en ?? 'It may have been billed. Ask the user before making it again.'
  if (failures.length > 0)
    return `Some pictures are missing. retry_missing with generation_id "${id}" makes only those, and costs again.`
  return 'Done. Show the url to the user; use images[].id with edit_image to change a picture.'
}

function describe(answer: z.infer<typeof GenerationAnswer>) {
  const { status, images, wanted, model, missing, warnings, joined } = answer
  const left = answer.session_left
  return [
    ...(joined ? ['An earlier equal call began this; it was joined, and nothing new was paid.'] : []),
    `${images.length} of ${wanted} ${wanted === 1 ? 'picture' : 'pictures'} (${status}), model ${model ?? 'unknown'}, generation ${answer.generation_id}.`,
    ...images.map(
      (image, index) => `${index + 1}. ${image.width}x${image.height}, id ${image.id}: ${image.path ?? image.url}`,
    ),
    ...missing.map(({ code, message }) => `Missing: [${code}] ${message}`),
    ...warnings.map(warning => `Note: ${warning}`),
    describeCharge(answer),
    ...(left ? [`Left in this session: ${left.amount} ${left.currency}.`] : []),
    answer.next,
  ].join('\n')
}

export function describeCharge({ status, charge, cost }: Pick<Generation, 'status' | 'charge' | 'cost'>) {
  if (charge === 'unknown') return 'Charge unknown: it may have been billed.'
  if (charge === 'none') return hasEnded({ status }) ? 'Nothing was charged.' : 'Nothing is known to be charged yet.'
  return cost ? `Charged: ${cost.amount} ${cost.currency}.` : 'Charged; the price is not known.'
}

function describeFailure(generation: Generation) {
  const { id, status, error, failures, advice } = generation
  const lines = [
    error?.message ?? (status === 'cancelled' ? 'It was cancelled before it made a picture.' : 'It made no picture.'),
    ...(error?.provider_message ? [`The service says: ${error.provider_message}`] : []),
    ...failures.filter(({ message }) => message !== error?.message).map(({ message }) => `- ${message}`),
    describeCharge(generation),
    ...(advice ? [advice.en] : []),
    `The record is generation ${id}.`,
  ]
  return failure(error?.code ?? status, [...new Set(lines)])
}
