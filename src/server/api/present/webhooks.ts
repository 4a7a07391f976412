/** Webhooks and what was sent to them. */

import type { Delivery, Webhook } from '../../../api/webhooks.ts'
import type { Caller } from '../../../members/caller.ts'
import type { DeliveryRecord } from '../../../storage/deliveries.ts'
import type { WebhookRecord } from '../../../storage/webhooks.ts'

export function presentWebhook({ id, ownerId, url, name, state, createdAt, former }: WebhookRecord): Webhook {
  const isValid = former !== null && Date.parse(former.until) > Date.now()
  return {
    ...{ id, url, name, state, token_id: ownerId, created_at: createdAt },
    former_secret_until: isValid ? former.until : null,
  }
}

/** What answers inside of the operator's network is for administrators: a member could read there what nobody meant for it. */
export function presentDelivery(
  { id, webhookId, generationId, url, event, state, tries, dueAt, createdAt }: DeliveryRecord,
  { role }: Caller,
): Delivery {
  return {
    ...{ id, url, state, type: event.type, webhook_id: webhookId, generation_id: generationId },
    created_at: createdAt,
    next_try_at: dueAt,
    tries: tries.map(({ at, durationMs, status, error, answer, isInside }) => ({
      ...{ at, status, error, duration_ms: durationMs },
      answer: isInside && role === 'member' ? null : answer,
    })),
  }
}
