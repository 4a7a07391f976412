/** What the simulated DashScope makes of a job, and the shapes in which each model tells of it. */
import type { Fault } from '../faults.ts'
import { namedRefusal, type Refusal } from '../refusal.ts'
import { isLarge } from './models.ts'
import { refusals } from './refusals.ts'
import type { QwenJob } from './requests.ts'

type QwenImage = { index: number; url: string } | { index: number; code: string; message: string }

export interface QwenOutcome {
  /** The pictures of the answer; those with a URL are billed. */
  images: QwenImage[]
  /** Nothing was made, and this is why. */
  failure?: { code: string; message: string }
  /** What the prompt became; only some answers tell. */
  actualPrompt?: string
}

export const outputBlocked = {
  code: 'DataInspectionFailed',
  message: 'Output data may contain inappropriate content.',
}
export const innerFailure = { code: 'InternalError.Algo', message: 'inference internal error.' }

export function inputBlocked({ model }: QwenJob): Refusal {
  return namedRefusal(refusals, model.shape === 'qwen-3' ? 'input-blocked-qwen-3' : 'input-blocked')
}

/** Which pictures come out, and whether all or some of them are refused. `publish` makes the URL of one. */
export function make(job: QwenJob, fault: Fault | undefined, publish: (index: number) => string): QwenOutcome {
  const failure = findFailure(job, fault)
  if (failure) return { images: [], failure }
  const form = fault?.kind === 'all-refused' ? fault.form : undefined
  if (form === 'empty') return { images: [] }
  const images = Array.from({ length: countOf(job, fault) }, (_, index): QwenImage => {
    const isRefused = form === 'items' || (fault?.kind === 'partial' && fault.failIndexes.includes(index))
    return isRefused ? { index, ...outputBlocked } : { index, url: publish(index) }
  })
  return {
    images,
    failure: images.some(image => 'url' in image) ? undefined : outputBlocked,
    actualPrompt: job.promptExtend ? rewritten(job.prompt) : undefined,
  }
}

/** Why nothing is made at all. */
function findFailure(job: QwenJob, fault: Fault | undefined): QwenOutcome['failure'] {
  if (job.failure) return job.failure
  if (fault?.kind === 'refusal') return { code: 'DataInspectionFailed', message: inputBlocked(job).message }
  if (fault?.kind === 'task-fails') return innerFailure
  const { form = 'status' } = fault?.kind === 'all-refused' ? fault : { form: 'none' }
  return form === 'status' || form === 'top-level' ? outputBlocked : undefined
}

function countOf(job: QwenJob, fault: Fault | undefined): number {
  // The model decides how many belong to a sequence or a story; the request only sets a ceiling.
  const decided = job.sequential ? Math.min(job.count, 4) : job.interleaved ? Math.min(job.count, 3) : job.count
  if (fault?.kind === 'fewer') return Math.min(decided, fault.count)
  if (fault?.kind === 'stops') return Math.min(decided, fault.atIndex)
  return decided
}

const rewritten = (prompt: string) => `${prompt}, finely detailed, soft natural light, calm and balanced composition`

export const urlsOf = (outcome: QwenOutcome) => outcome.images.flatMap(image => ('url' in image ? image.url : []))

type ContentItem = { type?: string; text?: string; image?: string }

/** `output` and `usage` of MM and, with `finished`, of an IG task. */
export function newAnswer(job: QwenJob, outcome: QwenOutcome): { output: object; usage: object } {
  const urls = urlsOf(outcome)
  const typed = job.model.shape === 'wan' || job.route === 'IG'
  const items: ContentItem[] = urls.map(url => (typed ? { type: 'image', image: url } : { image: url }))
  const isSplit = job.model.choicePerImage && items.length > 1 && !job.interleaved
  const contents = isSplit ? items.map(item => [item]) : [job.interleaved ? withStory(job, urls) : items]
  const choices = contents.map(content => ({
    finish_reason: 'stop',
    message: { role: 'assistant', content, ...spoken(job, outcome) },
  }))
  if (job.model.shape === 'z-image') {
    const text = { text: outcome.actualPrompt ?? job.prompt }
    choices[0]!.message.content = [...items, text]
  }
  const output = {
    choices,
    ...(job.model.taskMetric && { task_metric: { TOTAL: 1, SUCCEEDED: urls.length, FAILED: 1 - urls.length } }),
    ...(job.model.shape === 'qwen-3' && { rewrite_status: job.promptExtend ? 'success' : 'not_use' }),
    ...(typed && { finished: true }),
  }
  return { output, usage: usageOf(job, urls.length) }
}

function spoken(job: QwenJob, outcome: QwenOutcome): { reasoning_content?: string } {
  if (job.model.shape !== 'z-image') return {}
  return { reasoning_content: outcome.actualPrompt ? 'The picture needs light, depth and one clear subject.' : '' }
}

export function withStory(job: QwenJob, urls: readonly string[]): ContentItem[] {
  return urls.flatMap((url, index) => [
    { type: 'text', text: `Step ${index + 1}: ${job.prompt}` },
    { type: 'image', image: url },
  ])
}

export function usageOf(job: QwenJob, count: number): object {
  const { width, height } = job.size
  if (job.model.shape === 'qwen-3') {
    return {
      output_width: width,
      output_height: height,
      output_image_count: count,
      output_image_type: isLarge(job.size) ? 'qima_output_2k' : 'qima_output_1k',
      input_image_count: job.references.length,
      input_image_type: job.references.some(isLarge) ? 'qima_input_2k' : 'qima_input_1k',
    }
  }
  if (job.model.shape === 'wan') {
    const tokens = { input_tokens: 0, output_tokens: 0, total_tokens: 0 }
    return { image_count: count, size: `${width}*${height}`, ...tokens }
  }
  if (job.model.shape === 'z-image') {
    const reasoning = job.promptExtend ? 120 : 0
    const input = job.prompt.length
    return {
      width,
      height,
      image_count: count,
      input_tokens: input,
      output_tokens: reasoning,
      total_tokens: input + reasoning,
      output_tokens_details: { reasoning_tokens: reasoning },
    }
  }
  return { width, height, image_count: count }
}

/** `output` and `usage` of a T2I or I2I task that has at least one picture. */
export function oldAnswer(job: QwenJob, outcome: QwenOutcome): { output: object; usage: object } {
  const results = outcome.images.map(image => {
    if (!('url' in image)) return { code: image.code, message: image.message }
    const prompts = outcome.actualPrompt === undefined ? {} : { actual_prompt: outcome.actualPrompt }
    return { orig_prompt: job.prompt, ...prompts, url: image.url }
  })
  const succeeded = urlsOf(outcome).length
  const metrics = { TOTAL: results.length, SUCCEEDED: succeeded, FAILED: results.length - succeeded }
  // The documented answers of qwen-image on this route have no metrics.
  const output = { results, ...(!job.model.taskMetric && { task_metrics: metrics }) }
  return { output, usage: { image_count: succeeded } }
}
