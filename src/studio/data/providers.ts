import { queryOptions, useQuery } from '@tanstack/react-query'
import type { Provider } from '../../api/providers.ts'
import { api } from './client.ts'

export type { Provider } from '../../api/providers.ts'

export const providersQuery = queryOptions({
  queryKey: ['providers'],
  queryFn: api.providers,
  // Providers change only with the program, and then the page is loaded again.
  staleTime: Number.POSITIVE_INFINITY,
})

const none: readonly Provider[] = []

/** The services that the server knows; none until they are there. */
export const useProviders = (): readonly Provider[] => useQuery(providersQuery).data ?? none

export const useProvider = (id: string): Provider | undefined => useProviders().find(one => one.id === id)
