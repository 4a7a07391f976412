/** The steps of a generation beside those of its calls. */
import type { Connection } from '../connection.ts'
import type { Surroundings } from '../generations.ts'
import { createImageRepository } from '../images.ts'
import type { GenerationRecord, ImageRecord, Marks, Message, RatingChange, Ratings } from '../records.ts'
import { createSpendingRepository, type Spent } from '../spending.ts'
import { announceEnd } from './announce.ts'
import { type SettleStep, settle } from './call-steps.ts'
import {
  changeGeneration,
  endGeneration,
  type GenerationChange,
  nextRevision,
  removeGenerations,
} from './generation-rows.ts'

export interface FinishStep {
  generationId: string
  /** The last of its calls, where that is settled with the end. */
  last?: SettleStep
  change: GenerationChange
  /** Stored images whose rows are written with the end. */
  images: readonly ImageRecord[]
  /** The actual costs that replace the reservation of each configuration. */
  spent: { configId: string; spent: Spent | 'keep' }[]
  around: Surroundings
}

export interface Finished {
  generation: GenerationRecord
  /** Files of references in the form that was sent; nobody needs them any more. */
  prepared: string[]
  /** There are messages of its end to send. */
  isAnnounced: boolean
}

/** All calls are settled. To write an end twice changes nothing. Undefined when the generation has gone. */
export async function finish(db: Connection, step: FinishStep): Promise<Finished | undefined> {
  const { generationId, last, change, images, spent, around } = step
  if (last) await settle(db, last)
  const imageUrls = around.images.map(image => `/images/${image.id}`)
  const ended = await endGeneration(db, generationId, { ...change, imageUrls, waiting: null })
  if (!ended) return undefined
  const generation = { ...ended.generation, ...around }
  const repository = createImageRepository(db)
  for (const image of images) await repository.insert(image)
  const prepared = around.references.length > 0 ? await repository.takePrepared(generationId) : []
  const spending = createSpendingRepository(db)
  for (const one of spent) await spending.settle(generationId, one.configId, one.spent)
  const isAnnounced = ended.told !== undefined && (await announceEnd(db, generation, ended.told.callbackUrl))
  return { generation, prepared, isAnnounced }
}

/** Sets what a person marks. False when there is no such generation. */
export async function mark(db: Connection, { id, ratings, ...change }: { id: string } & Marks): Promise<boolean> {
  const merged = ratings && (await mergeRatings(db, id, ratings))
  return (await changeGeneration(db, id, { ...change, ratings: merged })) !== undefined
}

/** Those that it has, with what changes; a picture without stars that is not rejected has none. */
async function mergeRatings(db: Connection, id: string, changes: readonly RatingChange[]): Promise<Ratings> {
  // Taken first, so that no other process reads what is about to change.
  await nextRevision(db)
  const row = await db.selectFrom('chat_history').select('ratings').where('id', '=', id).executeTakeFirst()
  const ratings: Ratings = JSON.parse(row?.ratings ?? '{}')
  for (const { index, ...change } of changes) {
    const before = ratings[index] ?? { stars: 0, isRejected: false }
    const { stars = before.stars, isRejected = before.isRejected } = change
    if (stars > 0 || isRejected) ratings[index] = { stars, isRejected }
    else delete ratings[index]
  }
  return ratings
}

/** Calls that were not sent are not sent any more. */
export async function requestCancel(db: Connection, { id }: { id: string }) {
  await changeGeneration(db, id, { cancelRequested: true })
}

/** Why it does not go on at the moment. */
export async function note(db: Connection, { id, reason }: { id: string; reason: Message | null }) {
  await changeGeneration(db, id, { waiting: reason })
}

/** Was it written? Waits for every other transaction that writes generations, also one in doubt. */
export async function isWritten(db: Connection, { id }: { id: string }): Promise<boolean> {
  await nextRevision(db)
  return (await db.selectFrom('chat_history').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}

/** @returns the ids of those that were there, and the files that belonged to all of them */
export async function remove(db: Connection, { ids }: { ids: string[] }) {
  const images = await createImageRepository(db).ofGenerations(ids)
  const calls = await db
    .selectFrom('provider_calls')
    .select('answer_file')
    .where('generation_id', 'in', ids)
    .where('answer_file', 'is not', null)
    .execute()
  const removed = await removeGenerations(db, ids)
  return {
    ids: removed.map(({ id }) => id),
    images: images.map(({ id, file }) => ({ id, file })),
    answers: calls.map(({ answer_file }) => answer_file ?? ''),
  }
}

/** Does nothing but prove that the database is still this server's. */
export async function confirmOwner(_: Connection) {}
