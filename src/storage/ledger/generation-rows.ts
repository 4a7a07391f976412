/** How rows of `chat_history` are written: every change takes the next revision, in the transaction of the change. */
import { type Selectable, sql, type Updateable } from 'kysely'
import type { Connection } from '../connection.ts'
import { presentDay } from '../days.ts'
import { type BareGeneration, toBareGeneration } from '../generations.ts'
import { pick, prepare, prepareForEach } from '../prepared.ts'
import type {
  Charge,
  ErrorRecord,
  FailureRecord,
  GenerationRecord,
  GenerationStatus,
  JsonObject,
  Message,
  Ratings,
} from '../records.ts'
import { searchText } from '../search-text.ts'
import type { ChatHistoryTable } from '../tables.ts'

export interface NewGeneration {
  id: string
  prompt: string
  timestamp: string
  provider: string
  model: string
  configId: string
  ownerId: string | null
  /** Is told of its end, beside the webhooks of the owner. */
  callbackUrl?: string
  parameters: JsonObject
  resolved: JsonObject
  warnings: GenerationRecord['warnings']
  retryOf: string | null
  requestId: string
}

/** Undefined members stay unchanged. */
export interface GenerationChange {
  status?: GenerationStatus
  revisedPrompt?: string | null
  imageUrls?: string[]
  failures?: FailureRecord[]
  error?: ErrorRecord | null
  charge?: Charge
  cost?: GenerationRecord['cost']
  favorite?: boolean
  tags?: string[]
  ratings?: Ratings
  cover?: number | null
  waiting?: Message | null
  cancelRequested?: boolean
  /** Null: it has not ended. */
  finishedAt?: string | null
  configId?: string
}

/** Reopens a generation that another server had given up. */
export const goesOn: GenerationChange = { status: 'running', finishedAt: null, error: null, failures: [] }

export async function insertGeneration(db: Connection, generation: NewGeneration): Promise<BareGeneration> {
  // Columns that are not named have their default.
  const row: Partial<Selectable<ChatHistoryTable>> = {
    id: generation.id,
    prompt: generation.prompt,
    timestamp: generation.timestamp,
    provider: generation.provider,
    model: generation.model,
    config_id: generation.configId,
    token_id: generation.ownerId,
    callback_url: generation.callbackUrl ?? null,
    status: 'queued',
    parameters: JSON.stringify(generation.parameters),
    resolved: JSON.stringify(generation.resolved),
    warnings: JSON.stringify(generation.warnings),
    retry_of: generation.retryOf,
    request_id: generation.requestId,
    search_text: searchText(generation.prompt, null, []),
    revision: await nextRevision(db),
  }
  const inserted = await insert(Object.keys(row)).first(db, row as Selectable<ChatHistoryTable>)
  return toBareGeneration(inserted!)
}

const insert = prepareForEach<Selectable<ChatHistoryTable>, Selectable<ChatHistoryTable>>((db, given, columns) =>
  db.insertInto('chat_history').values(pick(given, columns)).returningAll(),
)

/** Changes that depend on the present value of a column. */
interface PresentChange {
  /** Unless it has begun already. */
  startedAt?: string
  /** Another call of it may be paid and kept already. */
  isMaybeCharged?: boolean
}

interface ChangedRow extends Selectable<ChatHistoryTable> {
  /** With an end: is anybody told of the ends of this owner? */
  has_webhook?: number | boolean
}

type UpdateValues = Updateable<ChatHistoryTable> & { id: string; at: string | undefined }

const updates = prepareForEach<UpdateValues, ChangedRow>((db, given, columns) => {
  const values: Record<string, unknown> = given
  const present: Record<string, unknown> = {
    startedAt: { started_at: sql<string>`coalesce(started_at, ${given.at})` },
    isMaybeCharged: { charge: sql<string>`case when charge = 'charged' then charge else 'unknown' end` },
  }
  const set = Object.assign({}, ...columns.map(name => present[name] ?? { [name]: values[name] }))
  const update = db.updateTable('chat_history').set(set).where('id', '=', given.id).returningAll()
  // Answered with the end itself, so that where nobody is told it takes no statement to know that.
  return columns.includes('finished_at') ? update.returning(hasWebhook.as('has_webhook')) : update
})

const hasWebhook = sql<number | boolean>`exists (
  select 1 from webhooks where owner_id = coalesce(chat_history.token_id, '') and state = 'active')`

function updateOf(columns: readonly string[], { startedAt, isMaybeCharged }: PresentChange) {
  const names = [...columns]
  if (startedAt !== undefined) names.push('startedAt')
  if (isMaybeCharged) names.push('isMaybeCharged')
  return updates(names)
}

/** @returns how it is now; undefined when there is none */
export async function changeGeneration(
  db: Connection,
  id: string,
  change: GenerationChange,
  present: PresentChange = {},
): Promise<BareGeneration | undefined> {
  const row = await changeRow(db, id, change, present)
  return row && toBareGeneration(row)
}

