/** Webhooks, and what was sent to them. */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { WebhookChangeInput } from '../../client/client.ts'
import { api } from './client.ts'

export type { Delivery, MadeWebhook, Webhook } from '../../api/webhooks.ts'

export const webhooksQuery = queryOptions({ queryKey: ['webhooks'], queryFn: api.webhooks.list })

/** What waits is tried within seconds at first. */
const againMs = 3_000

/** Newest first, a page at a time. */
export function deliveriesQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ['webhook-deliveries', id],
    queryFn: ({ pageParam, signal }) => api.webhooks.deliveries(id, { cursor: pageParam, limit: 20 }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next_cursor ?? undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some(item => item.state === 'pending')) ? againMs : false,
  })
}

/** Answers that hold a secret must not stay in any cache. */
export function useMakeWebhook() {
  const changed = useChanged()
  return useMutation({ mutationFn: api.webhooks.make, onSuccess: changed, gcTime: 0 })
}

export function useRenewSecret() {
  const changed = useChanged()
  return useMutation({ mutationFn: api.webhooks.renewSecret, onSuccess: changed, gcTime: 0 })
}

export function useChangeWebhook() {
  const changed = useChanged()
  return useMutation({
    mutationFn: ({ id, ...body }: WebhookChangeInput & { id: string }) => api.webhooks.change(id, body),
    onSettled: changed,
  })
}

export function useRemoveWebhook() {
  const changed = useChanged()
  return useMutation({ mutationFn: api.webhooks.remove, onSettled: changed })
}

export function useTestWebhook() {
  const changed = useChanged()
  return useMutation({ mutationFn: api.webhooks.test, onSettled: changed })
}

export function useResend(id: string) {
  const changed = useChanged()
  return useMutation({ mutationFn: (deliveryId: string) => api.webhooks.resend(id, deliveryId), onSettled: changed })
}

function useChanged() {
  const client = useQueryClient()
  return () =>
    Promise.all(
      [webhooksQuery.queryKey, ['webhook-deliveries']].map(queryKey => client.invalidateQueries({ queryKey })),
    )
}
