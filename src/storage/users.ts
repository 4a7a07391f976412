/** Rows of `users`: people who sign in at an issuer of OpenID Connect. */
import type { Selectable } from 'kysely'
import { capColumns, changedCapColumns, toCaps } from './caps.ts'
import type { Connection } from './connection.ts'
import type { Role, UserRecord } from './records.ts'
import type { UsersTable } from './tables.ts'

export type UserChange = Partial<
  Pick<
    UserRecord,
    'name' | 'email' | 'role' | 'models' | 'monthlyCap' | 'monthlyImages' | 'lastSeenAt' | 'disabledAt' | 'sessionEpoch'
  >
>

export function createUserRepository(db: Connection) {
  return {
    /** False when somebody with this issuer and subject is there already. */
    async insert(user: UserRecord): Promise<boolean> {
      const result = await db
        .insertInto('users')
        .values({
          id: user.id,
          issuer: user.issuer,
          subject: user.subject,
          name: user.name,
          email: user.email,
          role: user.role,
          ...capColumns(user),
          models: user.models && JSON.stringify(user.models),
          session_epoch: user.sessionEpoch,
          first_seen_at: user.firstSeenAt,
          last_seen_at: user.lastSeenAt,
          disabled_at: user.disabledAt,
        })
        .onConflict(conflict => conflict.columns(['issuer', 'subject']).doNothing())
        .executeTakeFirst()
      return Number(result.numInsertedOrUpdatedRows ?? 0) > 0
    },

    /** By name. */
    async list(): Promise<UserRecord[]> {
      const rows = await db.selectFrom('users').selectAll().orderBy('name').orderBy('id').execute()
      return rows.map(toUser)
    },

    async find(id: string): Promise<UserRecord | undefined> {
      const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toUser(row)
    },

    async findBySubject(issuer: string, subject: string): Promise<UserRecord | undefined> {
      const row = await db
        .selectFrom('users')
        .selectAll()
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .executeTakeFirst()
      return row && toUser(row)
    },

    /** Undefined members stay unchanged. Undefined when there is none. */
    async change(id: string, { models, monthlyCap, monthlyImages, ...change }: UserChange) {
      const values = {
        ...(change.name === undefined ? {} : { name: change.name }),
        ...(change.email === undefined ? {} : { email: change.email }),
        ...(change.role === undefined ? {} : { role: change.role }),
        ...(change.lastSeenAt === undefined ? {} : { last_seen_at: change.lastSeenAt }),
        ...(change.disabledAt === undefined ? {} : { disabled_at: change.disabledAt }),
        ...(change.sessionEpoch === undefined ? {} : { session_epoch: change.sessionEpoch }),
        ...(models === undefined ? {} : { models: models && JSON.stringify(models) }),
        ...changedCapColumns({ monthlyCap, monthlyImages }),
      }
      if (Object.keys(values).length === 0) return this.find(id)
      const row = await db.updateTable('users').set(values).where('id', '=', id).returningAll().executeTakeFirst()
      return row && toUser(row)
    },
  }
}

/** May the user be here at all? */
export function isAdmitted(user: UserRecord): user is UserRecord & { role: Role } {
  return user.role !== null && user.disabledAt === null
}

function toUser(row: Selectable<UsersTable>): UserRecord {
  return {
    id: row.id,
    issuer: row.issuer,
    subject: row.subject,
    name: row.name,
    email: row.email,
    role: row.role as Role | null,
    ...toCaps(row),
    models: row.models === null ? null : JSON.parse(row.models),
    sessionEpoch: Number(row.session_epoch),
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
    disabledAt: row.disabled_at,
  }
}
