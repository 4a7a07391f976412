/** The pictures that are gone through, and where somebody is: known at once, so that no key is lost however fast they come. */
import { useEffect, useRef, useState } from 'react'
import type { Place } from '../actions/mark.ts'
import { type HistoryFilter, isMeant, type useHistory } from '../data/history.ts'

/** Places left after this one when more are asked for. */
const nearEnd = 40

type History = ReturnType<typeof useHistory>

/** `startId`: the picture to begin with. */
export function useSequence(
  history: History,
  filter: HistoryFilter,
  hidden: ReadonlySet<string>,
  startId: string | undefined,
) {
  // What was there stays, also when a mark takes it out of the filter.
  const wasMeant = useRef(new Map<string, boolean>())
  const places = history.generations
    .filter(({ id }) => !hidden.has(id))
    .flatMap(generation => generation.images.map((image): Place => ({ generation, image })))
    .filter(({ image }) => {
      const known = wasMeant.current.get(image.id) ?? isMeant(image, filter)
      wasMeant.current.set(image.id, known)
      return known
    })
  const latest = useRef(places)
  latest.current = places
  const id = useRef(startId)
  /** Steps beyond what is loaded. */
  const owed = useRef(0)
  const [shownId, setShownId] = useState(startId)

  const indexOf = (wanted: string | undefined) => latest.current.findIndex(({ image }) => image.id === wanted)
  const present = () => Math.max(0, indexOf(id.current))

  function goTo(wanted: string) {
    owed.current = 0
    id.current = wanted
    setShownId(wanted)
  }

  function go(step: number) {
    const wanted = present() + step
    const last = latest.current.length - 1
    const next = latest.current[Math.min(last, Math.max(0, wanted))]
    if (!next) return
    goTo(next.image.id)
    if (wanted > last && history.hasNextPage) owed.current = wanted - last
  }

  const at = Math.max(0, indexOf(shownId))
  // The one to begin with may stand on a later page; the place of none is the first.
  const isMissing = startId !== undefined && indexOf(startId) < 0 && shownId === startId
  const isLooking = isMissing && history.hasNextPage
  const needsMore = history.hasNextPage && !history.isFetching && (isLooking || places.length - at < nearEnd)
  const { fetchNextPage } = history
  useEffect(() => {
    if (needsMore) void fetchNextPage()
  }, [needsMore, fetchNextPage])
  const { length } = places
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is owed is paid when there are more
  useEffect(() => {
    if (owed.current > 0) go(owed.current)
  }, [length])

  return {
    places,
    at,
    place: places[at],
    isLooking,
    go,
    goTo,
    /** The picture that the last key led to, as it is now. */
    current: () => latest.current[present()],
  }
}
