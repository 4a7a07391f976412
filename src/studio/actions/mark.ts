/** Favourites and tags of several generations at once. */
import type { QueryClient } from '@tanstack/react-query'
import { explain, findGeneration, type Generation, type GenerationChange, putGeneration, request } from '../data/api.ts'
import { t } from '../text/text.ts'
import { toast } from '../ui/toast.tsx'

const atOnce = 4

/** Shown at once; what the server refuses is taken back, and said. */
export async function markGenerations(
  client: QueryClient,
  generations: readonly Generation[],
  changeOf: (generation: Generation) => GenerationChange,
) {
  // As they are by now: another change may be on its way.
  const queue = generations.map(generation => findGeneration(client, generation.id) ?? generation)
  const refusals: unknown[] = []
  for (const generation of queue) putGeneration(client, { ...generation, ...changeOf(generation) })
  async function work() {
    for (let before = queue.shift(); before !== undefined; before = queue.shift()) {
      try {
        const path = `api/history/${encodeURIComponent(before.id)}`
        putGeneration(client, await request<Generation>(path, { method: 'PATCH', body: changeOf(before) }))
      } catch (error) {
        putGeneration(client, before)
        refusals.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  if (refusals.length > 0) {
    toast(t('gallery.changesFailed', { count: refusals.length, reason: explain(refusals[0]) }), { look: 'bad' })
  }
}
