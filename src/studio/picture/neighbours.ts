/** The pictures before and after one, in the order of the gallery it was opened from. */

import { useEffect, useEffectEvent } from 'react'
import { deleted } from '../actions/delete.ts'
import type { Generation, Image } from '../data/generations.ts'
import { type FilterTexts, parseFilter, useHistory } from '../data/history.ts'

export interface Place {
  generation: Generation
  image: Image
}

/** Places left after this one when more are asked for. */
const nearEnd = 15

export function useNeighbours(generation: Generation | undefined, image: Image | undefined, texts: FilterTexts) {
  const history = useHistory(parseFilter(texts))
  const hidden = deleted.use()
  const listed = history.generations.filter(({ id, images }) => images.length > 0 && !hidden.has(id))
  const at = listed.findIndex(({ id }) => id === generation?.id)
  const left = listed.length - at

  const askForMore = useEffectEvent(() => {
    if (history.hasNextPage && !history.isFetching && at >= 0 && left < nearEnd) void history.fetchNextPage()
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: it has to look again after each of these
  useEffect(() => askForMore(), [at, left, history.isFetching])

  if (!generation || !image) return {}
  const own = generation.images.findIndex(({ id }) => id === image.id)
  const within = (step: 1 | -1): Place | undefined => {
    const next = generation.images[own + step]
    return next && { generation, image: next }
  }
  const beside = (step: 1 | -1): Place | undefined => {
    const next = at < 0 ? undefined : listed[at + step]
    const picture = next?.images.at(step === 1 ? 0 : -1)
    return next && picture && { generation: next, image: picture }
  }
  return { previous: within(-1) ?? beside(-1), next: within(1) ?? beside(1) }
}
