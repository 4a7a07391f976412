/** Favourites and tags of several generations at once. */
import type { QueryClient } from '@tanstack/react-query'
import type { GenerationChange } from '../../client/client.ts'
import { api } from '../data/client.ts'
import { findGeneration, type Generation, putGeneration } from '../data/generations.ts'
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
  const known = generations.map(generation => findGeneration(client, generation.id) ?? generation)
  for (const generation of known) putGeneration(client, { ...generation, ...toChange(generation) })
  const refused = await forEachSideBySide(known, async before => {
    putGeneration(client, await api.history.change(before.id, toChange(before)))
  })
  for (const { item } of refused) putGeneration(client, item)
  const [first] = refused
  if (!first) return
  toast(t('gallery.changesFailed', { count: refused.length, reason: explain(first.error) }), { look: 'bad' })
}

export function addTags(client: QueryClient, generations: readonly Generation[], added: readonly string[]) {
  return markGenerations(client, generations, ({ tags }) => ({ tags: [...new Set([...tags, ...added])] }))
}

export function removeTag(client: QueryClient, generations: readonly Generation[], tag: string) {
  return markGenerations(client, generations, ({ tags }) => ({ tags: tags.filter(other => other !== tag) }))
}
