/** The history: lists, marks, cancels and removes generations. */

import { invalid, Refusal } from '../errors.ts'
import { deriveThumbnailKeys } from '../images/thumbnails.ts'
import { type HistoryFilter, sortValue } from '../storage/history-filter.ts'
import type { GenerationRecord, Marks } from '../storage/records.ts'
import { hasEnded } from '../storage/records.ts'
import { searchForm } from '../storage/search-text.ts'
import type { GenerationParts } from './parts.ts'
import { retryWhileAway } from './retry-while-away.ts'
import type { Generations, HistoryQuery } from './services.ts'

/** Few enough that others are served between two transactions, however many are deleted. */
const clearedAtOnce = 50

type History = Pick<Generations, 'find' | 'list' | 'count' | 'change' | 'remove' | 'clear' | 'cancel'>

export function createHistory(parts: GenerationParts): History {
  const { store, runner, notifier } = parts

  return {
    async find(id, owner) {
      const generation = await store.generations.find(id)
      const isVisible = generation && (owner === undefined || generation.ownerId === owner)
      return isVisible ? withReason(parts, generation) : undefined
    },

    async list(query) {
      const filter = toFilter(query)
      const items = await store.generations.list({ ...filter, limit: query.limit + 1 })
      const page = items.slice(0, query.limit).map(item => withReason(parts, item))
      const last = page.at(-1)
      return { items: page, nextCursor: items.length > page.length && last ? formatCursor(last, filter.order) : null }
    },

    count: query => store.generations.count(toFilter(query)),

    async change(id, change) {
      await refuseUnknownImages(id, change)
      if (!(await store.ledger.mark({ id, ...change }))) throw missing()
      notifier.notify(id)
      return findGeneration(parts, id)
    },

    async remove(id) {
      const { status } = await findGeneration(parts, id)
      if (!hasEnded(status)) {
        const message = 'This generation is still running. Cancel it or wait for its end, then delete it.'
        throw new Refusal('conflict', message)
      }
      // Two concurrent deletions: for the second one the row is already gone.
      if ((await removeAll([id])) === 0) throw missing()
    },

    async clear(owner) {
      let count = 0
      for (;;) {
        const ids = await store.generations.endedIds(clearedAtOnce, owner)
        if (ids.length === 0) return count
        count += await removeAll(ids)
      }
    },

    async cancel(id) {
      const { status } = await findGeneration(parts, id)
      if (hasEnded(status)) {
        const message = `This generation has ended already (${status}); there is nothing to cancel.`
        throw new Refusal('conflict', message)
      }
      await store.ledger.requestCancel({ id })
      const changed = await findGeneration(parts, id)
      notifier.notify(id)
      runner.cancel(id)
      return changed
    },
  }

  /** A generation whose pictures are still coming may be marked: those that are there. */
  async function refuseUnknownImages(id: string, { cover, ratings = [] }: Marks) {
    const given = ratings.map(({ index }, place) => ({ index, path: `images.${place}.index` }))
    if (typeof cover === 'number') given.push({ index: cover, path: 'cover' })
    if (given.length === 0) return
    const { images } = await findGeneration(parts, id)
    const unknown = given.filter(({ index }) => !images.some(image => image.index === index))
    const message = 'This generation has no picture at that position; `images` of its record lists them.'
    if (unknown.length > 0) throw invalid(unknown.map(({ path }) => ({ path, message })))
  }

  /** How many were there. */
  async function removeAll(ids: string[]): Promise<number> {
    const removed = await store.ledger.remove({ ids })
    // Files are removed after their rows, also when the disk confirms that too late for the client: nothing else names them any more.
    const cleared = retryWhileAway(parts, store.whenDurable, parts.closing).then(() => clearAfter(removed))
    await Promise.all([store.whenDurable(), cleared])
    return removed.ids.length
  }

  async function clearAfter({ ids, images, answers }: RemovedGenerations) {
    for (const id of ids) notifier.notify(id)
    const keys = images.flatMap(({ id, file }) => [file, ...deriveThumbnailKeys(id)])
    for (const key of keys) await parts.removals.make(() => parts.files.remove(key))
    for (const answer of answers) await parts.removals.make(() => parts.removeAnswer(answer))
  }
}

type RemovedGenerations = Awaited<ReturnType<GenerationParts['store']['ledger']['remove']>>

/** @throws Refusal `not_found` */
export async function findGeneration(parts: GenerationParts, id: string): Promise<GenerationRecord> {
  const generation = await parts.store.generations.find(id)
  if (!generation) throw missing()
  return withReason(parts, generation)
}

/** The reason is added here and not read from a row: the generation may be waiting because the database cannot be written. */
function withReason({ waiting }: GenerationParts, generation: GenerationRecord): GenerationRecord {
  const reason = hasEnded(generation.status) ? undefined : waiting.reasonOf(generation.id)
  return reason === undefined ? generation : { ...generation, waiting: reason }
}

export function toFilter<Query extends Omit<HistoryQuery, 'limit'>>(query: Query) {
  const { cursor, q, from, to, sort = 'newest', ...rest } = query
  const order: HistoryFilter['order'] = sort === 'newest' ? undefined : sort
  return {
    ...rest,
    order,
    before: cursor === undefined ? undefined : readCursor(cursor, order),
    words: q === undefined ? undefined : searchForm(q).split(/\s+/).filter(Boolean),
    from: from?.toISOString(),
    to: to?.toISOString(),
  }
}

function formatCursor({ timestamp, id, ratings, cost }: GenerationRecord, order: HistoryFilter['order']) {
  const stars = Math.max(0, ...Object.values(ratings).map(rating => rating.stars))
  const value = sortValue(order, { stars, cost: cost?.amount })
  return Buffer.from(JSON.stringify(value === undefined ? [timestamp, id] : [timestamp, id, value])).toString(
    'base64url',
  )
}

function readCursor(cursor: string, order: HistoryFilter['order']) {
  try {
    const [timestamp, id, value] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    const isSorted = order === 'stars' || order === 'cost'
    const isWhole = isSorted ? Number.isFinite(value) : value === undefined
    if (typeof timestamp === 'string' && typeof id === 'string' && isWhole) return { timestamp, id, value }
  } catch {
    // Falls through to the sentence below.
  }
  throw invalid([
    { path: 'cursor', message: 'The cursor is not one that this server gave out. Start again without it.' },
  ])
}

function missing() {
  return new Refusal('not_found', 'There is no generation with this id; it may have been deleted.')
}
