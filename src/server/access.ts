/** Who may use the server: host and origin rules on a loopback address, a token or the session of one elsewhere. */
import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import { isLoopback, type Settings } from '../settings.ts'
import { readSecret } from '../storage/seal.ts'
import { HttpRefusal } from './errors.ts'

export const sessionCookie = 'webimgui_session'
const sessionSeconds = 30 * 24 * 3600

export interface Access {
  needsToken: boolean
  /** @throws HttpRefusal `forbidden`, `unauthorized` */
  check(request: FastifyRequest): Promise<void>
  /** Slow when it is wrong. @throws HttpRefusal `unauthorized`, `too_many_requests` */
  logIn(token: string, address: string): Promise<{ cookie: string; seconds: number } | undefined>
  logOut(cookie: string | undefined): void
}

/** The token that clients have to show, made and kept at the first start where one is needed; undefined where none is. */
export function accessTokenOf(settings: Settings): string | undefined {
  if (settings.accessToken !== undefined) return settings.accessToken
  if (isLoopback(settings.host)) return undefined
  return keptText(path.join(settings.dataDir, 'access.token'), () => randomBytes(24).toString('base64url'))
}

/** Where people reach the server, without a slash at the end. `port` is the one that is listened on. */
export function addressOf(settings: Settings, port: number) {
  const everywhere = settings.host === '0.0.0.0' || settings.host === '::'
  const host = everywhere ? 'localhost' : settings.host.includes(':') ? `[${settings.host}]` : settings.host
  return settings.publicUrl ?? `http://${host}:${port}`
}

/** What to open in a browser; it logs in by itself where a token is needed. */
export function loginLink(settings: Settings, port: number) {
  const base = addressOf(settings, port)
  const token = accessTokenOf(settings)
  return token === undefined ? `${base}/` : `${base}/login?token=${encodeURIComponent(token)}`
}

export function createAccess(settings: Settings): Access {
  const token = accessTokenOf(settings)
  const names = servedNames(settings)
  const publicOrigin = settings.publicUrl && new URL(settings.publicUrl).origin
  const sessions = token === undefined ? undefined : createSessions(settings, token)
  const slowly = createSlowdown()

  /** May a page of this origin change things in the name of whoever looks at it? */
  function isTrusted(request: FastifyRequest) {
    const { origin, host } = request.headers
    if (origin === undefined) return request.headers['sec-fetch-site'] !== 'cross-site'
    const own = host === undefined ? [] : [`http://${host}`, `https://${host}`]
    return [...own, publicOrigin, ...settings.corsOrigins].includes(origin.toLowerCase())
  }

  return {
    needsToken: token !== undefined,

    async check(request) {
      if (token === undefined) {
        if (!names.has(nameOf(request.headers.host))) {
          const message =
            'This server answers only under localhost and the name in PUBLIC_URL. Set PUBLIC_URL to the address that you use.'
          throw new HttpRefusal('forbidden', message)
        }
        if (changesThings(request) && !isTrusted(request)) throw foreignOrigin()
        return
      }
      if (request.routeOptions.config.isOpen) return
      const given = bearerOf(request)
      if (given !== undefined) {
        if (!isSame(given, token)) await slowly(request.ip)
        return
      }
      if (!sessions?.isValid(request.cookies[sessionCookie])) {
        throw unauthorized('Send the token as "Authorization: Bearer …", or sign in at /login.')
      }
      if (changesThings(request) && !isTrusted(request)) throw foreignOrigin()
    },

    async logIn(given, address) {
      if (token === undefined) return undefined
      if (!isSame(given, token)) await slowly(address)
      return { cookie: sessions?.begin() ?? '', seconds: sessionSeconds }
    },

    logOut(cookie) {
      sessions?.end(cookie)
    },
  }
}

function servedNames({ host, publicUrl }: Settings) {
  const names = ['localhost', '127.0.0.1', '[::1]', host.includes(':') ? `[${host}]` : host]
  if (publicUrl) names.push(new URL(publicUrl).hostname)
  return new Set(names)
}

