/** What the simulated OpenAI makes of a job, and how it tells of it. */
import { randomInt } from 'node:crypto'
import type { ImageOptions } from '../drawing/picture.ts'
import type { Fault } from '../faults.ts'
import type { Job } from './requests.ts'

/** The pictures of a job, as many as the fault lets it make. */
export function imagine(job: Job, fault: Fault | undefined): ImageOptions[] {
  const { width, height, prompt, references, type, quality } = job
  const seed = randomInt(2 ** 31)
  return Array.from({ length: countOf(job.count, fault) }, (_, index) => ({
    width,
    height,
    prompt,
    type,
    seed,
    index,
    references,
    quality: quality === undefined ? undefined : Math.max(1, quality),
    transparent: job.parameters.background === 'transparent',
  }))
}

function countOf(count: number, fault: Fault | undefined): number {
  if (fault?.kind === 'all-refused' || fault?.kind === 'task-fails') return 0
  if (fault?.kind === 'fewer') return Math.min(count, fault.count)
  if (fault?.kind === 'stops') return Math.min(count, fault.atIndex)
  // There is no place in an answer for a picture that failed: it is missing.
  if (fault?.kind === 'partial') return count - new Set(fault.failIndexes.filter(index => index < count)).size
  return count
}

/** Whether the pictures stand in the answer itself, in base64. */
export function isInline({ model, parameters }: Job): boolean {
  return !model.tasks && (model.family === 'gpt-image' || parameters.response_format === 'b64_json')
}

/** `places` are the members by which each picture is found. */
export function describeImages(job: Job, places: readonly object[]): object {
  const revised =
    job.model.family === 'dall-e-3' ? { revised_prompt: `${job.prompt}, in fine detail and soft light` } : {}
  const data = places.map(place => ({ ...revised, ...place }))
  const created = Math.floor(Date.now() / 1000)
  if (job.model.family !== 'gpt-image') return { created, data }
  return {
    created,
    background: job.parameters.background === 'transparent' ? 'transparent' : 'opaque',
    data,
    output_format: job.type,
    quality: qualityOf(job),
    size: `${job.width}x${job.height}`,
    usage: usageOf(job, places.length),
  }
}

/** Output tokens of one square picture (OpenAI price list, 2025). */
const outputTokens: Readonly<Record<string, number>> = { low: 272, medium: 1056, high: 4160 }

function usageOf(job: Job, made: number): object {
  const text = Math.ceil(job.prompt.length / 4)
  const image = job.inputs * 323
  const output = made * outputTokens[qualityOf(job)]!
  return {
    input_tokens: text + image,
    input_tokens_details: { image_tokens: image, text_tokens: text },
    output_tokens: output,
    total_tokens: text + image + output,
  }
}

function qualityOf(job: Job): string {
  const { quality = 'auto' } = job.parameters
  return quality === 'auto' ? 'medium' : quality
}
