/** What a person can do when nobody knows whether something was charged. */
import type { Advice } from '../../api/generations.ts'
import { type ProviderId, providers } from '../../providers/index.ts'
import type { GenerationRecord } from '../../storage/records.ts'

/** Undefined while the generation is unfinished or the charge is known. Rows of an old database never told what was charged. */
export function adviceFor(generation: GenerationRecord): Advice | undefined {
  const { charge, finishedAt, resolved, provider, error, images } = generation
  if (charge !== 'unknown' || finishedAt === null || resolved === null) return undefined
  const service = providers[provider as ProviderId]?.name ?? provider ?? ''
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
