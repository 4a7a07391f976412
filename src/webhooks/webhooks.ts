/** What the faces may do with webhooks: who is told of the ends of somebody's generations, and what was sent to whom. */
import { randomBytes, randomUUID } from 'node:crypto'
import { invalid, Refusal } from '../errors.ts'
import type { DeliveryRecord } from '../storage/deliveries.ts'
import type { Seal } from '../storage/secrets/seal.ts'
import type { Store } from '../storage/store.ts'
import type { WebhookRecord } from '../storage/webhooks.ts'
import type { Addresses } from './addresses.ts'
import { retireSecret, sealSecret } from './secrets.ts'
import { newSigningSecret } from './signing.ts'

export interface NewWebhook {
  /** Of whose generations it tells. */
  ownerId: string | null
  /** A named token that becomes the owner in place of the caller. */
  tokenId?: string
  /** Null: it signs what goes to the `callback_url` of requests. */
  url: string | null
  name: string
}

/** Undefined members stay unchanged. */
export interface WebhookChange {
  url?: string
  name?: string
  isActive?: boolean
}

export interface Webhooks {
  /** Newest first. With `owner` only those of that owner; so also below. */
  list(owner?: string): Promise<WebhookRecord[]>
  find(id: string, owner?: string): Promise<WebhookRecord | undefined>
  /** `secret` cannot be retrieved again. @throws Refusal `invalid_request`, `conflict`, `not_found` */
  make(webhook: NewWebhook): Promise<{ webhook: WebhookRecord; secret: string }>
  /** @throws Refusal `invalid_request`, `conflict`, `not_found` */
  change(id: string, change: WebhookChange): Promise<WebhookRecord>
  /** With everything that was sent to it. @throws Refusal `not_found` */
  remove(id: string): Promise<void>
  /** The former secret signs beside the new one for a day. @throws Refusal `not_found` */
  renewSecret(id: string): Promise<{ webhook: WebhookRecord; secret: string }>
  /** Sends a message that tells nothing. @throws Refusal `not_found`, `conflict` */
  test(id: string): Promise<DeliveryRecord>
  /** Newest first. @throws Refusal `invalid_request` */
  deliveries(
    id: string,
    query: { limit: number; cursor?: string },
  ): Promise<{ items: DeliveryRecord[]; nextCursor: string | null }>
  /** Sends one again, whatever became of it. @throws Refusal `not_found`, `conflict` */
  resend(id: string, deliveryId: string): Promise<DeliveryRecord>
  /** Could a request of this owner name this address? @throws Refusal `invalid_request` */
  checkCallback(ownerId: string | null, url: string): Promise<void>
}

/** Each end is one message to each of them. */
const maxPerOwner = 20

