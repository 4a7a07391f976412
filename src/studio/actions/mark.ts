/** Favourites, tags, stars and rejections of several generations at once. */
import type { QueryClient } from '@tanstack/react-query'
import type { GenerationChange } from '../../client/client.ts'
import { api } from '../data/client.ts'
import { findGeneration, type Generation, type Image, putGeneration, showChange } from '../data/generations.ts'
import { explain } from '../text/problems.ts'
import { t } from '../text/text.ts'
import { toast } from '../ui/toast.tsx'
import { forEachSideBySide } from './side-by-side.ts'

/** Shown at once; what the server refuses is taken back, and said. */
export async function markGenerations(
  client: QueryClient,
  generations: readonly Generation[],
  toChange: (generation: Generation) => GenerationChange,
) {
  // The generations as they are by now: another change may be on its way.
  const shown = generations.map(generation => {
    const before = findGeneration(client, generation.id) ?? generation
    const change = toChange(before)
    return { before, change, confirm: showChange(client, before, change) }
  })
  const refused = await forEachSideBySide(shown, async ({ before: { id }, change, confirm }) => {
    try {
      const changed = await inTurn(id, () => api.history.change(id, change))
      confirm()
      putGeneration(client, changed)
    } catch (error) {
      confirm()
      // The changes before and after it stay.
      await api.history.get(id).then(
        present => putGeneration(client, present),
        () => undefined,
      )
      throw error
    }
  })
  const [first] = refused
  if (!first) return
  toast(t('gallery.changesFailed', { count: refused.length, reason: explain(first.error) }), { look: 'bad' })
}

const turns = new Map<string, Promise<unknown>>()

/** One change of a generation after the other, however fast they are made: the last one made is the last one sent. */
function inTurn<Answer>(id: string, send: () => Promise<Answer>): Promise<Answer> {
  const turn = (turns.get(id) ?? Promise.resolve()).then(send, send)
  turns.set(id, turn)
  const end = () => void (turns.get(id) === turn && turns.delete(id))
  turn.then(end, end)
  return turn
}

/** A picture and what it belongs to. */
export interface Place {
  generation: Generation
  image: Image
}

export type Rating = Partial<Pick<Image, 'stars' | 'rejected'>>

/** Stars or rejects each of them. */
export function ratePictures(client: QueryClient, rated: readonly (Place & { rating: Rating })[]) {
  const byGeneration = Map.groupBy(rated, ({ generation }) => generation.id)
  return markGenerations(
    client,
    [...byGeneration.values()].map(([first]) => first!.generation),
    ({ id }) => ({
      images: (byGeneration.get(id) ?? []).map(({ image, rating }) => ({ index: image.index, ...rating })),
    }),
  )
}

export function addTags(client: QueryClient, generations: readonly Generation[], added: readonly string[]) {
  return markGenerations(client, generations, ({ tags }) => ({ tags: [...new Set([...tags, ...added])] }))
}

export function removeTag(client: QueryClient, generations: readonly Generation[], tag: string) {
  return markGenerations(client, generations, ({ tags }) => ({ tags: tags.filter(other => other !== tag) }))
}
