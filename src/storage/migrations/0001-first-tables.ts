import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Seal } from '../secrets/seal.ts'
import { copyOldRows, setOldTablesAside } from './old-database.ts'
import type { Progress } from './progress.ts'

export function firstTables(seal: Seal, progress: Progress): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const old = await setOldTablesAside(db)
      await createTables(db)
      await copyOldRows(db, old, seal, progress)
      // After the rows: an index of what is there is written faster than one that grows with each.
      await createIndexes(db)
    },
  }
}

async function createTables(db: Kysely<unknown>) {
  await db.schema
    .createTable('configurations')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('name', 'text', column => column.notNull())
    .addColumn('provider', 'text', column => column.notNull())
    .addColumn('api_key', 'text', column => column.notNull())
    .addColumn('model', 'text')
    .addColumn('is_active', 'integer', column => column.notNull().defaultTo(1))
    .addColumn('base_url', 'text')
    .addColumn('key_hint', 'text')
    .addColumn('created_at', 'text', column => column.notNull())
    .addColumn('updated_at', 'text', column => column.notNull())
    .execute()

  await db.schema
    .createTable('chat_history')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('prompt', 'text', column => column.notNull())
    .addColumn('image_urls', 'text', column => column.notNull().defaultTo('[]'))
    .addColumn('timestamp', 'text', column => column.notNull())
    .addColumn('model', 'text')
    .addColumn('parameters', 'text', column => column.notNull().defaultTo('{}'))
    .addColumn('provider', 'text')
    .addColumn('config_id', 'text')
    .addColumn('status', 'text', column => column.notNull())
    .addColumn('revised_prompt', 'text')
    .addColumn('resolved', 'text')
    .addColumn('warnings', 'text', column => column.notNull().defaultTo('[]'))
    .addColumn('failures', 'text', column => column.notNull().defaultTo('[]'))
    .addColumn('error', 'text')
    .addColumn('charge', 'text', column => column.notNull().defaultTo('none'))
    .addColumn('cost_amount', 'double precision')
    .addColumn('cost_currency', 'text')
    .addColumn('favorite', 'integer', column => column.notNull().defaultTo(0))
    .addColumn('tags', 'text', column => column.notNull().defaultTo('[]'))
    .addColumn('retry_of', 'text')
    .addColumn('waiting', 'text')
    .addColumn('cancel_requested', 'integer', column => column.notNull().defaultTo(0))
    .addColumn('started_at', 'text')
    .addColumn('finished_at', 'text')
    .addColumn('request_id', 'text')
    .addColumn('search_text', 'text', column => column.notNull().defaultTo(''))
    .addColumn('revision', 'bigint', column => column.notNull().defaultTo(0))
    .execute()

  await db.schema
    .createTable('provider_calls')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('generation_id', 'text', column => column.notNull().references('chat_history.id').onDelete('cascade'))
    .addColumn('slot', 'integer', column => column.notNull())
    .addColumn('attempt', 'integer', column => column.notNull())
    .addColumn('state', 'text', column => column.notNull())
    .addColumn('provider', 'text', column => column.notNull())
    .addColumn('config_id', 'text', column => column.notNull())
    .addColumn('model', 'text', column => column.notNull())
    .addColumn('route', 'text', column => column.notNull())
    .addColumn('body', 'text', column => column.notNull())
    .addColumn('images', 'integer', column => column.notNull())
    .addColumn('first_index', 'integer', column => column.notNull())
    .addColumn('may_make_fewer', 'integer', column => column.notNull().defaultTo(0))
    .addColumn('timeout_ms', 'integer', column => column.notNull())
    .addColumn('not_before', 'text')
    .addColumn('sent_at', 'text')
    .addColumn('task_id', 'text')
    .addColumn('accepted_at', 'text')
    .addColumn('answered_at', 'text')
    .addColumn('answer_status', 'integer')
    .addColumn('answer_type', 'text')
    .addColumn('answer_body', 'text')
    .addColumn('answer_file', 'text')
    .addColumn('answer_complete', 'integer')
    .addColumn('retry_after_ms', 'integer')
    .addColumn('provider_request_id', 'text')
    .addColumn('settled_at', 'text')
    .addColumn('outcome', 'text')
    .addColumn('charge', 'text', column => column.notNull().defaultTo('none'))
    .addColumn('billed_images', 'integer')
    .addColumn('error', 'text')
    .addColumn('failures', 'text', column => column.notNull().defaultTo('[]'))
    .addUniqueConstraint('provider_calls_attempt', ['generation_id', 'slot', 'attempt'])
    .execute()

  await db.schema
    .createTable('images')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('role', 'text', column => column.notNull())
    .addColumn('generation_id', 'text', column => column.references('chat_history.id').onDelete('cascade'))
    .addColumn('call_id', 'text')
    .addColumn('position', 'integer', column => column.notNull().defaultTo(0))
    .addColumn('file', 'text', column => column.notNull())
    .addColumn('width', 'integer', column => column.notNull())
    .addColumn('height', 'integer', column => column.notNull())
    .addColumn('bytes', 'bigint', column => column.notNull())
    .addColumn('mime_type', 'text', column => column.notNull())
    .addColumn('sha256', 'text', column => column.notNull())
    .addColumn('created_at', 'text', column => column.notNull())
    .addColumn('details', 'text')
    // One picture a position: an answer that is parsed again after a crash cannot store the same picture twice.
    .addUniqueConstraint('images_position', ['generation_id', 'position'])
    .execute()

  await db.schema
    .createTable('generation_references')
    .addColumn('generation_id', 'text', column => column.notNull().references('chat_history.id').onDelete('cascade'))
    .addColumn('position', 'integer', column => column.notNull())
    .addColumn('image_id', 'text', column => column.notNull())
    .addColumn('prepared_file', 'text')
    .addColumn('prepared_type', 'text')
    .addPrimaryKeyConstraint('generation_references_key', ['generation_id', 'position'])
    .execute()

  await db.schema
    .createTable('idempotency_keys')
    .addColumn('key', 'text', column => column.primaryKey())
    .addColumn('body_hash', 'text', column => column.notNull())
    .addColumn('generation_id', 'text', column => column.notNull())
    .addColumn('created_at', 'text', column => column.notNull())
    .execute()

  await db.schema
    .createTable('removals')
    .addColumn('generation_id', 'text', column => column.primaryKey())
    .addColumn('revision', 'bigint', column => column.notNull())
    .addColumn('removed_at', 'text', column => column.notNull())
    .execute()

  await db.schema
    .createTable('former_tasks')
    .addColumn('task_id', 'text', column => column.primaryKey())
    .addColumn('removed_at', 'text', column => column.notNull())
    .execute()

  await db.schema
    .createTable('counters')
    .addColumn('name', 'text', column => column.primaryKey())
    .addColumn('value', 'bigint', column => column.notNull())
    .execute()
  await sql`insert into counters (name, value) values ('revision', 0)`.execute(db)
}

async function createIndexes(db: Kysely<unknown>) {
  await db.schema.createIndex('chat_history_newest').on('chat_history').columns(['timestamp', 'id']).execute()
  await db.schema.createIndex('chat_history_revision').on('chat_history').column('revision').execute()
  await db.schema.createIndex('provider_calls_state').on('provider_calls').column('state').execute()
  await db.schema.createIndex('images_role').on('images').columns(['role', 'created_at']).execute()
  await db.schema.createIndex('images_sha256').on('images').column('sha256').execute()
  await db.schema.createIndex('generation_references_image').on('generation_references').column('image_id').execute()
  await db.schema.createIndex('removals_revision').on('removals').column('revision').execute()
}
