/**
 * Addresses of single pictures that open without a token: for clients that fetch or show a picture and cannot send a header. Each opens one
 * path only, for a time.
 */
import { createHmac, hkdfSync } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../../members/caller.ts'
import type { Settings } from '../../settings.ts'
import { readSecret } from '../../storage/secrets/seal.ts'
import { pathOnly } from '../routing.ts'
import { readAccessToken } from './access-token.ts'
import { isSame } from './sessions.ts'

/** Of 32 bytes in base64url. */
const signatureLength = 43

/** These change the form of a picture, and show nothing else. */
const plainQueries: ReadonlySet<string> = new Set(['download', 'format', 'quality'])

export interface SignedLinks {
  /**
   * The absolute address of `path` (without the path of PUBLIC_URL), such as `/images/{id}`. Signed where a token is needed; elsewhere as
   * it is. The signature counts only on routes that are `opensBySignature`.
   * @param ownerId the user or named token that it is made for, with which it ends
   */
  link(path: string, base: string, ownerId: string | null): string
  /** The link of this request; undefined where it has none. */
  read(request: Pick<FastifyRequest, 'method' | 'url' | 'query'>): ReadLink | undefined
}

export interface ReadLink {
  /** 0 for one that has expired or was changed. */
  secondsLeft: number
  ownerId: string | null
}

const spoiled: ReadLink = { secondsLeft: 0, ownerId: null }

/** Whom a link for this caller names: the token that was sent, because it may end before its user does. */
export function chooseLinkOwner({ user, ownerId }: Caller) {
  return user?.tokenId ?? ownerId
}

/** Where the caller reaches this server, without a slash at the end: PUBLIC_URL, or the host that it asked. */
export function baseFor({ publicUrl }: Pick<Settings, 'publicUrl'>, { headers }: Pick<FastifyRequest, 'headers'>) {
  return publicUrl ?? `http://${headers.host ?? 'localhost'}`
}

/** Another secret, and another access token, end every link. */
export function createSignedLinks(settings: Settings): SignedLinks {
  const token = readAccessToken(settings)
  if (token === undefined) return { link: (path, base) => base + path, read: () => undefined }
  const secret = readSecret(settings.dataDir, settings.secretKey)
  const key = Buffer.from(hkdfSync('sha256', secret, token, 'webimgui picture link v2', 32))
  /** The owner stands before the signature, which covers it. */
  const sign = (path: string, expires: string, owner: string) =>
    owner + createHmac('sha256', key).update(`${path}\n${expires}\n${owner}`).digest('base64url')

  return {
    link(path, base, ownerId) {
      const expires = String(Math.floor(Date.now() / 1000) + settings.imageLinkHours * 3600)
      return `${base}${path}?expires=${expires}&signature=${encodeURIComponent(sign(path, expires, ownerId ?? ''))}`
    },
    read({ method, url, query }) {
      const { expires, signature, ...others } = query as Record<string, unknown>
      if (typeof expires !== 'string' || typeof signature !== 'string') return undefined
      // A recipe holds the prompt, which is more than the picture.
      const isPlain = Object.keys(others).every(name => plainQueries.has(name))
      if ((method !== 'GET' && method !== 'HEAD') || !isPlain || !/^\d{10}$/.test(expires)) return spoiled
      const left = Number(expires) - Math.floor(Date.now() / 1000)
      const ownerId = signature.slice(0, -signatureLength)
      if (left <= 0 || !isSame(signature, sign(pathOnly(url), expires, ownerId))) return spoiled
      return { secondsLeft: left, ownerId: ownerId === '' ? null : ownerId }
    },
  }
}
