/** Rows of `chat_history`: what people asked for and its fate. */
import { type Insertable, type Selectable, sql, type Updateable } from 'kysely'
import type { Connection } from './connection.ts'
import { presentDay } from './days.ts'
import { imageOf } from './images.ts'
import type {
  Charge,
  ErrorRecord,
  FailureRecord,
  GenerationRecord,
  GenerationStatus,
  ImageRecord,
  JsonObject,
  Told,
} from './records.ts'
import type { ChatHistoryTable } from './tables.ts'

export interface NewGeneration {
  id: string
  prompt: string
  timestamp: string
  provider: string
  model: string
  configId: string
  tokenId: string | null
  parameters: JsonObject
  resolved: JsonObject
  warnings: GenerationRecord['warnings']
  retryOf: string | null
  requestId: string
}

export interface GenerationChange {
  status?: GenerationStatus
  revisedPrompt?: string | null
  imageUrls?: string[]
  failures?: FailureRecord[]
  warnings?: GenerationRecord['warnings']
  error?: ErrorRecord | null
  charge?: Charge
  cost?: GenerationRecord['cost']
  favorite?: boolean
  tags?: string[]
  waiting?: Told | null
  cancelRequested?: boolean
  startedAt?: string
  /** Null: it is no longer waiting. */
  finishedAt?: string | null
  configId?: string
}

export interface HistoryFilter {
  limit: number
  before?: { timestamp: string; id: string }
  /** All of these words must occur, in any case. */
  words?: string[]
  provider?: string
  model?: string
  status?: GenerationStatus
  favorite?: boolean
  /** As it was written. */
  tag?: string
  from?: string
  to?: string
  /** Only those that this token asked for. */
  owner?: string
}

const unfinished: GenerationStatus[] = ['queued', 'running']

