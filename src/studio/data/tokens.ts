/** Named tokens, and whose the own one is. */
import { type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Me } from '../../api/tokens.ts'
import type { TokenChangeInput } from '../../client/client.ts'
import { api, leaveTo } from './client.ts'
import { usageKey } from './usage.ts'

export type { MadeToken, Me, Token } from '../../api/tokens.ts'

export const meQuery = queryOptions({ queryKey: ['me'], queryFn: api.me })

/** The account that looks at the page; undefined until it is known. */
export const useMe = () => useQuery(meQuery).data

/** Of a user the session at the issuer ends as well, where it offers that. */
export async function signOut(me: Me) {
  await api.signOut()
  leaveTo(me.user ? 'login/leave' : 'login')
}

export const tokensQuery = queryOptions({ queryKey: ['tokens'], queryFn: api.tokens.list })

/** The answer holds its text, which must not stay in any cache. */
export function useMakeToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: api.tokens.make,
    onSuccess: () => client.invalidateQueries({ queryKey: tokensQuery.queryKey }),
    gcTime: 0,
  })
}

export function useChangeToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, ...body }: TokenChangeInput & { id: string }) => api.tokens.change(id, body),
    // The usage shows the name of the token as well, and it may be the own one.
    onSettled: () =>
      Promise.all(
        [tokensQuery.queryKey, usageKey, meQuery.queryKey].map(queryKey => client.invalidateQueries({ queryKey })),
      ),
  })
}

export function useRevokeToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: api.tokens.revoke,
    onSettled: () => client.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  })
}

/** A generation began or ended: what is left of a cap is another now. */
export function spendingChanged(client: QueryClient) {
  const me = client.getQueryData(meQuery.queryKey)
  if (me && (me.monthly_cap ?? me.monthly_images) !== null)
    void client.invalidateQueries({ queryKey: meQuery.queryKey })
  void client.invalidateQueries({ queryKey: usageKey })
}
