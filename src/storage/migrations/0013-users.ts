import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** People who sign in at an issuer of OpenID Connect, and what belongs to them. */
export const users: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('users')
      .addColumn('id', 'text', column => column.primaryKey())
      .addColumn('issuer', 'text', column => column.notNull())
      .addColumn('subject', 'text', column => column.notNull())
      .addColumn('name', 'text', column => column.notNull())
      .addColumn('email', 'text')
      .addColumn('role', 'text')
      .addColumn('monthly_cap_amount', 'bigint')
      .addColumn('monthly_cap_currency', 'text')
      .addColumn('monthly_images', 'integer')
      .addColumn('models', 'text')
      .addColumn('session_epoch', 'integer', column => column.notNull().defaultTo(0))
      .addColumn('first_seen_at', 'text', column => column.notNull())
      .addColumn('last_seen_at', 'text', column => column.notNull())
      .addColumn('disabled_at', 'text')
      .addUniqueConstraint('users_issuer_subject', ['issuer', 'subject'])
      .execute()
    await db.schema.alterTable('access_tokens').addColumn('user_id', 'text').execute()
  },
}
