import { type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Configuration } from '../../api/configurations.ts'
import type { ConfigurationChangeInput, NewConfigurationInput } from '../../client/client.ts'
import { api } from './client.ts'
import { modelsQuery } from './models.ts'
import { statusQuery } from './status.ts'

export type { Configuration, ConfigurationTestResult } from '../../api/configurations.ts'

export const configurationsQuery = queryOptions({
  queryKey: ['configurations'],
  queryFn: api.configurations.list,
})

const none: readonly Configuration[] = []

/** None until they are there. */
export const useConfigurations = (): readonly Configuration[] => useQuery(configurationsQuery).data ?? none

/** Stores a new one, or changes the one with `id`. */
export function useSaveConfiguration() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({
      id,
      ...body
    }: (NewConfigurationInput & { id?: undefined }) | (ConfigurationChangeInput & { id: string })) =>
      id === undefined
        ? api.configurations.create(body as NewConfigurationInput)
        : api.configurations.change(id, body as ConfigurationChangeInput),
    onSuccess: () => configurationsChanged(client),
  })
}

export function useRemoveConfiguration() {
  const client = useQueryClient()
  return useMutation({ mutationFn: api.configurations.remove, onSuccess: () => configurationsChanged(client) })
}

/** Some were changed, or brought back by a test. */
export function configurationsChanged(client: QueryClient) {
  return Promise.all(
    [configurationsQuery, modelsQuery, statusQuery].map(({ queryKey }) => client.invalidateQueries({ queryKey })),
  )
}
