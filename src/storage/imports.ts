/** Rows of `imports`: which generations were made elsewhere, and what recognises them. The ledger writes them. */
import type { Connection } from './connection.ts'

export interface KnownImport {
  generationId: string
  recipeHash: string
  favorite: boolean
}

export function createImportRepository(db: Connection) {
  return {
    async find(source: string, identity: string): Promise<KnownImport | undefined> {
      const row = await db
        .selectFrom('imports')
        .innerJoin('chat_history', 'chat_history.id', 'imports.generation_id')
        .select(['imports.generation_id', 'imports.recipe_hash', 'chat_history.favorite'])
        .where('imports.source', '=', source)
        .where('imports.identity', '=', identity)
        .executeTakeFirst()
      return row && toKnown(row)
    },

    /** A picture of the history with exactly these bytes; the hash is empty for one that was made here. */
    async findByBytes(sha256: string): Promise<KnownImport | undefined> {
      const row = await db
        .selectFrom('images')
        .innerJoin('chat_history', 'chat_history.id', 'images.generation_id')
        .leftJoin('imports', 'imports.generation_id', 'images.generation_id')
        .select(['chat_history.id as generation_id', 'imports.recipe_hash', 'chat_history.favorite'])
        .where('images.sha256', '=', sha256)
        .where('images.role', '=', 'result')
        .executeTakeFirst()
      return row && toKnown(row)
    },

    /** Is there a generation with this id, or was there one a short while ago? */
    async isTaken(id: string): Promise<boolean> {
      const row = await db
        .selectFrom('chat_history')
        .select('id')
        .where('id', '=', id)
        .unionAll(db.selectFrom('removals').select('generation_id as id').where('generation_id', '=', id))
        .executeTakeFirst()
      return row !== undefined
    },

    async hasPicture(generationId: string, position: number): Promise<boolean> {
      const row = await db
        .selectFrom('images')
        .select('id')
        .where('generation_id', '=', generationId)
        .where('position', '=', position)
        .executeTakeFirst()
      return row !== undefined
    },
  }
}

function toKnown(row: { generation_id: string; recipe_hash: string | null; favorite: number }): KnownImport {
  return { generationId: row.generation_id, recipeHash: row.recipe_hash ?? '', favorite: row.favorite === 1 }
}
