import { type QueryClient, queryOptions, useQuery } from '@tanstack/react-query'
import type { Model } from '../../api/models.ts'
import { api } from './client.ts'

export type { Model, ModelLife } from '../../api/models.ts'

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: api.models,
  staleTime: 5 * 60_000,
})

const none: readonly Model[] = []

/** Models of the catalogue; none until they are loaded. */
export const useModels = (): readonly Model[] => useQuery(modelsQuery).data ?? none

/** Undefined where the catalogue of the server has no such model. */
export function findModel(models: readonly Model[], id: string | null | undefined): Model | undefined {
  return models.find(model => model.id === id || model.aliases.includes(id ?? ''))
}

export function nameOfModel(models: readonly Model[], id: string): string {
  return findModel(models, id)?.name ?? id
}

/** A refusal told more of a model than was known: where it stands is another now. */
export function modelsChanged(client: QueryClient) {
  void client.invalidateQueries({ queryKey: modelsQuery.queryKey })
}

/** Models whose texts hold every one of the words, by provider, those with a key first. */
export function searchModels(
  models: readonly Model[],
  words: string,
  textsOf: (model: Model) => readonly string[],
  isShown: (model: Model) => boolean,
) {
  const wanted = words.toLowerCase().split(/\s+/)
  const found = models.filter(model => {
    const text = textsOf(model).join(' ').toLowerCase()
    return isShown(model) && wanted.every(word => text.includes(word))
  })
  return Map.groupBy(
    found.toSorted((a, b) => Number(b.configured) - Number(a.configured)),
    model => model.provider,
  )
}
