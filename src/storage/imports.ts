/** Rows of `imports`: which generations were made elsewhere, and what recognises them. The ledger writes them. */
import type { Connection } from './connection.ts'
import { prepare } from './prepared.ts'

export interface KnownImport {
  generationId: string
  recipeHash: string
  favorite: boolean
}

interface KnownRow {
  generation_id: string
  recipe_hash: string | null
  favorite: number
}

// Asked for each picture of an import.
const bySource = prepare<{ source: string; identity: string }, KnownRow>((db, { source, identity }) =>
  db
    .selectFrom('imports')
    .innerJoin('chat_history', 'chat_history.id', 'imports.generation_id')
    .select(['imports.generation_id', 'imports.recipe_hash', 'chat_history.favorite'])
    .where('imports.source', '=', source)
    .where('imports.identity', '=', identity),
)

const byBytes = prepare<{ sha256: string }, KnownRow>((db, { sha256 }) =>
  db
    .selectFrom('images')
    .innerJoin('chat_history', 'chat_history.id', 'images.generation_id')
    .leftJoin('imports', 'imports.generation_id', 'images.generation_id')
    .select(['chat_history.id as generation_id', 'imports.recipe_hash', 'chat_history.favorite'])
    .where('images.sha256', '=', sha256)
    .where('images.role', '=', 'result')
    .limit(1),
)

const byId = prepare<{ id: string }, { id: string }>((db, { id }) =>
  db
    .selectFrom('chat_history')
    .select('id')
    .where('id', '=', id)
    .unionAll(db.selectFrom('removals').select('generation_id as id').where('generation_id', '=', id)),
)

export function createImportRepository(db: Connection) {
  return {
    async find(source: string, identity: string): Promise<KnownImport | undefined> {
      const row = await bySource.first(db, { source, identity })
      return row && toKnown(row)
    },

    /** A picture of the history with exactly these bytes; the hash is empty for one that was made here. */
    async findByBytes(sha256: string): Promise<KnownImport | undefined> {
      const row = await byBytes.first(db, { sha256 })
      return row && toKnown(row)
    },

    /** Those of `sources` that have a row; one look at the index each. */
    async findSources(sources: readonly string[]): Promise<string[]> {
      const found = await Promise.all(
        sources.map(source =>
          db.selectFrom('imports').select('source').where('source', '=', source).limit(1).executeTakeFirst(),
        ),
      )
      return found.flatMap(row => row?.source ?? [])
    },

    /** Is there a generation with this id, or was there one a short while ago? */
    async isTaken(id: string): Promise<boolean> {
      return (await byId.first(db, { id })) !== undefined
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

function toKnown(row: KnownRow): KnownImport {
  return { generationId: row.generation_id, recipeHash: row.recipe_hash ?? '', favorite: row.favorite === 1 }
}
