/** Reads rows of `chat_history`: what people asked for and its fate. They are written by the ledger alone. */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Connection } from './connection.ts'
import {
  countFiltered,
  type HistoryCountFilter,
  type HistoryCounts,
  type HistoryFilter,
  inOrder,
  selectFiltered,
  type WordSearch,
} from './history-filter.ts'
import { toImage } from './images.ts'
import type { Charge, GenerationRecord, GenerationStatus, Message } from './records.ts'
import type { ChatHistoryTable, Tables } from './tables.ts'

/** The second condition is that of a partial index, which parameters do not reach. */
const isUnfinished = sql<boolean>`chat_history.status in ('queued', 'running') and chat_history.status <> 'succeeded'`

/** `reading` answers what may take long, `search` what contains words. */
export function createGenerationRepository(db: Connection, reading: Kysely<Tables>, search?: WordSearch) {
  return {
    async find(id: string): Promise<GenerationRecord | undefined> {
      const rows = await db.selectFrom('chat_history').selectAll().where('id', '=', id).execute()
      return (await withImages(rows, db))[0]
    },

    /** In the order of the filter, at most its `limit`. */
    async list(filter: HistoryFilter): Promise<GenerationRecord[]> {
      const rows =
        search && filter.words && filter.words.length > 0 && filter.order === undefined
          ? await search.find(filter)
          : await inOrder(selectFiltered(reading, filter), filter).execute()
      return withImages(rows, reading)
    },

    count(filter: HistoryCountFilter): Promise<HistoryCounts> {
      return countFiltered(reading, filter)
    },

    async unfinished(owner?: string): Promise<GenerationRecord[]> {
      const rows = await reading
        .selectFrom('chat_history')
        .selectAll()
        .where(isUnfinished)
        .$if(owner !== undefined, query => query.where('token_id', '=', owner!))
        .orderBy('revision')
        .execute()
      return withImages(rows, reading)
    },

    /** Oldest request first. */
    async unfinishedIds(): Promise<string[]> {
      const rows = await db
        .selectFrom('chat_history')
        .select('id')
        .where(isUnfinished)
        .orderBy('timestamp')
        .orderBy('id')
        .execute()
      return rows.map(({ id }) => id)
    },

    /** Unfinished ones that may have pictures whose row is not written: something was sent, and not settled yet. */
    async collectingIds(): Promise<string[]> {
      const rows = await db
        .selectFrom('chat_history')
        .innerJoin('provider_calls', 'provider_calls.generation_id', 'chat_history.id')
        .select('chat_history.id')
        .distinct()
        .where(isUnfinished)
        .where('provider_calls.state', 'not in', ['planned', 'settled'])
        .execute()
      return rows.map(({ id }) => id)
    },

    /** An index holds these alone, so they are read at once: the status after a start needs no thread. */
    async countUnfinished() {
      const rows = await db
        .selectFrom('chat_history')
        .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
        .where(isUnfinished)
        .groupBy('status')
        .execute()
      const count = (status: GenerationStatus) => Number(rows.find(row => row.status === status)?.count ?? 0)
      return { queued: count('queued'), running: count('running') }
    },

    async waiting(): Promise<{ id: string; reason: Message }[]> {
      const rows = await db
        .selectFrom('chat_history')
        .select(['id', 'waiting'])
        .where(isUnfinished)
        .where('waiting', 'is not', null)
        .limit(20)
        .execute()
      return rows.flatMap(({ id, waiting }) => (waiting === null ? [] : [{ id, reason: toReason(waiting) }]))
    },

    /** The newest revision that anything has. */
    async revision(): Promise<number> {
      const row = await reading
        .selectFrom('counters')
        .select('value')
        .where('name', '=', 'revision')
        .executeTakeFirstOrThrow()
      return Number(row.value)
    },

    async changedSince(revision: number, limit: number, owner?: string): Promise<GenerationRecord[]> {
      const rows = await reading
        .selectFrom('chat_history')
        .selectAll()
        .where('revision', '>', revision)
        .$if(owner !== undefined, query => query.where('token_id', '=', owner!))
        .orderBy('revision')
        .limit(limit)
        .execute()
      return withImages(rows, reading)
    },

    async removedSince(revision: number, limit: number, owner?: string): Promise<{ id: string; revision: number }[]> {
      const rows = await reading
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
      const rows = await reading
        .selectFrom('chat_history')
        .select('id')
        .where('status', 'not in', ['queued', 'running'])
        .$if(owner !== undefined, query => query.where('token_id', '=', owner!))
        .limit(limit)
        .execute()
      return rows.map(row => row.id)
    },

    /** Lets a search of words catch up with what changed. */
    async followChanges() {
      await search?.follow()
    },

    /** `before` is a day of `days.ts`. */
    async forgetRemovals(before: number) {
      await db.deleteFrom('removals').where('day', '<', before).execute()
      await db.deleteFrom('former_tasks').where('day', '<', before).execute()
    },
  }

  async function withImages(rows: Selectable<ChatHistoryTable>[], from: Connection): Promise<GenerationRecord[]> {
    const ids = rows.map(row => row.id)
    if (ids.length === 0) return []
    const images = await from
      .selectFrom('images')
      .selectAll()
      .where('generation_id', 'in', ids)
      .orderBy('position')
      .execute()
    const references = await from
      .selectFrom('generation_references')
      .innerJoin('images', 'images.id', 'generation_references.image_id')
      .selectAll('images')
      .select(['generation_references.generation_id as used_by', 'generation_references.position as place'])
      .where('generation_references.generation_id', 'in', ids)
      .orderBy('generation_references.position')
      .execute()
    const requests = await from
      .selectFrom('provider_calls')
      .select(['generation_id', 'provider_request_id'])
      .where('generation_id', 'in', ids)
      .where('provider_request_id', 'is not', null)
      .orderBy('slot')
      .orderBy('attempt')
      .execute()
    const unfinished = rows.filter(({ status }) => status === 'queued' || status === 'running').map(({ id }) => id)
    const calls = unfinished.length === 0 ? [] : await selectCharged(unfinished, from)
    const made = Map.groupBy(images, image => image.generation_id)
    const asked = Map.groupBy(requests, request => request.generation_id)
    const used = Map.groupBy(references, reference => reference.used_by)
    const under = Map.groupBy(calls, call => call.generation_id)
    return rows.map(row => {
      const ofRow = under.get(row.id) ?? []
      const unsent = ofRow.filter(({ state }) => state === 'planned').length
      return {
        ...toBareGeneration(row),
        images: (made.get(row.id) ?? []).map(toImage),
        references: (used.get(row.id) ?? []).map(reference => ({ ...toImage(reference), index: reference.place })),
        providerRequestIds: (asked.get(row.id) ?? []).map(request => request.provider_request_id ?? ''),
        calls: { unsent, sent: ofRow.length - unsent },
      }
    })
  }

  /** Without those that certainly cost nothing. */
  function selectCharged(generationIds: readonly string[], from: Connection) {
    return from
      .selectFrom('provider_calls')
      .select(['generation_id', 'state'])
      .where('generation_id', 'in', generationIds)
      .where(({ eb, or }) => or([eb('state', '!=', 'settled'), eb('charge', '!=', 'none')]))
      .execute()
  }
}

