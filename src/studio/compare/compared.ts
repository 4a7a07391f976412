/** What is compared: the pictures that the address names. */
import { useQueries } from '@tanstack/react-query'
import { ApiError } from '../../client/errors.ts'
import { type Generation, generationQuery, type Image } from '../data/generations.ts'
import { findPlaceImage, formatPlaces, type PlaceName } from '../data/places.ts'

export interface Compared {
  name: PlaceName
  key: string
  generation: Generation
  image: Image
}

/** `gone`: how many of them are not there any more. */
export function useCompared(names: readonly PlaceName[]) {
  const ids = [...new Set(names.map(({ generationId }) => generationId))]
  const queries = useQueries({ queries: ids.map(id => generationQuery(id)) })
  const found = names.flatMap(name => {
    const generation = queries[ids.indexOf(name.generationId)]?.data
    const image = generation && findPlaceImage(generation, name)
    return generation && image ? [{ name, key: formatPlaces([name]), generation, image }] : []
  })
  const failed = queries.find(({ error }) => error && !(error instanceof ApiError && error.status === 404))
  return {
    compared: found,
    isPending: queries.some(({ isPending }) => isPending),
    gone: names.length - found.length,
    error: failed?.error ?? null,
    retry: () => void Promise.all(queries.map(query => query.refetch())),
  }
}
