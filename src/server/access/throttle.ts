/** Wrong tokens are answered with growing delays, and refused at once when too many of them wait. */
import { setTimeout as sleep } from 'node:timers/promises'
import ipaddr from 'ipaddr.js'
import { HttpRefusal } from '../errors/refusals.ts'

export function unauthorized(message: string) {
  return new HttpRefusal('unauthorized', message, { 'www-authenticate': 'Bearer realm="webimgui"' })
}

/** The reader may be a guest who does not know how the server was started. */
export const wrongToken = {
  en: 'This token is wrong or was revoked. Ask whoever gave it to you for a new one.',
  zh: '令牌不正确，或已被撤销。请向发给您令牌的人索取新的令牌。',
}

/** Resolves after so many ms. */
export type Pause = (ms: number) => Promise<unknown>

/**
 * Wrong tokens of one address are answered with growing delays; nobody else waits. While too many of them wait, a guessable token is
 * not checked: an immediate refusal would distinguish it from the right one, as fast as anybody can ask.
 */
export function createThrottle(pause: Pause = sleep) {
  const forgetAfterMs = 10 * 60_000
  const maxOfOne = 10
  const maxOfAll = 1000
  const recent = new Map<string, { count: number; at: number; waiting: number }>()
  let waiting = 0

  function tooMany() {
    return new HttpRefusal('too_many_requests', 'Too many wrong tokens; wait a moment and try again.')
  }

  return {
    /** @throws HttpRefusal `too_many_requests` */
    admit(address: string) {
      if (waiting >= maxOfAll || (recent.get(clientNetwork(address))?.waiting ?? 0) >= maxOfOne) throw tooMany()
    },

    /** @throws HttpRefusal `unauthorized`, late; `too_many_requests` */
    async refuse(address: string): Promise<never> {
      if (waiting >= maxOfAll) throw tooMany()
      const key = clientNetwork(address)
      const now = performance.now()
      for (const [other, { at, waiting }] of recent) {
        if (waiting === 0 && (now - at > forgetAfterMs || recent.size > maxOfAll)) recent.delete(other)
      }
      const one = recent.get(key) ?? { count: 0, at: now, waiting: 0 }
      // Moves it to the end of the eviction order.
      recent.delete(key)
      recent.set(key, one)
      one.count++
      one.at = now
      one.waiting++
      waiting++
      await pause(Math.min(100 * one.count, 3000)).finally(() => {
        one.waiting--
        waiting--
      })
      throw unauthorized(`${wrongToken.en} ${wrongToken.zh}`)
    },
  }
}

/** The network by which a client is throttled: an IPv4 address, or the /64 of an IPv6 address, because one owner has all of it. */
export function clientNetwork(address: string) {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString()
}
