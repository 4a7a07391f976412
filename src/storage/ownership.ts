/**
 * Whose a database is. A server that opens it writes its own id into it; whoever does what must not be done twice looks, in the same
 * transaction, whether that id still stands there. So it does not matter how a second server got past the lock.
 */
import type { DialectAdapter } from 'kysely'
import type { Connection, DirectAdapter } from './connection.ts'
import { prepare } from './prepared.ts'
import { inTransaction } from './transaction.ts'
import { DatabaseError } from './trouble.ts'

/** This process no longer owns the database: it must not send, but it may still record answers that it receives. */
export class OwnershipLost extends DatabaseError {
  override name = 'OwnershipLost'

  constructor(...sentence: readonly [en: string, zh: string] | readonly []) {
    const [en, zh] = sentence.length === 2 ? sentence : takenOver
    super(en, zh)
  }
}

const takenOver = [
  'Another server has taken over this database. Stop one of the two, and start the other again.',
  '另一台服务器接管了这个数据库。请停止其中一台，再重新启动另一台。',
] as const
export const ownerName = 'owner'

/** The server that owned the database last. */
export async function findOwner(db: Connection): Promise<string | undefined> {
  const row = await db.selectFrom('meta').select('value').where('name', '=', ownerName).executeTakeFirst()
  return row?.value
}

/**
 * Where a server that closes its database leaves its id, as the last that it writes. Any other owner makes it void, also one that does not
 * know of it. A power cut that takes back a later change of owner takes back all that was written since, so it is true again.
 */
export const endName = 'ended'

/** Takes the database for this process, whoever had it before. */
export function takeOwnership(db: Connection, owner: string): Promise<void> {
  return inTransaction(db, async transaction => {
    await transaction.updateTable('meta').set({ value: owner }).where('name', '=', ownerName).execute()
    await transaction.deleteFrom('meta').where('name', '=', endName).execute()
  })
}

/** Notes that this owner has closed the database in order. */
export async function noteEnd(db: Connection, owner: string) {
  await db
    .insertInto('meta')
    .values({ name: endName, value: owner })
    .onConflict(conflict => conflict.column('name').doUpdateSet({ value: owner }))
    .execute()
}

const hold = prepare((db, given: { owner: string }) =>
  db.updateTable('meta').set({ value: given.owner }).where('name', '=', ownerName).where('value', '=', given.owner),
)

const look = prepare((db, given: { owner: string }) =>
  db.selectFrom('meta').select('name').where('name', '=', ownerName).where('value', '=', given.owner),
)

/**
 * Inside a transaction that writes, ownership cannot change before it ends: PostgreSQL holds the row. On SQLite a transaction that has
 * read can only write what nobody has changed since (SQLITE_BUSY_SNAPSHOT), so to look is enough.
 */
export async function isOwner(db: Connection, owner: string): Promise<boolean> {
  const adapter: DialectAdapter & DirectAdapter = db.getExecutor().adapter
  return adapter.ask ? (await look.first(db, { owner })) !== undefined : (await hold.run(db, { owner })) === 1
}
