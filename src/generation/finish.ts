/** The end of a generation whose calls are settled: its status, its failures, what is known of the money. */

import { sumCalls } from '../catalogue/costs.ts'
import type { Model } from '../catalogue/model.ts'
import { computeSpent } from '../members/budget.ts'
import type { CallRecord } from '../storage/calls.ts'
import type { FinishStep } from '../storage/ledger/generation-steps.ts'
import type { Charge, ErrorRecord, FailureRecord, GenerationStatus, ImageRecord } from '../storage/records.ts'
import { type CallParts, describeAround, type OpenGeneration } from './calls/open.ts'

type EndParts = Pick<CallParts, 'catalogue' | 'configurations' | 'prices'>

/** `calls`: the last attempt of each slot, settled; the earlier ones were refused without a picture. */
export async function composeEnd(
  parts: EndParts,
  generation: OpenGeneration,
  calls: readonly CallRecord[],
): Promise<FinishStep> {
  const { id: generationId, keptForEnd } = generation
  const images = [...generation.images, ...keptForEnd].sort((a, b) => a.index - b.index)
  const model = await findPricedModel(parts, generation)
  const outcome = summarize(images, calls)
  const price = (paid: readonly CallRecord[]) => computeCost({ ...generation, images }, paid, model)
  return {
    generationId,
    change: { ...outcome, cost: price(calls), finishedAt: new Date().toISOString() },
    spent: [...Map.groupBy(calls, call => call.configId)].map(([configId, paid]) => ({
      configId,
      spent: computeSpent({ ...outcome, images }, paid, price(paid)),
    })),
    images: keptForEnd,
    around: describeAround({ ...generation, images }, calls),
  }
}

/** Uses the price at the address of its calls. */
async function findPricedModel(parts: EndParts, { model, provider, configId }: OpenGeneration) {
  const modelId = model ?? ''
  const found = parts.catalogue.find(modelId, provider ?? undefined)
  if (!found) return undefined
  const configuration = (await parts.configurations.list()).find(({ id }) => id === configId)
  // A configuration from the environment may be gone with its key; its address is still known.
  const place = configuration ?? { provider: found.provider, baseUrl: null }
  return parts.prices.priced(found, { modelId, address: parts.configurations.addressOf(place) }).model
}

function computeCost(
  { images, references, resolved }: OpenGeneration,
  calls: readonly CallRecord[],
  model: Model | undefined,
) {
  if (!model) return null
  return sumCalls(model, { calls, images, references: references.length, parameters: resolved })
}

function summarize(images: readonly ImageRecord[], calls: readonly CallRecord[]) {
  const failures: FailureRecord[] = calls.flatMap(call => {
    if (call.failures.length > 0 || !call.error) return call.failures
    const { code, message, providerCode } = call.error
    return Array.from({ length: call.images }, (_, index) => ({
      index: call.firstIndex + index,
      code,
      message,
      providerCode,
    }))
  })
  const isDropped = (call: CallRecord) => call.outcome === 'dropped' && call.error?.code === 'cancelled'
  const status: GenerationStatus =
    images.length > 0 ? 'succeeded' : calls.some(call => !isDropped(call)) ? 'failed' : 'cancelled'
  const error = images.length > 0 ? null : findMainError(calls, failures)
  const charge: Charge = calls.some(call => call.charge === 'unknown')
    ? 'unknown'
    : calls.some(call => call.charge === 'charged')
      ? 'charged'
      : 'none'
  return { status, failures, error, charge }
}

/** The error of the generation when there is no image: the one about money first, then the earliest. */
function findMainError(calls: readonly CallRecord[], failures: FailureRecord[]): ErrorRecord {
  const errors = calls.map(call => call.error).filter(error => error !== null)
  const unknown = calls.find(call => call.outcome === 'unknown')?.error
  const first = unknown ?? errors.find(error => error.code !== 'cancelled') ?? errors[0]
  if (first) return first
  const failure = failures[0]
  return {
    code: failure?.code ?? 'provider_rejected',
    message: failure?.message ?? 'The service made no picture.',
    providerCode: failure?.providerCode ?? null,
    providerMessage: null,
    providerRequestId: null,
    retryAfterMs: null,
  }
}