export function createGenerationRepository(db: Connection) {
  return {
    async insert(generation: NewGeneration) {
      const row: Insertable<ChatHistoryTable> = {
        id: generation.id,
        prompt: generation.prompt,
        image_urls: '[]',
        timestamp: generation.timestamp,
        model: generation.model,
        parameters: JSON.stringify(generation.parameters),
        provider: generation.provider,
        config_id: generation.configId,
        status: 'queued',
        revised_prompt: null,
        resolved: JSON.stringify(generation.resolved),
        warnings: JSON.stringify(generation.warnings),
        failures: '[]',
        error: null,
        charge: 'none',
        cost_amount: null,
        cost_currency: null,
        favorite: 0,
        tags: '[]',
        retry_of: generation.retryOf,
        waiting: null,
        cancel_requested: 0,
        started_at: null,
        finished_at: null,
        request_id: generation.requestId,
        token_id: generation.tokenId,
        search_text: searchText(generation.prompt, null, []),
        revision: await nextRevision(db),
      }
      await db.insertInto('chat_history').values(row).execute()
    },

    async find(id: string): Promise<GenerationRecord | undefined> {
      const rows = await db.selectFrom('chat_history').selectAll().where('id', '=', id).execute()
      return (await withImages(rows))[0]
    },

    /** Newest first; one more than `limit` if there is a next page. */
    async list(filter: HistoryFilter): Promise<GenerationRecord[]> {
      let query = db.selectFrom('chat_history').selectAll()
      const before = filter.before
      if (before) {
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('timestamp', 'id'), '<', tuple(before.timestamp, before.id)),
        )
      }
      for (const word of filter.words ?? []) {
        query = query.where(sql<boolean>`search_text like ${`%${escapeLike(word)}%`} escape '!'`)
      }
      if (filter.provider !== undefined) query = query.where('provider', '=', filter.provider)
      if (filter.model !== undefined) query = query.where('model', '=', filter.model)
      if (filter.status !== undefined) query = query.where('status', '=', filter.status)
      if (filter.favorite !== undefined) query = query.where('favorite', '=', filter.favorite ? 1 : 0)
      if (filter.tag !== undefined) {
        // In a list of JSON an entry follows a comma, here also the first; quotes within an entry are escaped.
        const list = sql<string>`',' || substr(tags, 2)`
        query = query.where(sql<boolean>`replace(${list}, ${`,${JSON.stringify(filter.tag)}`}, '') <> ${list}`)
      }
      if (filter.from !== undefined) query = query.where('timestamp', '>=', filter.from)
      if (filter.to !== undefined) query = query.where('timestamp', '<=', filter.to)
      if (filter.owner !== undefined) query = query.where('token_id', '=', filter.owner)
      const rows = await query.orderBy('timestamp', 'desc').orderBy('id', 'desc').limit(filter.limit).execute()
      return withImages(rows)
    },

    /** Writes the change with a new revision; undefined when there is no such row. */
    async change(id: string, change: GenerationChange): Promise<GenerationRecord | undefined> {
      // Revision and row become visible together, so that a reader of a later revision cannot have missed this one.
      if (!db.isTransaction) {
        return db.transaction().execute(connection => createGenerationRepository(connection).change(id, change))
      }
      const values: Updateable<ChatHistoryTable> = { ...columnsOf(change), revision: await nextRevision(db) }
      await db.updateTable('chat_history').set(values).where('id', '=', id).execute()
      const record = await this.find(id)
      if (record && (change.revisedPrompt !== undefined || change.tags)) {
        const search_text = searchText(record.prompt, record.revisedPrompt, record.tags)
        await db.updateTable('chat_history').set({ search_text }).where('id', '=', id).execute()
      }
      return record
    },

    /** In a transaction: waits for every other that writes generations, also one in doubt, and tells whether this one is there. */
    async isThere(id: string): Promise<boolean> {
      await nextRevision(db)
      return (await db.selectFrom('chat_history').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
    },

    async unfinished(owner?: string): Promise<GenerationRecord[]> {
      const rows = await db
        .selectFrom('chat_history')
        .selectAll()
        .where('status', 'in', unfinished)
        .$if(owner !== undefined, query => query.where('token_id', '=', owner!))
        .orderBy('revision')
        .execute()
      return withImages(rows)
    },

    /** In the order in which they were asked for. */
    async unfinishedIds(): Promise<string[]> {
      const rows = await db
        .selectFrom('chat_history')
        .select('id')
        .where('status', 'in', unfinished)
        .orderBy('timestamp')
        .orderBy('id')
        .execute()
      return rows.map(({ id }) => id)
    },

    async countUnfinished() {
      const rows = await db
        .selectFrom('chat_history')
        .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
        .where('status', 'in', unfinished)
        .groupBy('status')
        .execute()
      const count = (status: GenerationStatus) => Number(rows.find(row => row.status === status)?.count ?? 0)
      return { queued: count('queued'), running: count('running') }
    },

    async waiting(): Promise<{ id: string; reason: Told }[]> {
      const rows = await db
        .selectFrom('chat_history')
        .select(['id', 'waiting'])
        .where('status', 'in', unfinished)
        .where('waiting', 'is not', null)
        .limit(20)
        .execute()
      return rows.flatMap(({ id, waiting }) => (waiting === null ? [] : [{ id, reason: toldOf(waiting) }]))
    },

    /** The newest revision that anything has. */
    async revision(): Promise<number> {
      const row = await db
        .selectFrom('counters')
        .select('value')
        .where('name', '=', 'revision')
        .executeTakeFirstOrThrow()
      return Number(row.value)
    },

    async changedSince(revision: number, limit: number, owner?: string): Promise<GenerationRecord[]> {
      const rows = await db
        .selectFrom('chat_history')
        .selectAll()
        .where('revision', '>', revision)
        .$if(owner !== undefined, query => query.where('token_id', '=', owner!))
        .orderBy('revision')
        .limit(limit)
        .execute()
      return withImages(rows)
    },

    async removedSince(revision: number, limit: number, owner?: string): Promise<{ id: string; revision: number }[]> {
      const rows = await db
        .selectFrom('removals')
        .selectAll()
        .where('revision', '>', revision)
        .$if(owner !== undefined, query => query.where('token_id', '=', owner!))
        .orderBy('revision')
        .limit(limit)
        .execute()
      return rows.map(row => ({ id: row.generation_id, revision: Number(row.revision) }))
    },

    async removalOf(id: string): Promise<number | undefined> {
      const row = await db.selectFrom('removals').select('revision').where('generation_id', '=', id).executeTakeFirst()
      return row && Number(row.revision)
    },

    /** Ids of ended generations, at most `limit`. */
    async endedIds(limit: number, owner?: string): Promise<string[]> {
      const rows = await db
        .selectFrom('chat_history')
        .select('id')
        .where('status', 'not in', unfinished)
        .$if(owner !== undefined, query => query.where('token_id', '=', owner!))
        .limit(limit)
        .execute()
      return rows.map(row => row.id)
    },

    /** Removes the rows and everything that depends on them; returns the revision of each removal, without rows that are already gone. */
    async remove(ids: string[]): Promise<{ id: string; revision: number }[]> {
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
    },

    /** `before` is a day of `days.ts`. */
    async forgetRemovals(before: number) {
      await db.deleteFrom('removals').where('day', '<', before).execute()
      await db.deleteFrom('former_tasks').where('day', '<', before).execute()
    },
  }

  async function withImages(rows: Selectable<ChatHistoryTable>[]): Promise<GenerationRecord[]> {
    const ids = rows.map(row => row.id)
    if (ids.length === 0) return []
    const images = await db
      .selectFrom('images')
      .selectAll()
      .where('generation_id', 'in', ids)
      .orderBy('position')
      .execute()
    const references = await db
      .selectFrom('generation_references')
      .innerJoin('images', 'images.id', 'generation_references.image_id')
      .selectAll('images')
      .select(['generation_references.generation_id as used_by', 'generation_references.position as place'])
      .where('generation_references.generation_id', 'in', ids)
      .orderBy('generation_references.position')
      .execute()
    const requests = await db
      .selectFrom('provider_calls')
      .select(['generation_id', 'provider_request_id'])
      .where('generation_id', 'in', ids)
      .where('provider_request_id', 'is not', null)
      .orderBy('slot')
      .orderBy('attempt')
      .execute()
    const unfinished = rows.filter(({ status }) => status === 'queued' || status === 'running').map(({ id }) => id)
    const calls = unfinished.length === 0 ? [] : await callsOf(unfinished)
    const made = Map.groupBy(images, image => image.generation_id)
    const asked = Map.groupBy(requests, request => request.generation_id)
    const used = Map.groupBy(references, reference => reference.used_by)
    const under = Map.groupBy(calls, call => call.generation_id)
    return rows.map(row => {
      const ofRow = under.get(row.id) ?? []
      const unsent = ofRow.filter(({ state }) => state === 'planned').length
      return recordOf(
        row,
        (made.get(row.id) ?? []).map(imageOf),
        (used.get(row.id) ?? []).map(reference => ({ ...imageOf(reference), index: reference.place })),
        (asked.get(row.id) ?? []).map(request => request.provider_request_id ?? ''),
        { unsent, sent: ofRow.length - unsent },
      )
    })
  }

  /** Without those that certainly cost nothing. */
  function callsOf(generationIds: readonly string[]) {
    return db
      .selectFrom('provider_calls')
      .select(['generation_id', 'state'])
      .where('generation_id', 'in', generationIds)
      .where(({ eb, or }) => or([eb('state', '!=', 'settled'), eb('charge', '!=', 'none')]))
      .execute()
  }
}

