/** How a row of `provider_calls` moves: only forward, and the very same move twice is one. */
import type { Insertable, InsertResult, Updateable, UpdateResult } from 'kysely'
import type { NewCall } from '../calls.ts'
import type { Connection } from '../connection.ts'
import { pick, prepareForEach } from '../prepared.ts'
import type { CallState, ProviderCallsTable } from '../tables.ts'

/** A step that the ledger does not allow: a bug of ours, so it is not retried. */
export class LedgerError extends Error {
  override name = 'LedgerError'
}

type LaterState = Exclude<CallState, 'planned'>

/** The states that a row may come from to reach each state. */
const before: Record<LaterState, CallState[]> = {
  sending: ['planned'],
  accepted: ['sending'],
  answered: ['sending', 'accepted'],
  settled: ['planned', 'sending', 'accepted', 'answered'],
}

/** Columns that stay empty until a call is settled. */
const unsettled: Updateable<ProviderCallsTable> = {
  settled_at: null,
  outcome: null,
  charge: 'unknown',
  billed_images: null,
  error: null,
  failures: '[]',
}

const insert = prepareForEach<Insertable<ProviderCallsTable>, InsertResult>((db, given, columns) =>
  db
    .insertInto('provider_calls')
    .values(pick(given, columns))
    // The row exists: an earlier try committed, but its confirmation was lost.
    .onConflict(conflict => conflict.column('id').doNothing()),
)

export async function insertCall(db: Connection, call: NewCall) {
  const row = {
    id: call.id,
    generation_id: call.generationId,
    slot: call.slot,
    attempt: call.attempt,
    state: 'planned',
    provider: call.provider,
    config_id: call.configId,
    model: call.model,
    route: call.route,
    body: JSON.stringify(call.body),
    images: call.images,
    first_index: call.firstIndex,
    may_make_fewer: call.mayMakeFewer ? 1 : 0,
    may_move: call.mayMove ? 1 : 0,
    timeout_ms: call.timeoutMs,
    not_before: call.notBefore,
    charge: 'none',
    failures: '[]',
  }
  await insert(Object.keys(row)).run(db, row as Insertable<ProviderCallsTable>)
}

const moves = new Map<LaterState, ReturnType<typeof moving>>()

function moving(state: LaterState) {
  return prepareForEach<Updateable<ProviderCallsTable> & { id: string }, UpdateResult>((db, given, columns) =>
    db
      .updateTable('provider_calls')
      .set({ ...pick(given, columns), state })
      .where('id', '=', given.id)
      .where('state', 'in', before[state]),
  )
}

function moveTo(state: LaterState) {
  const known = moves.get(state) ?? moving(state)
  moves.set(state, known)
  return known
}

/**
 * A step that was already made with the very same values was made by this caller: the answer to its COMMIT was lost with
 * its connection. A call that another server settled as `unknown` is reopened: its real answer has arrived.
 */
export async function moveCall(
  db: Connection,
  id: string,
  state: LaterState,
  values: Updateable<ProviderCallsTable>,
): Promise<boolean> {
  if ((await moveTo(state)(Object.keys(values)).run(db, { ...values, id })) === 1) return false
  const row = db.updateTable('provider_calls').where('id', '=', id)
  if (state === 'accepted' || state === 'answered') {
    const revived = await row
      .set({ ...values, ...unsettled, state })
      .where('state', '=', 'settled')
      .where('charge', '=', 'unknown')
      // The beginning of a stream is no answer beside the whole of it.
      .where(({ eb, or }) =>
        or([eb('answered_at', 'is', null), eb('answer_complete', '=', values.answer_complete === 1 ? 0 : -1)]),
      )
      .executeTakeFirst()
    if (Number(revived.numUpdatedRows) === 1) return true
  }
  const now = await db.selectFrom('provider_calls').selectAll().where('id', '=', id).executeTakeFirst()
  const isMade =
    now?.state === state && Object.entries(values).every(([name, value]) => now[name as keyof typeof now] === value)
  if (!isMade) throw new LedgerError(`call ${id} cannot move to "${state}" from where it is`)
  return false
}

/** False when it is there already. Only what was not sent can be sent with another key. */
export async function moveToConfiguration(db: Connection, id: string, configId: string): Promise<boolean> {
  const planned = db
    .updateTable('provider_calls')
    .set({ config_id: configId })
    .where('id', '=', id)
    .where('state', '=', 'planned')
  const moved = await planned.where('config_id', '<>', configId).executeTakeFirst()
  if (Number(moved.numUpdatedRows) === 1) return true
  const still = await planned.executeTakeFirst()
  if (Number(still.numUpdatedRows) !== 1) throw new LedgerError(`call ${id} is not planned any more`)
  return false
}