/** Of a `Host` header, without the port, in lower case. */
function nameOf(host: string | undefined) {
  return (host ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}

function changesThings({ method }: FastifyRequest) {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'
}

export function foreignOrigin() {
  return new HttpRefusal(
    'forbidden',
    'This page may not change things here. Add its origin to CORS_ORIGINS if it should.',
  )
}

function unauthorized(message: string) {
  return new HttpRefusal('unauthorized', message, { 'www-authenticate': 'Bearer realm="webimgui"' })
}

function bearerOf(request: FastifyRequest) {
  const header = request.headers.authorization
  return header === undefined ? undefined : (/^Bearer +(\S+) *$/i.exec(header)?.[1] ?? '')
}

/** Takes the same time wherever the two differ. */
function isSame(given: string, token: string) {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}

/** Wrong tokens of one address are answered later and later; nobody else waits. Always throws. */
function createSlowdown() {
  const forgetAfterMs = 10 * 60_000
  const recent = new Map<string, { count: number; at: number }>()
  let delayed = 0
  return async (address: string): Promise<never> => {
    const now = Date.now()
    for (const [other, { at }] of recent) if (now - at > forgetAfterMs || recent.size > 1000) recent.delete(other)
    const count = (recent.get(address)?.count ?? 0) + 1
    recent.set(address, { count, at: now })
    if (delayed >= 50) throw new HttpRefusal('too_many_requests', 'Too many wrong tokens; wait a little and try again.')
    delayed++
    await pause(Math.min(100 * count, 3000)).finally(() => delayed--)
    throw unauthorized('This token is not the right one. The server shows its login link when it starts.')
  }
}

// ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `<id>.<end in seconds>.<signature>`. Another secret or another token ends every session. */
function createSessions(settings: Settings, token: string) {
  const secret = readSecret(settings.dataDir, settings.secretKey)
  const key = Buffer.from(hkdfSync('sha256', secret, token, 'webimgui session v1', 32))
  const sign = (text: string) => createHmac('sha256', key).update(text).digest('base64url')
  const ended = createEndedSessions(path.join(settings.dataDir, 'ended-sessions'))

  function read(cookie: string | undefined) {
    const parts = /^([\w-]{22})\.(\d{10})\.([\w-]{43})$/.exec(cookie ?? '')
    if (!parts) return undefined
    const [, id = '', end = '', signature = ''] = parts
    const isOurs = isSame(signature, sign(`${id}.${end}`)) && Number(end) * 1000 > Date.now()
    return isOurs ? { id, end: Number(end) } : undefined
  }

  return {
    begin() {
      const text = `${randomBytes(16).toString('base64url')}.${Math.floor(Date.now() / 1000) + sessionSeconds}`
      return `${text}.${sign(text)}`
    },
    isValid(cookie: string | undefined) {
      const session = read(cookie)
      return session !== undefined && !ended.has(session.id)
    },
    end(cookie: string | undefined) {
      const session = read(cookie)
      if (session) ended.add(session.id, session.end)
    },
  }
}

/** Kept in a file, so that a session which was ended stays so after a restart. */
function createEndedSessions(file: string) {
  const isPresent = ([, end]: [string, number]) => end * 1000 > Date.now()
  const ended = new Map(readEnded(file).filter(isPresent))
  return {
    has: (id: string) => ended.has(id),
    add(id: string, end: number) {
      ended.set(id, end)
      const lines = [...ended].filter(isPresent).map(([id, end]) => `${id} ${end}\n`)
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, lines.join(''), { mode: 0o600 })
    },
  }
}

function readEnded(file: string): [string, number][] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
    return lines.map(line => {
      const [id = '', end] = line.split(' ')
      return [id, Number(end)]
    })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** The text of the file, which is made with mode 0600 when it is not there; whole or not at all, whoever starts at the same time. */
function keptText(file: string, make: () => string) {
  mkdirSync(path.dirname(file), { recursive: true })
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(temporary, `${make()}\n`, { mode: 0o600, flag: 'wx' })
  try {
    linkSync(temporary, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    chmodSync(file, 0o600)
  } finally {
    rmSync(temporary, { force: true })
  }
  const text = readFileSync(file, 'utf8').trim()
  if (text === '') throw new Error(`${file} is empty; delete it and start again, then a new one is made.`)
  return text
}