export function createWebhooks(parts: {
  store: Store
  seal: Seal
  addresses: Addresses
  /** There is something new to send. */
  wake(): void
}): Webhooks {
  const { store, seal, addresses } = parts

  async function get(id: string): Promise<WebhookRecord> {
    const found = await store.webhooks.find(id)
    if (!found) throw missing()
    return found
  }

  async function getActive(id: string): Promise<WebhookRecord> {
    const found = await get(id)
    if (found.state !== 'active') {
      throw new Refusal('conflict', 'This webhook is switched off, so nothing is sent. Switch it on first.')
    }
    return found
  }

  async function mustBeAllowed(url: string, path: string) {
    const message = await addresses.refusal(url)
    if (message !== undefined) throw invalid([{ path, message }])
  }

  return {
    list: owner => store.webhooks.list(owner),
    find: (id, owner) => store.webhooks.find(id, owner),

    async make({ tokenId, ownerId: callerId, url, name }) {
      const token = tokenId === undefined ? undefined : await store.tokens.find(tokenId)
      // What a token of a user makes is the user's.
      const ownerId = token ? (token.userId ?? token.id) : callerId
      if (tokenId !== undefined && !token) {
        throw invalid([{ path: 'token_id', message: 'There is no token with this id; it may have been revoked.' }])
      }
      if (url !== null) await mustBeAllowed(url, 'url')
      const known = await store.webhooks.list(ownerId ?? '')
      if (known.length >= maxPerOwner) {
        throw new Refusal('conflict', `A token has at most ${maxPerOwner} webhooks. Delete one first.`)
      }
      if (url === null && known.some(one => one.url === null)) {
        const message = 'This token has a webhook for callbacks already. Renew its secret if you have lost it.'
        throw new Refusal('conflict', message)
      }
      const id = randomUUID()
      const secret = newSigningSecret()
      const webhook: WebhookRecord = {
        ...{ id, ownerId, url, name, state: 'active', former: null },
        createdAt: new Date().toISOString(),
        sealedSecret: sealSecret(seal, id, secret),
      }
      await store.webhooks.insert(webhook)
      return { webhook, secret }
    },

    async change(id, { url, name, isActive }) {
      const present = await get(id)
      if (url !== undefined) {
        if (present.url === null) {
          throw new Refusal('conflict', 'This webhook has no address of its own: the requests name theirs.')
        }
        await mustBeAllowed(url, 'url')
      }
      if (isActive && present.sealedSecret === '') {
        throw new Refusal('conflict', 'The secret of this webhook was lost. Renew it, which also switches it on.')
      }
      // Another address is not gone.
      const isMended = url !== undefined && present.state === 'gone'
      const state = isActive === undefined ? (isMended ? 'active' : undefined) : isActive ? 'active' : 'off'
      const changed = await store.webhooks.change(id, { url, name, state })
      if (!changed) throw missing()
      return changed
    },

    async remove(id) {
      if (!(await store.webhooks.remove(id))) throw missing()
    },

    async renewSecret(id) {
      const present = await get(id)
      const secret = newSigningSecret()
      const change = { sealedSecret: sealSecret(seal, id, secret), former: retireSecret(seal, present) }
      const state = present.sealedSecret === '' ? 'active' : undefined
      const webhook = await store.webhooks.change(id, { ...change, state })
      if (!webhook) throw missing()
      return { webhook, secret }
    },

    async test(id) {
      const { url } = await getActive(id)
      if (url === null) {
        throw new Refusal('conflict', 'This webhook has no address of its own: the requests name theirs.')
      }
      const at = new Date().toISOString()
      const delivery = {
        ...{ id: `msg_${randomBytes(20).toString('base64url')}`, webhookId: id, url, at },
        event: { type: 'webhook.test', timestamp: at, generation: null },
      } as const
      await store.deliveries.insert(delivery)
      parts.wake()
      const written = await store.deliveries.find(id, delivery.id)
      if (!written) throw missing()
      return written
    },

    async deliveries(id, { limit, cursor }) {
      const before = cursor === undefined ? undefined : await store.deliveries.find(id, cursor)
      if (cursor !== undefined && !before) {
        const message = 'The cursor is not one that this server gave out. Start again without it.'
        throw invalid([{ path: 'cursor', message }])
      }
      const found = await store.deliveries.list(id, { limit: limit + 1, before })
      const items = found.slice(0, limit)
      return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null }
    },

    async resend(id, deliveryId) {
      await getActive(id)
      const delivery = await store.deliveries.resend(id, deliveryId, new Date().toISOString())
      if (!delivery) throw new Refusal('not_found', 'There is no delivery with this id; they are kept for 30 days.')
      parts.wake()
      return delivery
    },

    async checkCallback(ownerId, url) {
      const known = await store.webhooks.list(ownerId ?? '')
      if (!known.some(one => one.url === null && one.state === 'active')) {
        const message =
          'Nothing could sign what is sent there: this token has no active webhook for callbacks. Make one with POST /api/webhooks and {"url": null}; its answer shows the secret that your receiver checks signatures with.'
        throw invalid([{ path: 'callback_url', message }])
      }
      await mustBeAllowed(url, 'callback_url')
    },
  }
}

function missing() {
  return new Refusal('not_found', 'There is no webhook with this id; it may have been deleted.')
}
