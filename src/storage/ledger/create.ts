/** The first step: a generation, its calls, what they may cost, and the key of its client, all at once. */
import { type CallRecord, type NewCall, toPlanned } from '../calls.ts'
import type { Connection } from '../connection.ts'
import { createFingerprintRepository } from '../fingerprints.ts'
import { createIdempotencyRepository } from '../idempotency.ts'
import { createImageRepository, type UsedReference } from '../images.ts'
import type { GenerationRecord, Money } from '../records.ts'
import type { SpendingSession } from '../session-spending.ts'
import { insertCall } from './call-rows.ts'
import { insertGeneration, type NewGeneration } from './generation-rows.ts'
import { type FixedCaps, type LedgerShortage, reserve } from './reservation.ts'

export interface Creation {
  generation: Omit<NewGeneration, 'configId'>
  calls: Omit<NewCall, 'generationId' | 'attempt' | 'provider' | 'model' | 'configId' | 'notBefore'>[]
  /** The named token that was sent, or the user in a session: with `ownerId`, whose caps count. */
  spenderId: string | null
  /** Pictures that are asked for. */
  images: number
  references: UsedReference[]
  /** The most that it may cost; null where no price is known. */
  cost: Money | null
  /** The first whose own cap has room makes it; `warnings` are those of a generation that begins there. */
  candidates: { configId: string; warnings: GenerationRecord['warnings'] }[]
  fixedCaps: FixedCaps
  idempotency?: { key: string; bodyHash: string }
  /** Of a request whose client may repeat it by itself. */
  fingerprint?: string
  /** The session whose cap it counts in. */
  session?: SpendingSession
}

/** Nothing was written unless it is `created`. */
export type Created =
  /** The calls come without their bodies. */
  | { type: 'created'; generation: GenerationRecord; calls: CallRecord[] }
  /** Another request with the same key was faster. */
  | { type: 'key_taken' }
  | { type: 'token_revoked' }
  | { type: 'no_room'; shortage: LedgerShortage }

/** Takes back what the transaction has written so far. */
export class Undone<T> extends Error {
  override name = 'Undone'
  readonly result: T

  constructor(result: T) {
    super('a step of the ledger was taken back')
    this.result = result
  }
}

export async function create(db: Connection, step: Creation): Promise<Created> {
  const { generation, calls, references, idempotency, fingerprint } = step
  const { id, timestamp, provider, model } = generation
  if (idempotency) {
    const isNew = await createIdempotencyRepository(db).insert({ ...idempotency, generationId: id }, timestamp)
    if (!isNew) return { type: 'key_taken' }
  }
  if (fingerprint !== undefined) await createFingerprintRepository(db).insert(fingerprint, id)
  const { configId, warnings } = await reserveWithOne(db, step)
  const bare = await insertGeneration(db, {
    ...generation,
    configId,
    warnings: [...generation.warnings, ...warnings],
  })
  await createImageRepository(db).addReferences(id, references)
  const written = calls.map(call => {
    const first = { attempt: 1, notBefore: null }
    return toPlanned({ ...call, ...first, generationId: id, provider, configId, model })
  })
  for (const call of written) await insertCall(db, call)
  const around = {
    images: [],
    references: references.map(({ image }, index) => ({ ...image, index })),
    providerRequestIds: [],
    calls: { unsent: calls.length, sent: 0 },
  }
  return {
    type: 'created',
    generation: { ...bare, ...around },
    calls: written.map(call => ({ ...call, body: {} })),
  }
}

/** @throws Undone with the shortage of the first, when none has room */
async function reserveWithOne(db: Connection, step: Creation) {
  const { generation, spenderId, images, calls, cost, candidates, fixedCaps, session } = step
  const { id, timestamp, ownerId, model } = generation
  const reservation = { generationId: id, timestamp, ownerId, spenderId, model, images, calls: calls.length, cost }
  let full: LedgerShortage | undefined
  for (const candidate of candidates) {
    const reserved = await reserve(db, { ...reservation, configId: candidate.configId }, fixedCaps, session)
    if (reserved === 'reserved') return candidate
    if (reserved === 'token_revoked') throw new Undone<Created>({ type: 'token_revoked' })
    if (reserved.scope !== 'configuration') throw new Undone<Created>({ type: 'no_room', shortage: reserved })
    full ??= reserved
  }
  throw new Undone<Created>({ type: 'no_room', shortage: full! })
}
