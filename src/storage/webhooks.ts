/** Rows of `webhooks`: who is told of the ends of somebody's generations. */
import type { Selectable } from 'kysely'
import type { Connection } from './connection.ts'
import { dropPending } from './deliveries.ts'
import type { WebhooksTable } from './tables.ts'
import { inTransaction } from './transaction.ts'

/** `gone`: its address answered 410, which means never again. */
export type WebhookState = 'active' | 'off' | 'gone'

export interface WebhookRecord {
  id: string
  /** Null: the access token of the server, or anybody where none is needed. */
  ownerId: string | null
  /** Null: it signs what goes to the `callback_url` of requests. */
  url: string | null
  name: string
  state: WebhookState
  createdAt: string
  /** Sealed; empty where a change of SECRET_KEY has lost it. */
  sealedSecret: string
  /** Signs beside the present one until then. */
  former: { sealedSecret: string; until: string } | null
}

/** Undefined members stay unchanged. */
export type WebhookUpdate = Partial<Pick<WebhookRecord, 'url' | 'name' | 'state' | 'sealedSecret' | 'former'>>

export function createWebhookRepository(db: Connection) {
  return {
    async insert({ id, ownerId, url, name, state, createdAt, sealedSecret }: WebhookRecord) {
      await db
        .insertInto('webhooks')
        .values({
          ...{ id, url, name, state, owner_id: ownerId ?? '', secret: sealedSecret },
          ...{ former_secret: null, former_until: null, created_at: createdAt },
        })
        .execute()
    },

    /** Newest first. With `owner`, or '' for none, only those of that owner. */
    async list(owner?: string): Promise<WebhookRecord[]> {
      let query = db.selectFrom('webhooks').selectAll()
      if (owner !== undefined) query = query.where('owner_id', '=', owner)
      const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').execute()
      return rows.map(toWebhook)
    },

    async find(id: string, owner?: string): Promise<WebhookRecord | undefined> {
      let query = db.selectFrom('webhooks').selectAll().where('id', '=', id)
      if (owner !== undefined) query = query.where('owner_id', '=', owner)
      const row = await query.executeTakeFirst()
      return row && toWebhook(row)
    },

    /** One that is not active any more gets nothing that still waits for it. Undefined when there is none. */
    change(id: string, change: WebhookUpdate): Promise<WebhookRecord | undefined> {
      return inTransaction(db, async transaction => {
        const columns = toColumns(change)
        if (Object.keys(columns).length === 0) return createWebhookRepository(transaction).find(id)
        const row = await transaction
          .updateTable('webhooks')
          .set(columns)
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst()
        if (row && row.state !== 'active') await dropPending(transaction, [id])
        return row && toWebhook(row)
      })
    },

    /** With everything that was sent to it. False when there is none. */
    remove(id: string): Promise<boolean> {
      return inTransaction(db, async transaction => {
        const removed = await transaction.deleteFrom('webhooks').where('id', '=', id).executeTakeFirst()
        await transaction.deleteFrom('webhook_deliveries').where('webhook_id', '=', id).execute()
        return Number(removed.numDeletedRows) > 0
      })
    },
  }
}

/** Nobody is told any more for a token that was revoked. */
export async function removeWebhooksOf(transaction: Connection, tokenId: string) {
  const removed = await transaction.deleteFrom('webhooks').where('owner_id', '=', tokenId).returning('id').execute()
  const ids = removed.map(({ id }) => id)
  if (ids.length > 0) await transaction.deleteFrom('webhook_deliveries').where('webhook_id', 'in', ids).execute()
}

function toColumns({ url, name, state, sealedSecret, former }: WebhookUpdate) {
  return {
    ...(url === undefined ? {} : { url }),
    ...(name === undefined ? {} : { name }),
    ...(state === undefined ? {} : { state }),
    ...(sealedSecret === undefined ? {} : { secret: sealedSecret }),
    ...(former === undefined
      ? {}
      : { former_secret: former?.sealedSecret ?? null, former_until: former?.until ?? null }),
  }
}

function toWebhook(row: Selectable<WebhooksTable>): WebhookRecord {
  const { former_secret: formerSecret, former_until: until } = row
  return {
    id: row.id,
    ownerId: row.owner_id === '' ? null : row.owner_id,
    url: row.url,
    name: row.name,
    state: row.state as WebhookState,
    createdAt: row.created_at,
    sealedSecret: row.secret,
    former: formerSecret === null || until === null ? null : { sealedSecret: formerSecret, until },
  }
}
