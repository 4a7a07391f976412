/** Generations, their warnings and estimates, and advice for an unknown charge. */

import type { Estimate } from '../../../api/estimate.ts'
import type { Advice, Generation, Warning } from '../../../api/generations.ts'
import type { Estimate as ReckonedEstimate } from '../../../generation/services.ts'
import type { Catalogue } from '../../../providers/registry.ts'
import type { GenerationRecord } from '../../../storage/records.ts'
import { presentImage } from './images.ts'

/** `base` goes before every path of this server: empty, or `PUBLIC_URL`. */
export interface Presenting {
  base: string
  catalogue: Pick<Catalogue, 'findProvider'>
}

export function presentGeneration(record: GenerationRecord, { base, catalogue }: Presenting): Generation {
  const images = record.images.map(image => presentImage(image, base, record.ratings[image.index]))
  return {
    id: record.id,
    status: record.status,
    prompt: record.prompt,
    revised_prompt: record.revisedPrompt,
    provider: record.provider,
    model: record.model,
    config_id: record.configId,
    parameters: record.parameters,
    resolved: record.resolved,
    timestamp: record.timestamp,
    started_at: record.startedAt,
    finished_at: record.finishedAt,
    duration_ms: measureDuration(record),
    // Rows of an old database have addresses and no stored images.
    image_urls: images.length > 0 ? images.map(image => image.url) : record.oldImageUrls,
    images,
    references: record.references.map(image => presentImage(image, base)),
    failures: record.failures.map(({ index, code, message, providerCode }) => {
      return { index, code, message, provider_code: providerCode }
    }),
    warnings: record.warnings.map(presentWarning),
    error: record.error && {
      code: record.error.code,
      message: record.error.message,
      provider_code: record.error.providerCode,
      provider_message: record.error.providerMessage,
      provider_request_id: record.error.providerRequestId,
      reason_code: record.error.reason?.code ?? null,
      reason_values: record.error.reason?.values ?? {},
    },
    charge: record.charge,
    advice: adviceFor(record, catalogue),
    cost: record.cost,
    favorite: record.favorite,
    tags: record.tags,
    cover: record.cover,
    provider_request_ids: record.providerRequestIds,
    retry_of: record.retryOf,
    imported_from: record.importedFrom,
    waiting: record.waiting?.message ?? null,
    waiting_code: record.waiting?.code ?? null,
    waiting_values: record.waiting?.values ?? {},
    cancel_requested: record.cancelRequested,
    cancel_saves: estimateSaving(record, catalogue),
  }
}

/** A task may still wait at a service that can drop it. */
function estimateSaving(
  { finishedAt, calls, provider }: GenerationRecord,
  { findProvider }: Presenting['catalogue'],
): Generation['cancel_saves'] {
  if (finishedAt !== null) return null
  if (calls.sent === 0) return 'all'
  if (calls.unsent > 0) return 'some'
  return findProvider(provider)?.cancel ? 'perhaps' : 'nothing'
}

function presentWarning({ code, parameter, message, values = {} }: GenerationRecord['warnings'][number]): Warning {
  return { code: code ?? null, parameter, message, values }
}

export function presentEstimate({ warnings, ...estimate }: ReckonedEstimate): Estimate {
  return { ...estimate, warnings: warnings.map(presentWarning) }
}

function measureDuration({ timestamp, finishedAt }: GenerationRecord) {
  const duration = finishedAt === null ? Number.NaN : Date.parse(finishedAt) - Date.parse(timestamp)
  return Number.isFinite(duration) ? Math.max(0, Math.round(duration)) : null
}

/** Advice for an unknown charge. Undefined while the generation is unfinished or the charge is known. Rows of an old database never told what was charged. */
export function adviceFor(generation: GenerationRecord, { findProvider }: Presenting['catalogue']): Advice | undefined {
  const { charge, finishedAt, resolved, provider, error, images } = generation
  if (charge !== 'unknown' || finishedAt === null || resolved === null) return undefined
  const service = findProvider(provider)?.name ?? provider ?? ''
  const id = error?.providerRequestId
  const came = images.length > 0
  return {
    en: [
      came
        ? `The pictures that came are stored; others may have been made and charged by ${service}, and were not asked for again.`
        : `${service} may have made and charged this, and its answer was lost, so it was not asked for again.`,
      `Look at the usage page of the service${id ? ` for the request ${id}` : ''}.`,
      came
        ? 'Then make the missing ones again, or leave it.'
        : 'Ask again when nothing stands there, or when you accept to pay once more.',
    ].join(' '),
    zh: [
      came
        ? `已收到的图片均已保存；其余图片 ${service} 可能已经生成并计费，系统没有自动重试。`
        : `${service} 可能已经生成并计费，但结果丢失，系统没有自动重试。`,
      `请到服务商的用量或账单页面核对${id ? `（请求 ID：${id}）` : ''}。`,
      came ? '核对后可选择补齐缺少的图片，或不再处理。' : '如果没有对应记录，或愿意再付一次费用，请重新生成。',
    ].join(''),
  }
}
