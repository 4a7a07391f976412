/** Sessions of browsers: signed cookies, and a file of those that were ended. */

import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Settings } from '../../settings.ts'
import { readSecret } from '../../storage/secrets/seal.ts'
import { serverAddress } from './access-token.ts'

/** A browser shares cookies between the ports of a host, so each server adds a suffix of its own to this name. */
export const cookiePrefix = 'webimgui_session'

const tokenSessionSeconds = 30 * 24 * 3600
/** Time to open a link that the operator made on the server's machine. */
const linkSeconds = 5 * 60

export interface Session {
  id: string
  /** Seconds since 1970. */
  end: number
  /** A user or a named token; null: of the access token of the server. */
  ownerId: string | null
  /** Set for a user: the session ends when the user's own number is another. */
  epoch: number | undefined
}

export type Cookies = Readonly<Record<string, string | undefined>>

/** Compares in constant time. */
export function isSame(given: string, token: string) {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}

// ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * `<id>.<end in seconds>.<signature>`, with the id of a named token before the signature, or that of a user and the user's epoch. Another
 * secret ends every session, another access token those of the old one, and a named token that is revoked its own.
 */
export function createSessions(settings: Settings, token: string) {
  const secret = readSecret(settings.dataDir, settings.secretKey)
  const deriveKey = (salt: string) => Buffer.from(hkdfSync('sha256', secret, salt, 'webimgui session v1', 32))
  // Without local login only what the operator's link has begun counts, and nothing that was begun before.
  const key = deriveKey(settings.disableLocalLogin ? `${token}\nby link` : token)
  const namedKey = deriveKey('')
  const sign = (text: string, ownerId: string | null) =>
    createHmac('sha256', ownerId === null ? key : namedKey)
      .update(text)
      .digest('base64url')
  // The port is part of it, because a copy of the data folder on another port has the same secret.
  const address = serverAddress(settings, settings.port)
  const instance = Buffer.from(hkdfSync('sha256', secret, address, 'webimgui session cookie v1', 4)).toString('hex')
  const cookieName = `${cookiePrefix}_${instance}`
  const ended = createEndedSessions(path.join(settings.dataDir, 'ended-sessions'))
  const endings = new EventEmitter().setMaxListeners(0)

  /** The session of the cookie, unless it is foreign or expired. */
  function read(cookie: string | undefined): Session | undefined {
    const parts = /^([\w-]{22})\.(\d{10})(?:\.([\w-]{36})(?:\.(\d{1,9}))?)?\.([\w-]{43})$/.exec(cookie ?? '')
    if (!parts) return undefined
    const [text, id = '', end = '', ownerId = null, epoch, signature = ''] = parts
    const signed = text.slice(0, -signature.length - 1)
    const isOurs = isSame(signature, sign(signed, ownerId)) && Number(end) * 1000 > Date.now()
    if (!isOurs || ended.has(id)) return undefined
    return { id, end: Number(end), ownerId, epoch: epoch === undefined ? undefined : Number(epoch) }
  }

  /** Our cookies are recognised by their signature, so that a session survives a change of the cookie's name. */
  function all(cookies: Cookies) {
    return Object.entries(cookies).flatMap(([name, value]) => {
      const session = name.startsWith(cookiePrefix) ? read(value) : undefined
      return session ? [session] : []
    })
  }

  return {
    cookieName,
    all,
    /** The cookie with the current name first. */
    find: (cookies: Cookies) => read(cookies[cookieName]) ?? all(cookies)[0],
    begin(ownerId: string | null, user?: { epoch: number; seconds: number }) {
      const { seconds = tokenSessionSeconds, epoch } = user ?? {}
      const text = [...stamp(seconds), ownerId, epoch].filter(part => part !== null && part !== undefined).join('.')
      return { cookie: `${text}.${sign(text, ownerId)}`, seconds }
    },
    /** Begins the session of a link that the operator made, once. */
    beginByLink(link: string) {
      const [text = '', id = '', end = '', signature = ''] = /^([\w-]{22})\.(\d{10})\.([\w-]{43})$/.exec(link) ?? []
      const isOurs = text !== '' && isSame(signature, signLink(secret, `${id}.${end}`))
      if (!isOurs || Number(end) * 1000 < Date.now() || ended.has(id)) return undefined
      ended.add(id, Number(end))
      return this.begin(null)
    },
    end({ id, end }: Session) {
      ended.add(id, end)
      endings.emit(id)
    },
    /** Logged out or expired. */
    whenEnded({ id, end }: Session, listener: () => void) {
      endings.on(id, listener)
      const timer = setTimeout(listener, Math.min(end * 1000 - Date.now(), longestTimerMs)).unref()
      if (ended.has(id)) listener()
      return () => {
        endings.off(id, listener)
        clearTimeout(timer)
      }
    },
  }
}

/** Logs in once, as the administrator: for whoever has the data folder, while no token starts a session. */
export function makeLoginLink(settings: Settings): string {
  const text = stamp(linkSeconds).join('.')
  return `${text}.${signLink(readSecret(settings.dataDir, settings.secretKey), text)}`
}

function signLink(secret: string, text: string) {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'webimgui login link v1', 32))
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** An id of its own, and when it ends, in seconds. */
function stamp(seconds: number) {
  return [randomBytes(16).toString('base64url'), Math.floor(Date.now() / 1000) + seconds]
}

const longestTimerMs = 2 ** 31 - 1

/** Ended sessions are kept even after they expire: a clock that is put back must not revive one. */
const maxEnded = 1000

/** Stored in a file, one per line, so that an ended session stays ended after a restart; the oldest are dropped at the start. */
function createEndedSessions(file: string) {
  const { text, ended } = readEnded(file)
  const kept = [...ended].map(formatLine).join('')
  if (kept !== text) {
    writeFileSync(`${file}.new`, kept, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  return {
    has: (id: string) => ended.has(id),
    add(id: string, end: number) {
      ended.set(id, end)
      mkdirSync(path.dirname(file), { recursive: true })
      appendFileSync(file, formatLine([id, end]), { mode: 0o600 })
    },
  }
}

function formatLine([id, end]: [string, number]) {
  return `${id} ${end}\n`
}

function readEnded(file: string) {
  const ended = new Map<string, number>()
  try {
    const text = readFileSync(file, 'utf8')
    // The last line may be incomplete.
    const lines = [...text.matchAll(/^([\w-]{22}) (\d{10})\n/gm)]
    for (const [index, [, id = '', end]] of lines.entries()) {
      if (Number(end) * 1000 > Date.now() || index >= lines.length - maxEnded) ended.set(id, Number(end))
    }
    return { text, ended }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { text: '', ended }
    throw error
  }
}
