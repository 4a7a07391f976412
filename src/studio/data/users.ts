/** People who log in at an issuer of OpenID Connect. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { UserChangeInput } from '../../client/client.ts'
import { api } from './client.ts'

export type { User } from '../../api/users.ts'

export const usersQuery = queryOptions({ queryKey: ['users'], queryFn: api.users.list })

export function useChangeUser() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, ...body }: UserChangeInput & { id: string }) => api.users.change(id, body),
    onSettled: () => client.invalidateQueries({ queryKey: usersQuery.queryKey }),
  })
}

export function useEndSessions() {
  return useMutation({ mutationFn: api.users.endSessions })
}
