/** Rows of `provider_calls`: the ledger. A row only ever moves forward, and every step is committed before the next begins. */
import type { Selectable, Updateable } from 'kysely'
import type { Connection } from './connection.ts'
import type { Charge, ErrorRecord, FailureRecord, JsonObject } from './records.ts'
import type { CallState, ProviderCallsTable } from './tables.ts'

export type CallOutcome = 'made' | 'refused' | 'repeated' | 'dropped' | 'unknown'

export interface CallRecord {
  id: string
  generationId: string
  slot: number
  attempt: number
  state: CallState
  provider: string
  configId: string
  model: string
  route: string
  body: JsonObject
  images: number
  firstIndex: number
  mayMakeFewer: boolean
  /** The request named no configuration, so another of the same service may send it. */
  mayMove: boolean
  timeoutMs: number
  notBefore: string | null
  sentAt: string | null
  /** Key and address, sealed, until the call is settled; null if the service is not asked again. */
  sentWith: string | null
  taskId: string | null
  /** The task was found in the list of the service, and nothing proved that it is this call's own. */
  wasFound: boolean
  answeredAt: string | null
  answer: {
    status: number
    contentType?: string
    complete: boolean
    retryAfterMs?: number
    body: string | null
    file: string | null
  } | null
  providerRequestId: string | null
  outcome: CallOutcome | null
  charge: Charge
  billedImages: number | null
  error: ErrorRecord | null
  failures: FailureRecord[]
}

export type NewCall = Pick<
  CallRecord,
  | 'id'
  | 'generationId'
  | 'slot'
  | 'attempt'
  | 'provider'
  | 'configId'
  | 'model'
  | 'route'
  | 'body'
  | 'images'
  | 'firstIndex'
  | 'mayMakeFewer'
  | 'mayMove'
  | 'timeoutMs'
  | 'notBefore'
>

export interface KeptAnswer {
  status: number
  contentType?: string
  complete: boolean
  retryAfterMs?: number
  requestId?: string
  /** The answer proves that the task which was found is the call's own. */
  isProven?: boolean
  /** One of the two. */
  body?: string
  file?: string
}

export interface Settlement {
  outcome: CallOutcome
  charge: Charge
  billedImages?: number
  error?: ErrorRecord
  failures?: FailureRecord[]
}

/** A step that the ledger does not allow: a bug of ours, so it is not retried. */
export class LedgerError extends Error {
  override name = 'LedgerError'
}

/** The states that a row may come from to reach each state. */
const before: Record<Exclude<CallState, 'planned'>, CallState[]> = {
  sending: ['planned'],
  accepted: ['sending'],
  answered: ['sending', 'accepted'],
  settled: ['planned', 'sending', 'accepted', 'answered'],
}

