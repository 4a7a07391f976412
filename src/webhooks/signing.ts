/** Signatures and secrets as the Standard Webhooks specification has them (standardwebhooks.com, version 1.0.0). */
import { createHmac, randomBytes } from 'node:crypto'

const prefix = 'whsec_'

/** 32 random bytes; the specification asks for 24 to 64. */
export function newSigningSecret() {
  return prefix + randomBytes(32).toString('base64')
}

export interface SignedHeaders {
  'webhook-id': string
  'webhook-timestamp': string
  'webhook-signature': string
}

/** One signature a secret: a receiver accepts whichever it knows. `atMs` is the time of this try. */
export function signMessage(id: string, atMs: number, body: string, secrets: readonly string[]): SignedHeaders {
  const timestamp = String(Math.floor(atMs / 1000))
  const signatures = secrets.map(secret => {
    const key = Buffer.from(secret.slice(prefix.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}