/** As `changeGeneration`, and who is to be told; undefined: nobody. */
export async function endGeneration(db: Connection, id: string, change: GenerationChange) {
  const row = await changeRow(db, id, change, {})
  if (!row) return undefined
  return { generation: toBareGeneration(row), told: row.has_webhook ? { callbackUrl: row.callback_url } : undefined }
}

async function changeRow(db: Connection, id: string, change: GenerationChange, present: PresentChange) {
  const columns: Updateable<ChatHistoryTable> = { ...toColumns(change), revision: await nextRevision(db) }
  const row = await updateOf(Object.keys(columns), present).first(db, { ...columns, id, at: present.startedAt })
  if (!row) return undefined
  if (change.revisedPrompt !== undefined || change.tags) {
    const search_text = searchText(row.prompt, row.revised_prompt, JSON.parse(row.tags))
    await db.updateTable('chat_history').set({ search_text }).where('id', '=', id).execute()
  }
  return row
}

/** Adds a warning that is not there yet to a row that was written in the same transaction, so that nobody adds one meanwhile. */
export async function addWarning(
  db: Connection,
  generation: BareGeneration,
  warning: GenerationRecord['warnings'][number],
): Promise<BareGeneration> {
  if (generation.warnings.some(({ message }) => message === warning.message)) return generation
  const warnings = [...generation.warnings, warning]
  await db
    .updateTable('chat_history')
    .set({ warnings: JSON.stringify(warnings) })
    .where('id', '=', generation.id)
    .execute()
  return { ...generation, warnings }
}

/** Removes the rows and everything that depends on them; returns the revision of each removal, without rows that are already gone. */
export async function removeGenerations(db: Connection, ids: string[]): Promise<{ id: string; revision: number }[]> {
  const removed: { id: string; revision: number }[] = []
  const removedAt = new Date().toISOString()
  const tasks = await db
    .selectFrom('provider_calls')
    .select('task_id')
    .distinct()
    .where('generation_id', 'in', ids)
    .where('task_id', 'is not', null)
    .execute()
  const former = tasks.map(({ task_id }) => ({ task_id: task_id ?? '', removed_at: removedAt, day: presentDay }))
  if (former.length > 0)
    await db
      .insertInto('former_tasks')
      .values(former)
      .onConflict(conflict => conflict.doNothing())
      .execute()
  for (const id of ids) {
    const revision = await nextRevision(db)
    const row = await db.deleteFrom('chat_history').where('id', '=', id).returning('token_id').executeTakeFirst()
    if (!row) continue
    await db
      .insertInto('removals')
      .values({ generation_id: id, revision, removed_at: removedAt, token_id: row.token_id, day: presentDay })
      .execute()
    removed.push({ id, revision })
  }
  return removed
}

/**
 * One number that grows with every change, taken in the transaction of the change: whoever has seen revision r has seen
 * everything below it.
 */
export async function nextRevision(db: Connection): Promise<number> {
  return Number((await takeRevision.first(db, {}))!.value)
}

const takeRevision = prepare(db =>
  db
    .updateTable('counters')
    .set(({ eb }) => ({ value: eb('value', '+', 1) }))
    .where('name', '=', 'revision')
    .returning('value'),
)

function toColumns(change: GenerationChange): Updateable<ChatHistoryTable> {
  const columns: Updateable<ChatHistoryTable> = {}
  if (change.status !== undefined) columns.status = change.status
  if (change.revisedPrompt !== undefined) columns.revised_prompt = change.revisedPrompt
  if (change.imageUrls !== undefined) columns.image_urls = JSON.stringify(change.imageUrls)
  if (change.failures !== undefined) columns.failures = JSON.stringify(change.failures)
  if (change.error !== undefined) columns.error = change.error === null ? null : JSON.stringify(change.error)
  if (change.charge !== undefined) columns.charge = change.charge
  if (change.cost !== undefined) {
    columns.cost_amount = change.cost?.amount ?? null
    columns.cost_currency = change.cost?.currency ?? null
  }
  if (change.favorite !== undefined) columns.favorite = change.favorite ? 1 : 0
  if (change.tags !== undefined) columns.tags = JSON.stringify(change.tags)
  if (change.ratings !== undefined) {
    const given = Object.values(change.ratings)
    columns.ratings = JSON.stringify(change.ratings)
    columns.stars = Math.max(0, ...given.map(({ stars }) => stars))
    columns.rejected = given.filter(({ isRejected }) => isRejected).length
  }
  if (change.cover !== undefined) columns.cover = change.cover
  if (change.waiting !== undefined) columns.waiting = change.waiting === null ? null : JSON.stringify(change.waiting)
  if (change.cancelRequested !== undefined) columns.cancel_requested = change.cancelRequested ? 1 : 0
  if (change.configId !== undefined) columns.config_id = change.configId
  if (change.finishedAt !== undefined) columns.finished_at = change.finishedAt
  return columns
}
