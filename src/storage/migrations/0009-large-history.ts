import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { hasRows, type Progress } from './progress.ts'

/** Every filter of the history walks an index from its newest entry, however long the history is. */
export function largeHistory(progress: Progress): Migration {
  return {
    async up(db: Kysely<unknown>) {
      if (await hasRows(db, 'chat_history'))
        progress({ en: 'The history gets its indexes.', zh: '正在为历史记录建立索引。' })
      // Only what an earlier build of 0001 has made has it.
      await db.schema.dropIndex('chat_history_status').ifExists().execute()
      await sql`create index chat_history_model on chat_history (model, timestamp, id)`.execute(db)
      await sql`create index chat_history_provider on chat_history (provider, timestamp, id)`.execute(db)
      // Of few rows, as most have succeeded and are neither marked nor tagged.
      await sql`create index chat_history_unsuccessful on chat_history (status, timestamp, id) where status <> 'succeeded'`.execute(
        db,
      )
      await sql`create index chat_history_favorite on chat_history (timestamp, id) where favorite = 1`.execute(db)
      await sql`create index chat_history_tagged on chat_history (timestamp, id) where tags <> '[]'`.execute(db)
    },
  }
}
