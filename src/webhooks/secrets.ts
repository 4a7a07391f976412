/** The secrets of a webhook, which are sealed like keys: what signs has to be known in full. */
import { type Seal, SealError } from '../storage/secrets/seal.ts'
import { placesOfWebhook } from '../storage/secrets/seal-check.ts'
import type { WebhookRecord } from '../storage/webhooks.ts'

/** How long a secret signs beside the one that has replaced it, so that a receiver has time to learn the new one. */
export const formerSecretMs = 24 * 3600 * 1000

export function sealSecret(seal: Seal, id: string, secret: string) {
  return seal.seal(secret, placesOfWebhook(id).present)
}

/** The present one, sealed as a former one. Null where it cannot be opened any more. */
export function retireSecret(seal: Seal, { id, sealedSecret }: WebhookRecord): WebhookRecord['former'] {
  const places = placesOfWebhook(id)
  const secret = open(seal, sealedSecret, places.present)
  if (secret === undefined) return null
  return { sealedSecret: seal.seal(secret, places.former), until: new Date(Date.now() + formerSecretMs).toISOString() }
}

/** Those that sign now, the present one first; none where it cannot be opened. */
export function openSecrets(seal: Seal, { id, sealedSecret, former }: WebhookRecord): string[] {
  const places = placesOfWebhook(id)
  const present = open(seal, sealedSecret, places.present)
  if (present === undefined) return []
  const isValid = former !== null && Date.parse(former.until) > Date.now()
  const old = isValid ? open(seal, former.sealedSecret, places.former) : undefined
  return old === undefined ? [present] : [present, old]
}

function open(seal: Seal, sealed: string, place: string): string | undefined {
  try {
    return seal.open(sealed, place)
  } catch (error) {
    if (error instanceof SealError) return undefined
    throw error
  }
}
