/** Rows of `request_fingerprints`: what was asked for by whom, and whether the caller got its answer. They outlive their generation. */
import type { Connection } from './connection.ts'
import { presentDay } from './days.ts'

export interface FormerRequest {
  generationId: string
  /** False while the caller waits, and for good when it went away, or this program, before the answer. */
  isAnswered: boolean
}

/** Of as many the latest ones count; a client that repeats itself has few. */
const maxFound = 50

export function createFingerprintRepository(db: Connection) {
  return {
    /** Newest first. */
    async find(fingerprint: string): Promise<FormerRequest[]> {
      const rows = await db
        .selectFrom('request_fingerprints as asked')
        .innerJoin('chat_history as generation', 'generation.id', 'asked.generation_id')
        .select(['asked.generation_id', 'asked.is_answered'])
        .where('asked.fingerprint', '=', fingerprint)
        .orderBy('generation.timestamp', 'desc')
        .limit(maxFound)
        .execute()
      return rows.map(row => ({ generationId: row.generation_id, isAnswered: row.is_answered === 1 }))
    },

    async insert(fingerprint: string, generationId: string) {
      await db
        .insertInto('request_fingerprints')
        .values({ generation_id: generationId, fingerprint, is_answered: 0, day: presentDay })
        .execute()
    },

    async answered(generationId: string) {
      await db
        .updateTable('request_fingerprints')
        .set({ is_answered: 1 })
        .where('generation_id', '=', generationId)
        .execute()
    },

    /** `before` is a day of `days.ts`. */
    async forget(before: number) {
      await db.deleteFrom('request_fingerprints').where('day', '<', before).execute()
    },
  }
}