/** The parts of a generation that other tables hold. */
export type Surroundings = Pick<GenerationRecord, 'images' | 'references' | 'providerRequestIds' | 'calls'>

/** The part of a generation that its own row holds. */
export type BareGeneration = Omit<GenerationRecord, keyof Surroundings>

export function toBareGeneration(row: Selectable<ChatHistoryTable>): BareGeneration {
  const urls = JSON.parse(row.image_urls) as string[]
  return {
    id: row.id,
    status: row.status as GenerationStatus,
    prompt: row.prompt,
    revisedPrompt: row.revised_prompt,
    provider: row.provider,
    model: row.model,
    configId: row.config_id,
    ownerId: row.token_id,
    parameters: JSON.parse(row.parameters),
    resolved: row.resolved === null ? null : JSON.parse(row.resolved),
    timestamp: row.timestamp,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
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
    ratings: JSON.parse(row.ratings),
    cover: row.cover,
    retryOf: row.retry_of,
    waiting: row.waiting === null ? null : toReason(row.waiting),
    cancelRequested: row.cancel_requested === 1,
    importedFrom: row.imported_from,
    requestId: row.request_id,
    revision: Number(row.revision),
  }
}

/** Earlier versions stored only the sentence. */
function toReason(text: string): Message {
  return text.startsWith('{') ? JSON.parse(text) : { message: text }
}
