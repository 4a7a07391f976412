/** Rows of `webhook_deliveries`: messages that wait, are tried, or were delivered. A lease says who tries one. */
import type { Selectable } from 'kysely'
import type { Connection } from './connection.ts'
import { presentDay } from './days.ts'
import type { Charge, GenerationStatus, Money } from './records.ts'
import type { WebhookDeliveriesTable } from './tables.ts'

export type EventType =
  | 'generation.succeeded'
  | 'generation.partially_succeeded'
  | 'generation.failed'
  | 'generation.cancelled'
  | 'webhook.test'

/** What a message tells, as it was when it happened: the generation may be deleted before the message arrives. */
export interface EventRecord {
  type: EventType
  /** ISO 8601. */
  timestamp: string
  /** Null in a test. */
  generation: EventGeneration | null
}

export interface EventGeneration {
  id: string
  status: GenerationStatus
  provider: string | null
  model: string | null
  requestedAt: string
  images: {
    id: string
    index: number
    width: number
    height: number
    bytes: number
    mimeType: string
    sha256: string
  }[]
  failures: { index: number; code: string }[]
  errorCode: string | null
  charge: Charge
  cost: Money | null
  retryOf: string | null
}

/** One try of a delivery. */
export interface TryRecord {
  at: string
  durationMs: number
  /** HTTP status; null without an answer. */
  status: number | null
  /** Why there was none, as a sentence. */
  error: string | null
  /** The beginning of the answer, without secrets. */
  answer: string | null
  /** The address is one of those that only ALLOWED_HOSTS permits, so its answer is for administrators. */
  isInside: boolean
}

/** `failed`: no try succeeded within a day; `dropped`: its webhook was switched off, or is gone. */
export type DeliveryState = 'pending' | 'delivered' | 'failed' | 'dropped'

export interface DeliveryRecord {
  /** The `webhook-id`. */
  id: string
  webhookId: string
  generationId: string | null
  url: string
  event: EventRecord
  state: DeliveryState
  tries: TryRecord[]
  /** Null at its end. */
  dueAt: string | null
  createdAt: string
  /** When it was written, or a person last asked to send it again: the day of tries begins here. */
  triedSince: string
}

export interface NewDelivery {
  id: string
  webhookId: string
  url: string
  event: EventRecord
  /** ISO 8601. */
  at: string
}

export interface DueDelivery {
  id: string
  host: string
  dueAt: string
}

export function createDeliveryRepository(db: Connection) {
  const due = (busyHosts: readonly string[]) => {
    const query = db.selectFrom('webhook_deliveries').where('due_at', 'is not', null)
    return busyHosts.length === 0 ? query : query.where('host', 'not in', busyHosts)
  }
  return {
    insert: (delivery: NewDelivery) => insertDeliveries(db, [delivery]),

    /** Those whose time has come, the oldest first, without those for hosts that have enough at a time. */
    async findDue(at: string, busyHosts: readonly string[], limit: number): Promise<DueDelivery[]> {
      const rows = await due(busyHosts)
        .select(['id', 'host', 'due_at'])
        .where('due_at', '<=', at)
        .orderBy('due_at')
        .limit(limit)
        .execute()
      return rows.map(row => ({ id: row.id, host: row.host, dueAt: row.due_at ?? at }))
    },

    /** When the next one is due; undefined when none waits. */
    async nextDue(busyHosts: readonly string[]): Promise<string | undefined> {
      const row = await due(busyHosts).select('due_at').orderBy('due_at').limit(1).executeTakeFirst()
      return row?.due_at ?? undefined
    },

    /** Undefined when another process was faster. If this one dies, another takes it over at `until`. */
    async claim({ id, dueAt }: DueDelivery, lease: string, until: string): Promise<DeliveryRecord | undefined> {
      const row = await db
        .updateTable('webhook_deliveries')
        .set({ lease, due_at: until })
        .where('id', '=', id)
        .where('due_at', '=', dueAt)
        .returningAll()
        .executeTakeFirst()
      return row && toDelivery(row)
    },

    /** What became of a try. Nothing, if it was claimed by another process, resent or dropped meanwhile. */
    async record(
      id: string,
      lease: string,
      { state, tries, dueAt }: Pick<DeliveryRecord, 'state' | 'tries' | 'dueAt'>,
    ): Promise<void> {
      await db
        .updateTable('webhook_deliveries')
        .set({ state, tries: JSON.stringify(tries), due_at: dueAt, lease: null })
        .where('id', '=', id)
        .where('lease', '=', lease)
        .execute()
    },

    /** Sends it again, whatever became of it. The tries that there were stay. Undefined when there is none. */
    async resend(webhookId: string, id: string, at: string): Promise<DeliveryRecord | undefined> {
      const row = await db
        .updateTable('webhook_deliveries')
        .set({ state: 'pending', due_at: at, lease: null, tried_since: at })
        .where('id', '=', id)
        .where('webhook_id', '=', webhookId)
        .returningAll()
        .executeTakeFirst()
      return row && toDelivery(row)
    },

    async find(webhookId: string, id: string): Promise<DeliveryRecord | undefined> {
      const row = await db
        .selectFrom('webhook_deliveries')
        .selectAll()
        .where('id', '=', id)
        .where('webhook_id', '=', webhookId)
        .executeTakeFirst()
      return row && toDelivery(row)
    },

    /** Newest first. */
    async list(
      webhookId: string,
      { limit, before }: { limit: number; before?: Pick<DeliveryRecord, 'createdAt' | 'id'> },
    ): Promise<DeliveryRecord[]> {
      let query = db.selectFrom('webhook_deliveries').selectAll().where('webhook_id', '=', webhookId)
      if (before) {
        query = query.where(({ eb, or, and }) =>
          or([
            eb('created_at', '<', before.createdAt),
            and([eb('created_at', '=', before.createdAt), eb('id', '<', before.id)]),
          ]),
        )
      }
      const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
      return rows.map(toDelivery)
    },

    /** `before` is a day of `days.ts`. */
    async forget(before: number) {
      await db.deleteFrom('webhook_deliveries').where('day', '<', before).where('due_at', 'is', null).execute()
    },
  }
}

/** What is there already stays as it is. */
export async function insertDeliveries(db: Connection, deliveries: readonly NewDelivery[]) {
  await db
    .insertInto('webhook_deliveries')
    .values(
      deliveries.map(({ id, webhookId, url, event, at }) => ({
        ...{ id, url, webhook_id: webhookId, generation_id: event.generation?.id ?? null },
        ...{ host: new URL(url).host, event: JSON.stringify(event), state: 'pending', tries: '[]' },
        ...{ due_at: at, lease: null, created_at: at, tried_since: at, day: presentDay },
      })),
    )
    .onConflict(conflict => conflict.column('id').doNothing())
    .execute()
}

/** What waits for these webhooks is not sent any more. */
export async function dropPending(db: Connection, webhookIds: readonly string[]) {
  await db
    .updateTable('webhook_deliveries')
    .set({ state: 'dropped', due_at: null, lease: null })
    .where('webhook_id', 'in', webhookIds)
    .where('due_at', 'is not', null)
    .execute()
}

function toDelivery(row: Selectable<WebhookDeliveriesTable>): DeliveryRecord {
  return {
    id: row.id,
    webhookId: row.webhook_id,
    generationId: row.generation_id,
    url: row.url,
    event: JSON.parse(row.event),
    state: row.state as DeliveryState,
    tries: JSON.parse(row.tries),
    dueAt: row.due_at,
    createdAt: row.created_at,
    triedSince: row.tried_since,
  }
}
