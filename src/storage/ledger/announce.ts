/**
 * The end of a generation becomes a message to each webhook of its owner, in the transaction of the end: whoever is to be told is told,
 * whatever is killed after it. They are sent outside of the path of a generation (`webhooks/deliverer.ts`).
 */
import { createHash } from 'node:crypto'
import type { Connection } from '../connection.ts'
import { type EventRecord, type EventType, insertDeliveries } from '../deliveries.ts'
import type { GenerationRecord } from '../records.ts'

/** @returns whether there is something to send */
export async function announceEnd(
  db: Connection,
  generation: GenerationRecord,
  callbackUrl: string | null,
): Promise<boolean> {
  const webhooks = await db
    .selectFrom('webhooks')
    .select(['id', 'url'])
    .where('owner_id', '=', generation.ownerId ?? '')
    .where('state', '=', 'active')
    .execute()
  const event = describeEnd(generation)
  const deliveries = webhooks.flatMap(webhook => {
    const url = webhook.url ?? callbackUrl
    return url === null
      ? []
      : [{ id: nameMessage(webhook.id, event), webhookId: webhook.id, url, event, at: event.timestamp }]
  })
  if (deliveries.length === 0) return false
  await insertDeliveries(db, deliveries)
  return true
}

function describeEnd(generation: GenerationRecord): EventRecord {
  const { id, status, provider, model, timestamp, images, failures, error, charge, cost, retryOf } = generation
  return {
    type: chooseType(generation),
    timestamp: generation.finishedAt ?? timestamp,
    generation: {
      ...{ id, status, provider, model, charge, cost, retryOf, requestedAt: timestamp },
      errorCode: error?.code ?? null,
      images: images.map(({ id, index, width, height, bytes, mimeType, sha256 }) => ({
        ...{ id, index, width, height, bytes, mimeType, sha256 },
      })),
      failures: failures.map(({ index, code }) => ({ index, code })),
    },
  }
}

function chooseType({ status, failures }: GenerationRecord): EventType {
  if (status === 'succeeded') return failures.length > 0 ? 'generation.partially_succeeded' : 'generation.succeeded'
  return status === 'cancelled' ? 'generation.cancelled' : 'generation.failed'
}

/**
 * The same for an end that is written twice, which happens where nobody knows whether the first commit counts; another for an end that
 * differs, because a generation that was given up can go on.
 */
function nameMessage(webhookId: string, { type, generation }: EventRecord) {
  const told = [webhookId, type, generation?.id, generation?.charge, generation?.images.map(({ id }) => id)]
  return `msg_${createHash('sha256').update(JSON.stringify(told)).digest('base64url').slice(0, 27)}`
}
