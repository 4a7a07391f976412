/** The pictures before and after one, in the order of the gallery it was opened from. */

import { useEffect, useEffectEvent, useRef } from 'react'
import { deleted } from '../actions/delete.ts'
import type { Place } from '../actions/mark.ts'
import type { Generation, Image } from '../data/generations.ts'
import { type FilterTexts, parseFilter, useHistory } from '../data/history.ts'

/** Generations left after this one when more are asked for. */
const nearEnd = 15

export function useNeighbours(generation: Generation | undefined, image: Image | undefined, texts: FilterTexts) {
  const history = useHistory(parseFilter(texts))
  const hidden = deleted.use()
  const listed = history.generations.filter(({ id, images }) => images.length > 0 && !hidden.has(id))
  const own = listed.findIndex(({ id }) => id === generation?.id)
  const left = listed.length - own

  const askForMore = useEffectEvent(() => {
    if (history.hasNextPage && !history.isFetching && own >= 0 && left < nearEnd) void history.fetchNextPage()
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: it has to look again after each of these
  useEffect(() => askForMore(), [own, left, history.isFetching])

  const around = own < 0 ? (generation ? [generation] : []) : listed
  const places = around.flatMap(generation => generation.images.map((image): Place => ({ generation, image })))
  const at = places.findIndex(place => place.image.id === image?.id)

  // Where the keys have led, which the page has not drawn yet: a fast press goes on from there.
  const coming = useRef<string[]>([])
  useEffect(() => {
    coming.current = coming.current.slice(coming.current.indexOf(image?.id ?? '') + 1 || coming.current.length)
  }, [image?.id])

  function step(by: 1 | -1): Place | undefined {
    const last = coming.current.at(-1)
    const from = last === undefined ? at : places.findIndex(place => place.image.id === last)
    const next = from < 0 ? undefined : places[from + by]
    if (next) coming.current.push(next.image.id)
    return next
  }

  return { places, at, previous: at < 0 ? undefined : places[at - 1], next: at < 0 ? undefined : places[at + 1], step }
}