/**
 * One number that grows with every change, taken in the transaction of the change: whoever has seen revision r has seen
 * everything below it.
 */
async function nextRevision(db: Connection): Promise<number> {
  const row = await db
    .updateTable('counters')
    .set(({ eb }) => ({ value: eb('value', '+', 1) }))
    .where('name', '=', 'revision')
    .returning('value')
    .executeTakeFirstOrThrow()
  return Number(row.value)
}

function columnsOf(change: GenerationChange): Updateable<ChatHistoryTable> {
  const columns: Updateable<ChatHistoryTable> = {}
  if (change.status !== undefined) columns.status = change.status
  if (change.revisedPrompt !== undefined) columns.revised_prompt = change.revisedPrompt
  if (change.imageUrls !== undefined) columns.image_urls = JSON.stringify(change.imageUrls)
  if (change.failures !== undefined) columns.failures = JSON.stringify(change.failures)
  if (change.warnings !== undefined) columns.warnings = JSON.stringify(change.warnings)
  if (change.error !== undefined) columns.error = change.error === null ? null : JSON.stringify(change.error)
  if (change.charge !== undefined) columns.charge = change.charge
  if (change.cost !== undefined) {
    columns.cost_amount = change.cost?.amount ?? null
    columns.cost_currency = change.cost?.currency ?? null
  }
  if (change.favorite !== undefined) columns.favorite = change.favorite ? 1 : 0
  if (change.tags !== undefined) columns.tags = JSON.stringify(change.tags)
  if (change.waiting !== undefined) columns.waiting = change.waiting === null ? null : JSON.stringify(change.waiting)
  if (change.cancelRequested !== undefined) columns.cancel_requested = change.cancelRequested ? 1 : 0
  if (change.configId !== undefined) columns.config_id = change.configId
  if (change.startedAt !== undefined) columns.started_at = change.startedAt
  if (change.finishedAt !== undefined) columns.finished_at = change.finishedAt
  return columns
}

