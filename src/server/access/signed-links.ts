/**
 * Addresses of single pictures that open without a token: for clients that fetch or show a picture and cannot send a header. Each opens one
 * path only, for a time.
 */
import { createHmac, hkdfSync } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Settings } from '../../settings.ts'
import { readSecret } from '../../storage/secrets/seal.ts'
import { pathOnly } from '../routing.ts'
import { readAccessToken } from './access-token.ts'
import { isSame } from './sessions.ts'

/** These change the form of a picture, and show nothing else. */
const plainQueries: ReadonlySet<string> = new Set(['download', 'format', 'quality'])

export interface SignedLinks {
  /**
   * The absolute address of `path` (without the path of PUBLIC_URL), such as `/images/{id}`. Signed where a token is needed; elsewhere as
   * it is. The signature counts only on routes that are `opensBySignature`.
   */
  link(path: string, base: string): string
  /** Seconds that the link of this request stays valid; 0 for one that has expired or was changed, undefined where it has none. */
  secondsLeft(request: Pick<FastifyRequest, 'method' | 'url' | 'query'>): number | undefined
}

/** Where the caller reaches this server, without a slash at the end: PUBLIC_URL, or the host that it asked. */
export function baseFor({ publicUrl }: Pick<Settings, 'publicUrl'>, { headers }: Pick<FastifyRequest, 'headers'>) {
  return publicUrl ?? `http://${headers.host ?? 'localhost'}`
}

/** Another secret, and another access token, end every link. */
export function createSignedLinks(settings: Settings): SignedLinks {
  const token = readAccessToken(settings)
  if (token === undefined) return { link: (path, base) => base + path, secondsLeft: () => undefined }
  const secret = readSecret(settings.dataDir, settings.secretKey)
  const key = Buffer.from(hkdfSync('sha256', secret, token, 'webimgui picture link v1', 32))
  const sign = (path: string, expires: string) =>
    createHmac('sha256', key).update(`${path}\n${expires}`).digest('base64url')

  return {
    link(path, base) {
      const expires = String(Math.floor(Date.now() / 1000) + settings.imageLinkHours * 3600)
      return `${base}${path}?expires=${expires}&signature=${sign(path, expires)}`
    },
    secondsLeft({ method, url, query }) {
      const { expires, signature, ...others } = query as Record<string, unknown>
      if (typeof expires !== 'string' || typeof signature !== 'string') return undefined
      // A recipe holds the prompt, which is more than the picture.
      const isPlain = Object.keys(others).every(name => plainQueries.has(name))
      if ((method !== 'GET' && method !== 'HEAD') || !isPlain || !/^\d{10}$/.test(expires)) return 0
      const left = Number(expires) - Math.floor(Date.now() / 1000)
      return left > 0 && isSame(signature, sign(pathOnly(url), expires)) ? left : 0
    },
  }
}