export function createCallRepository(db: Connection) {
  return {
    async insert(call: NewCall) {
      await db
        .insertInto('provider_calls')
        .values({
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
        } as Selectable<ProviderCallsTable>)
        // Written already, in a transaction whose word was lost.
        .onConflict(conflict => conflict.column('id').doNothing())
        .execute()
    },

    async find(id: string): Promise<CallRecord | undefined> {
      const row = await db.selectFrom('provider_calls').selectAll().where('id', '=', id).executeTakeFirst()
      return row && callOf(row)
    },

    /** Every attempt of every slot, in order. */
    async ofGeneration(generationId: string): Promise<CallRecord[]> {
      const rows = await db
        .selectFrom('provider_calls')
        .selectAll()
        .where('generation_id', '=', generationId)
        .orderBy('slot')
        .orderBy('attempt')
        .execute()
      return rows.map(callOf)
    },

    async answerFiles(generationIds: string[]): Promise<string[]> {
      if (generationIds.length === 0) return []
      const rows = await db
        .selectFrom('provider_calls')
        .select('answer_file')
        .where('generation_id', 'in', generationIds)
        .execute()
      return rows.map(row => row.answer_file).filter(file => file !== null)
    },

    /** Every known task id; a task of the service that is missing here may be the one of a lost answer. */
    async knownTaskIds(): Promise<Set<string>> {
      const rows = await db.selectFrom('provider_calls').select('task_id').where('task_id', 'is not', null).execute()
      const former = await db.selectFrom('former_tasks').select('task_id').execute()
      return new Set([...rows, ...former].map(row => row.task_id).filter(id => id !== null))
    },

    /** Calls that were sent in that time and have neither a task id nor the proof that there is none; given up or not. */
    async withoutAnswer(provider: string, model: string, window: { from: Date; to: Date }) {
      const rows = await db
        .selectFrom('provider_calls')
        .select(['id', 'state'])
        .where('provider', '=', provider)
        .where('model', '=', model)
        .where('sent_at', '>=', window.from.toISOString())
        .where('sent_at', '<=', window.to.toISOString())
        .where('task_id', 'is', null)
        // The answer of a gateway is none: what it swallowed may be a task all the same.
        .where(({ eb, or }) => or([eb('state', 'in', ['sending', 'answered']), eb('outcome', '=', 'unknown')]))
        .execute()
      return rows
    },

    /** Does anything unfinished depend on this configuration? */
    async isConfigurationInUse(configId: string): Promise<boolean> {
      const row = await db
        .selectFrom('provider_calls')
        .select('id')
        .where('config_id', '=', configId)
        .where('state', 'in', ['sending', 'accepted'])
        .executeTakeFirst()
      return row !== undefined
    },

    /** False when it is there already. Only what was not sent can be sent with another key. */
    async moved(id: string, configId: string): Promise<boolean> {
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
    },

    sending: (id: string, sentAt: string, sentWith: string | null) =>
      move(id, 'sending', { sent_at: sentAt, sent_with: sentWith, charge: 'unknown' }),

    /** True when the call had been given up meanwhile. */
    accepted: (id: string, taskId: string, requestId: string | undefined, at: string, wasFound = false) =>
      move(id, 'accepted', {
        ...{ task_id: taskId, accepted_at: at, provider_request_id: requestId ?? null },
        was_found: wasFound ? 1 : 0,
      }),

    /** True when the call had been given up meanwhile. */
    answered: (id: string, answer: KeptAnswer, at: string) =>
      move(id, 'answered', {
        answered_at: at,
        answer_status: answer.status,
        answer_type: answer.contentType ?? null,
        answer_body: answer.body ?? null,
        answer_file: answer.file ?? null,
        answer_complete: answer.complete ? 1 : 0,
        retry_after_ms: answer.retryAfterMs ?? null,
        ...(answer.isProven ? { was_found: 0 } : {}),
        ...(answer.requestId ? { provider_request_id: answer.requestId } : {}),
      }),

    /** The file that the parts of a stream are being written to; the call stays `sending` until its end. */
    async streaming(
      id: string,
      file: string,
      status: number,
      contentType: string | undefined,
      requestId: string | undefined,
    ) {
      await db
        .updateTable('provider_calls')
        .set({
          answer_file: file,
          answer_status: status,
          answer_type: contentType ?? null,
          answer_complete: 0,
          provider_request_id: requestId ?? null,
        })
        .where('id', '=', id)
        .execute()
    },

    settled: (id: string, settlement: Settlement, at: string) =>
      move(id, 'settled', {
        settled_at: at,
        sent_with: null,
        outcome: settlement.outcome,
        charge: settlement.charge,
        billed_images: settlement.billedImages ?? null,
        error: settlement.error ? JSON.stringify(settlement.error) : null,
        failures: JSON.stringify(settlement.failures ?? []),
      }),
  }

  /**
   * A step that was made already, with the very same values, was made by whoever asks now: the word that it was committed was lost with
   * its connection. What another server gave up, because it could not know that this one still waited, goes on: then it is true.
   */
  async function move(
    id: string,
    state: Exclude<CallState, 'planned'>,
    values: Updateable<ProviderCallsTable>,
  ): Promise<boolean> {
    const row = db.updateTable('provider_calls').where('id', '=', id)
    const moved = await row
      .set({ ...values, state })
      .where('state', 'in', before[state])
      .executeTakeFirst()
    if (Number(moved.numUpdatedRows) === 1) return false
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
}

/** What a call has not yet that is not settled. */
const unsettled: Updateable<ProviderCallsTable> = {
  ...{ settled_at: null, outcome: null, charge: 'unknown', billed_images: null, error: null, failures: '[]' },
}

function callOf(row: Selectable<ProviderCallsTable>): CallRecord {
  return {
    id: row.id,
    generationId: row.generation_id,
    slot: row.slot,
    attempt: row.attempt,
    state: row.state,
    provider: row.provider,
    configId: row.config_id,
    model: row.model,
    route: row.route,
    body: JSON.parse(row.body),
    images: row.images,
    firstIndex: row.first_index,
    mayMakeFewer: row.may_make_fewer === 1,
    mayMove: row.may_move === 1,
    timeoutMs: row.timeout_ms,
    notBefore: row.not_before,
    sentAt: row.sent_at,
    sentWith: row.sent_with,
    taskId: row.task_id,
    wasFound: row.was_found === 1,
    answeredAt: row.answered_at,
    answer:
      row.answer_status === null
        ? null
        : {
            status: row.answer_status,
            contentType: row.answer_type ?? undefined,
            complete: row.answer_complete === 1,
            retryAfterMs: row.retry_after_ms ?? undefined,
            body: row.answer_body,
            file: row.answer_file,
          },
    providerRequestId: row.provider_request_id,
    outcome: row.outcome as CallOutcome | null,
    charge: row.charge as Charge,
    billedImages: row.billed_images,
    error: row.error === null ? null : JSON.parse(row.error),
    failures: JSON.parse(row.failures),
  }
}
