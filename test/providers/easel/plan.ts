import type { Model } from '../../../src/catalogue/model.ts'
import type { Plan, PlannedCall, PlanRequest, ReferencePlace } from '../../../src/providers/provider.ts'

export function plan({ modelId, prompt, count, size, parameters, references }: PlanRequest, model: Model): Plan {
  const spelled =
    size && 'width' in size ? `${size.width}x${size.height}` : (model.sizes.textToImage?.default ?? '64x64')
  const reference: ReferencePlace | undefined = references.length > 0 ? { $reference: 0 } : undefined
  const call: PlannedCall = {
    route: 'paint',
    body: { model: modelId, prompt, size: spelled, ...parameters, ...(reference && { over: reference }) },
    images: 1,
    timeoutMs: 60_000,
  }
  return {
    calls: Array.from({ length: count }, () => call),
    warnings: [],
    resolved: { ...parameters, n: count, size: spelled },
  }
}
