/** Rows of `access_tokens`: who may use the server, and within which limits. */
import type { Selectable } from 'kysely'
import { capColumns, changedCapColumns, toCaps } from './caps.ts'
import type { Connection } from './connection.ts'
import type { Role, TokenRecord } from './records.ts'
import type { AccessTokensTable } from './tables.ts'
import { inTransaction } from './transaction.ts'
import { removeWebhooksOf } from './webhooks.ts'

export function createTokenRepository(db: Connection) {
  const valid = () => db.selectFrom('access_tokens').selectAll().where('revoked_at', 'is', null)
  return {
    async insert(token: TokenRecord, hash: string) {
      await db
        .insertInto('access_tokens')
        .values({
          id: token.id,
          name: token.name,
          role: token.role,
          hash,
          ...capColumns(token),
          models: token.models && JSON.stringify(token.models),
          created_at: token.createdAt,
          last_used_at: token.lastUsedAt,
          revoked_at: token.revokedAt,
          user_id: token.userId,
        })
        .execute()
    },

    /** Newest first, revoked ones included. */
    async list(): Promise<TokenRecord[]> {
      const rows = await db
        .selectFrom('access_tokens')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute()
      return rows.map(toToken)
    },

    /** The token, unless it is revoked. */
    async find(id: string): Promise<TokenRecord | undefined> {
      const row = await valid().where('id', '=', id).executeTakeFirst()
      return row && toToken(row)
    },

    async findByHash(hash: string): Promise<TokenRecord | undefined> {
      const row = await valid().where('hash', '=', hash).executeTakeFirst()
      return row && toToken(row)
    },

    /** Undefined members stay unchanged. Undefined when there is none, it is revoked, or belongs to another than this user. */
    async change(
      id: string,
      { name, models, ...caps }: Partial<Pick<TokenRecord, 'name' | 'models' | 'monthlyCap' | 'monthlyImages'>>,
      userId?: string,
    ): Promise<TokenRecord | undefined> {
      const values = {
        ...(name === undefined ? {} : { name }),
        ...(models === undefined ? {} : { models: models && JSON.stringify(models) }),
        ...changedCapColumns(caps),
      }
      if (Object.keys(values).length === 0) {
        const found = await this.find(id)
        return userId === undefined || found?.userId === userId ? found : undefined
      }
      const row = await db
        .updateTable('access_tokens')
        .set(values)
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .$if(userId !== undefined, query => query.where('user_id', '=', userId!))
        .returningAll()
        .executeTakeFirst()
      return row && toToken(row)
    },

    async used(id: string, at: string) {
      await db.updateTable('access_tokens').set({ last_used_at: at }).where('id', '=', id).execute()
    },

    /** With its webhooks. False when there is none, or it belongs to another than this user. */
    revoke(id: string, at: string, userId?: string): Promise<boolean> {
      return inTransaction(db, async transaction => {
        const result = await transaction
          .updateTable('access_tokens')
          .set({ revoked_at: at, hash: null })
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .$if(userId !== undefined, query => query.where('user_id', '=', userId!))
          .executeTakeFirst()
        const isRevoked = Number(result.numUpdatedRows) > 0
        if (isRevoked) await removeWebhooksOf(transaction, id)
        return isRevoked
      })
    },
  }
}

function toToken(row: Selectable<AccessTokensTable>): TokenRecord {
  return {
    id: row.id,
    name: row.name,
    role: row.role as Role,
    ...toCaps(row),
    models: row.models === null ? null : JSON.parse(row.models),
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    userId: row.user_id,
  }
}
