/** Creates generations: checks everything, then writes the rows that the runner walks. */
import { randomUUID } from 'node:crypto'
import { estimateCost } from '../catalogue/costs.ts'
import { Refusal } from '../errors.ts'
import type { UsedReference } from '../storage/images.ts'
import type { Creation } from '../storage/ledger/create.ts'
import type { GenerationRecord } from '../storage/records.ts'
import { CommitUnknown } from '../storage/trouble.ts'
import { collectWarnings, type Draft, describeWanted, draft } from './draft.ts'
import { findGeneration } from './history.ts'
import type { GenerationParts } from './parts.ts'
import { patienceMs, readPatiently, retryWhileAway } from './retry-while-away.ts'
import type { Written } from './run.ts'
import type { CreateOptions, GenerationRequest } from './services.ts'

type Idempotency = NonNullable<CreateOptions['idempotency']>

/** `retryOf`: the generation that is made again. */
export async function createGeneration(
  parts: GenerationParts,
  request: GenerationRequest,
  options: CreateOptions,
  retryOf: string | null,
): Promise<GenerationRecord> {
  const { store, budget } = parts
  const idempotency = scopeKey(options)
  const known = idempotency && (await findByKey(parts, idempotency))
  if (known) return known
  const drafted = await draft(parts, request, options)
  try {
    const references = await parts.references.keep(drafted.id, drafted.taken)
    const creation = await compose(parts, drafted, { ...options, idempotency, references, retryOf })
    const created = await store.ledger.create(creation)
    if (created.type === 'created') {
      begin(parts, created.generation.id, created)
      return created.generation
    }
    if (created.type === 'key_taken') throw new KeyTaken()
    if (created.type === 'token_revoked') throw new Refusal('not_allowed', 'This token was revoked.')
    throw await budget.explain(describePrice(creation), created.shortage, drafted.target.candidates)
  } catch (error) {
    if (error instanceof CommitUnknown) return resolveDoubt(parts, drafted, error)
    await parts.references.discard(drafted.id, drafted.taken)
    if (!(error instanceof KeyTaken) || !idempotency) throw error
    // Two concurrent requests with the same key; the other one was first.
    const known = await findByKey(parts, idempotency)
    if (known) return known
    throw error
  }
}

function begin({ notifier, runner }: GenerationParts, id: string, written?: Written) {
  notifier.notify(id, written?.generation)
  void runner.run(id, written)
}

/**
 * The answer to the COMMIT was lost. The row is looked up until the outcome is known, even if the client cannot wait so long: what
 * was written is sent, now and not at the next start.
 */
async function resolveDoubt(parts: GenerationParts, { id, taken }: Draft, doubt: CommitUnknown) {
  const { store, pauses, closing } = parts
  const outcome = retryWhileAway(parts, () => store.ledger.isWritten({ id }), closing).then(async isWritten => {
    if (isWritten) begin(parts, id)
    else await parts.references.discard(id, taken)
    return isWritten
  })
  outcome.catch(() => {})
  const late = pauses.wait(patienceMs, closing).catch(() => {})
  const isWritten = await Promise.race([outcome, late])
  if (isWritten === undefined) throw doubt
  if (!isWritten) throw doubt.cause
  return readPatiently(parts, () => findGeneration(parts, id))
}

/** The generation that an Idempotency-Key already belongs to. */
async function findByKey({ store }: GenerationParts, { key, bodyHash }: Idempotency) {
  const used = await store.idempotency.find(key)
  if (!used) return undefined
  if (used.bodyHash !== bodyHash) {
    throw new Refusal(
      'idempotency_mismatch',
      'This Idempotency-Key was used for another request. Use a new key for a new request.',
    )
  }
  const generation = await store.generations.find(used.generationId)
  if (!generation)
    throw new Refusal('gone', 'The generation of this Idempotency-Key was deleted. Use a new key to make it again.')
  return generation
}

/** Keys belong to a client: equal keys of different tokens are different requests. */
function scopeKey({ idempotency, caller }: CreateOptions): Idempotency | undefined {
  if (!idempotency || caller.ownerId === null) return idempotency
  return { ...idempotency, key: `${caller.ownerId}/${idempotency.key}` }
}

/** Everything that is written, decided before. */
async function compose(
  { budget }: GenerationParts,
  drafted: Draft,
  options: CreateOptions & { references: UsedReference[]; retryOf: string | null },
): Promise<Creation> {
  const { id, prompt, request, target, plan } = drafted
  const wanted = describeWanted(drafted)
  const range = estimateCost(target.found.model, wanted)
  let firstIndex = 0
  const calls = plan.calls.map(({ route, body, images, mayMakeFewer = false, timeoutMs }, slot) => {
    const call = { id: randomUUID(), slot, route, body, images, firstIndex, mayMakeFewer, timeoutMs }
    firstIndex += images
    return { ...call, mayMove: target.mayMove }
  })
  const creation = {
    generation: {
      id,
      prompt,
      timestamp: new Date().toISOString(),
      provider: target.found.provider,
      model: target.modelId,
      ownerId: options.caller.ownerId,
      callbackUrl: request.callbackUrl,
      parameters: request.parameters,
      resolved: plan.resolved,
      warnings: collectWarnings(drafted),
      retryOf: options.retryOf,
      requestId: options.requestId,
    },
    calls,
    spenderId: options.caller.user?.tokenId ?? options.caller.ownerId,
    images: wanted.images,
    references: options.references,
    cost: range && { amount: range.max, currency: range.currency },
    fixedCaps: budget.fixedCaps,
    idempotency: options.idempotency,
    fingerprint: options.fingerprint,
    session: options.session,
  }
  const candidates = await Promise.all(
    target.candidates.map(async configuration => ({
      configId: configuration.id,
      warnings: await budget.warn(describePrice(creation), configuration),
    })),
  )
  return { ...creation, candidates }
}

/** The part of a draft that counts in caps. */
function describePrice({ generation, spenderId, images, cost, session }: Omit<Creation, 'candidates'>) {
  const { ownerId, model } = generation
  return { ownerId, spenderId, model, images, cost, session }
}

/** A concurrent request with the same Idempotency-Key was first. */
class KeyTaken extends Error {
  override name = 'KeyTaken'
}
