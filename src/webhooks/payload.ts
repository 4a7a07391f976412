/** The body of a message: members of a generation under the names that the API has for them. No prompt, and no key or token. */
import type { WebhookEvent } from '../api/webhooks.ts'
import type { EventRecord } from '../storage/deliveries.ts'

/** The absolute address of a path such as `/images/{id}`, signed where a token is needed to open it; it ends with the token of its owner. */
export type LinkTo = (path: string, ownerId: string | null) => string

/** Links are made for each try: one that was made a day ago may have expired. */
export function composePayload(
  { type, timestamp, generation }: EventRecord,
  linkTo: (path: string) => string,
): WebhookEvent {
  if (!generation) return { type: 'webhook.test', timestamp, data: {} }
  const images = generation.images.map(({ id, mimeType, ...facts }) => ({
    id,
    url: linkTo(`/images/${encodeURIComponent(id)}`),
    mime_type: mimeType,
    ...facts,
  }))
  return {
    type: type as Exclude<typeof type, 'webhook.test'>,
    timestamp,
    data: {
      id: generation.id,
      status: generation.status as 'succeeded' | 'failed' | 'cancelled',
      provider: generation.provider,
      model: generation.model,
      timestamp: generation.requestedAt,
      finished_at: timestamp,
      image_urls: images.map(({ url }) => url),
      images,
      failures: generation.failures,
      error: generation.errorCode === null ? null : { code: generation.errorCode },
      charge: generation.charge,
      cost: generation.cost,
      retry_of: generation.retryOf,
    },
  }
}
