/**
 * Cookies of the login at an issuer: what a login that has begun must remember until the browser comes back, and the token that ends the
 * session at the issuer. Sealed, and sent to the login pages only. They are `Lax`, because the issuer leads the browser back by a link from
 * another site; nothing can be done with them without the answer of the issuer that belongs to them.
 */
import type { FastifyReply } from 'fastify'
import type { Settings } from '../../settings.ts'
import { createSeal, readSecret } from '../../storage/secrets/seal.ts'
import type { Cookies } from '../access/sessions.ts'
import type { Challenge } from './issuer.ts'

export interface PendingLogin extends Challenge {
  /** The issuer that it was begun at. */
  issuer: string
  /** Where to go in the studio. */
  to: string
  /** Milliseconds since 1970. */
  end: number
}

/** For whoever has to find a password first. */
export const pendingSeconds = 15 * 60
/** Logins begun in several tabs. */
const maxPending = 4
/** Browsers keep 4 KiB a cookie. */
const maxCookieBytes = 3800

type CookieReply = Pick<FastifyReply, 'setCookie' | 'clearCookie'>

/** `suffix` tells the cookies of servers on other ports of the same host apart. */
export function createPendingLogins(settings: Settings, prefix: string, suffix: string) {
  const seal = createSeal(readSecret(settings.dataDir, settings.secretKey))
  const base = `webimgui_login_${suffix}_`
  const hintName = `webimgui_hint_${suffix}`
  const options = {
    path: `${prefix}/login`,
    httpOnly: true,
    sameSite: 'lax' as const,
    secure: settings.publicUrl?.startsWith('https:') ?? false,
  }
  /** States that came back already. */
  const used = new Map<string, number>()

  function open(text: string | undefined, place: string): string | undefined {
    try {
      return text === undefined ? undefined : seal.open(text, place)
    } catch {
      return undefined
    }
  }

  function markUsed({ state, end }: PendingLogin): boolean {
    const now = Date.now()
    for (const [other, until] of used) if (until < now) used.delete(other)
    if (used.has(state)) return false
    used.set(state, end)
    return true
  }

  return {
    keep(pending: PendingLogin, cookies: Cookies, reply: CookieReply) {
      const others = Object.keys(cookies).filter(name => name.startsWith(base))
      for (const name of others.slice(maxPending - 1)) reply.clearCookie(name, options)
      const name = base + pending.state.slice(0, 8)
      reply.setCookie(name, seal.seal(JSON.stringify(pending), name), { ...options, maxAge: pendingSeconds })
    },

    /** The login with this state, once; undefined for one that this browser did not begin, and for one that is over. */
    take(state: unknown, cookies: Cookies, reply: CookieReply): PendingLogin | undefined {
      if (typeof state !== 'string' || !/^[\w-]{20,128}$/.test(state)) return undefined
      const name = base + state.slice(0, 8)
      const text = open(cookies[name], name)
      if (text === undefined) return undefined
      const pending: PendingLogin = JSON.parse(text)
      if (pending.state !== state) return undefined
      reply.clearCookie(name, options)
      return pending.end > Date.now() && markUsed(pending) ? pending : undefined
    },

    keepHint(idToken: string, seconds: number, reply: CookieReply) {
      const text = seal.seal(idToken, hintName)
      if (text.length <= maxCookieBytes) reply.setCookie(hintName, text, { ...options, maxAge: seconds })
    },

    takeHint(cookies: Cookies, reply: CookieReply): string | undefined {
      if (cookies[hintName] === undefined) return undefined
      reply.clearCookie(hintName, options)
      return open(cookies[hintName], hintName)
    },
  }
}
