import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

export type { Status } from '../../api/system.ts'

export const statusQuery = queryOptions({ queryKey: ['status'], queryFn: api.status, staleTime: 0 })

export const recentErrorsQuery = queryOptions({
  queryKey: ['status', 'errors'],
  queryFn: api.recentErrors,
  staleTime: 0,
})