function recordOf(
  row: Selectable<ChatHistoryTable>,
  images: ImageRecord[],
  references: ImageRecord[],
  providerRequestIds: string[],
  calls: GenerationRecord['calls'],
): GenerationRecord {
  const urls = JSON.parse(row.image_urls) as string[]
  return {
    id: row.id,
    status: row.status as GenerationStatus,
    prompt: row.prompt,
    revisedPrompt: row.revised_prompt,
    provider: row.provider,
    model: row.model,
    configId: row.config_id,
    tokenId: row.token_id,
    parameters: JSON.parse(row.parameters),
    resolved: row.resolved === null ? null : JSON.parse(row.resolved),
    timestamp: row.timestamp,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    images,
    references,
    providerRequestIds,
    // Our own rows always have `resolved`; rows of an old database never do.
    oldImageUrls: row.resolved === null ? urls : [],
    failures: JSON.parse(row.failures),
    warnings: JSON.parse(row.warnings),
    error: row.error === null ? null : JSON.parse(row.error),
    charge: row.charge as Charge,
    cost:
      row.cost_amount === null || row.cost_currency === null
        ? null
        : { amount: row.cost_amount, currency: row.cost_currency },
    favorite: row.favorite === 1,
    tags: JSON.parse(row.tags),
    retryOf: row.retry_of,
    waiting: row.waiting === null ? null : toldOf(row.waiting),
    cancelRequested: row.cancel_requested === 1,
    calls,
    requestId: row.request_id,
    revision: Number(row.revision),
  }
}

/** Earlier versions stored only the sentence. */
function toldOf(text: string): Told {
  return text.startsWith('{') ? JSON.parse(text) : { message: text }
}

/** Normal form of searchable text; search words are normalised the same way. */
export function searchForm(text: string) {
  return text.normalize('NFC').toLowerCase()
}

function searchText(prompt: string, revisedPrompt: string | null, tags: string[]) {
  return searchForm([prompt, revisedPrompt ?? '', ...tags].join('\n'))
}

function escapeLike(word: string) {
  return word.replace(/[!%_]/g, '!$&')
}
