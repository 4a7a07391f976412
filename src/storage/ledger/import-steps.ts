/** What was made elsewhere becomes a row of the history: it has ended, has no calls and no reservation, and cost nothing here. */
import type { Insertable, InsertResult, UpdateResult } from 'kysely'
import type { Connection } from '../connection.ts'
import { createImageRepository, type UsedReference } from '../images.ts'
import { pick, prepare, prepareForEach } from '../prepared.ts'
import type { FailureRecord, GenerationRecord, ImageRecord, JsonObject } from '../records.ts'
import { searchText } from '../search-text.ts'
import type { ChatHistoryTable, ImportsTable } from '../tables.ts'
import { nextRevision } from './generation-rows.ts'

export interface ImportedGeneration {
  id: string
  importedFrom: string
  prompt: string
  revisedPrompt: string | null
  provider: string
  model: string | null
  parameters: JsonObject
  resolved: JsonObject
  timestamp: string
  startedAt: string | null
  finishedAt: string
  favorite: boolean
  tags: string[]
  warnings: GenerationRecord['warnings']
  failures: FailureRecord[]
}

export interface ImportStep {
  generation: ImportedGeneration
  /** What recognises it when it is imported again. */
  identity: string
  recipeHash: string
  image: ImageRecord
  references: UsedReference[]
  importedAt: string
}

const insertGeneration = prepareForEach<Insertable<ChatHistoryTable>, InsertResult>((db, given, columns) =>
  db.insertInto('chat_history').values(pick(given, columns)),
)

const insertImport = prepare<Insertable<ImportsTable>, InsertResult>((db, given) =>
  db.insertInto('imports').values({
    source: given.source,
    identity: given.identity,
    generation_id: given.generation_id,
    recipe_hash: given.recipe_hash,
    imported_at: given.imported_at,
  }),
)

const setUrls = prepare<{ id: string; image_urls: string; revision: number }, UpdateResult>((db, given) =>
  db
    .updateTable('chat_history')
    .set({ image_urls: given.image_urls, revision: given.revision })
    .where('id', '=', given.id),
)

const picturesOf = prepare<{ id: string }, { id: string }>((db, { id }) =>
  db.selectFrom('images').select('id').where('generation_id', '=', id).orderBy('position'),
)

/** False when another import has stored the picture of this position meanwhile. */
export async function importPicture(db: Connection, step: ImportStep): Promise<boolean> {
  // Taken first: whoever changes the history waits here for the others, so no two look at the same time.
  const revision = await nextRevision(db)
  const { generation, image } = step
  const known = await db.selectFrom('chat_history').select('id').where('id', '=', generation.id).executeTakeFirst()
  if (!known) await insertImported(db, step, revision)
  if (!(await createImageRepository(db).insert(image))) return false
  await setUrls.run(db, { id: generation.id, image_urls: await listUrls(db, generation.id), revision })
  return true
}

async function insertImported(db: Connection, step: ImportStep, revision: number) {
  const { generation, identity, recipeHash, references, importedAt } = step
  // It may have been imported and deleted before.
  await db.deleteFrom('removals').where('generation_id', '=', generation.id).execute()
  const row: Partial<Insertable<ChatHistoryTable>> = {
    id: generation.id,
    prompt: generation.prompt,
    revised_prompt: generation.revisedPrompt,
    timestamp: generation.timestamp,
    provider: generation.provider,
    model: generation.model,
    parameters: JSON.stringify(generation.parameters),
    resolved: JSON.stringify(generation.resolved),
    status: 'succeeded',
    charge: 'none',
    started_at: generation.startedAt,
    finished_at: generation.finishedAt,
    favorite: generation.favorite ? 1 : 0,
    tags: JSON.stringify(generation.tags),
    warnings: JSON.stringify(generation.warnings),
    failures: JSON.stringify(generation.failures),
    imported_from: generation.importedFrom,
    search_text: searchText(generation.prompt, generation.revisedPrompt, generation.tags),
    revision,
  }
  // Columns that are not named have their default.
  await insertGeneration(Object.keys(row)).run(db, row as Insertable<ChatHistoryTable>)
  await insertImport.run(db, {
    source: generation.importedFrom,
    identity,
    generation_id: generation.id,
    recipe_hash: recipeHash,
    imported_at: importedAt,
  })
  const rows = references.map(({ image }, position) => ({
    generation_id: generation.id,
    position,
    image_id: image.id,
    prepared_file: null,
    prepared_type: null,
  }))
  if (rows.length > 0) await db.insertInto('generation_references').values(rows).execute()
}

async function listUrls(db: Connection, generationId: string) {
  const rows = await picturesOf.rows(db, { id: generationId })
  return JSON.stringify(rows.map(({ id }) => `/images/${id}`))
}
