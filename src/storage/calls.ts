/** Reads rows of `provider_calls`: one request each that can cost money. They are written by the ledger alone. */
import type { Selectable } from 'kysely'
import type { Connection } from './connection.ts'
import { prepare } from './prepared.ts'
import type { Charge, ErrorRecord, FailureRecord, JsonObject } from './records.ts'
import type { CallState, ProviderCallsTable } from './tables.ts'

export type CallOutcome = 'made' | 'refused' | 'repeated' | 'dropped' | 'unknown'

/** The part of a call that is decided before it is sent. */
export interface NewCall {
  id: string
  generationId: string
  slot: number
  attempt: number
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
}

export interface CallRecord extends NewCall {
  state: CallState
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

/** A call that was just written. */
export function toPlanned(call: NewCall): CallRecord {
  return {
    ...call,
    state: 'planned',
    sentAt: null,
    sentWith: null,
    taskId: null,
    wasFound: false,
    answeredAt: null,
    answer: null,
    providerRequestId: null,
    outcome: null,
    charge: 'none',
    billedImages: null,
    error: null,
    failures: [],
  }
}

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

const bodyOf = prepare((db, given: { id: string }) =>
  db.selectFrom('provider_calls').select('body').where('id', '=', given.id),
)

export function createCallRepository(db: Connection) {
  return {
    async find(id: string): Promise<CallRecord | undefined> {
      const row = await db.selectFrom('provider_calls').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toCall(row)
    },

    /** The stored body; undefined when it was deleted. */
    async body(id: string): Promise<JsonObject | undefined> {
      const row = await bodyOf.first(db, { id })
      return row && JSON.parse(row.body)
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
      return rows.map(toCall)
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
  }
}

function toCall(row: Selectable<ProviderCallsTable>): CallRecord {
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
