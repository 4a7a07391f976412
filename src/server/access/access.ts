/** Who may use the server: host and origin rules on a loopback address, a token or the session of one elsewhere. */
import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { EventEmitter } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'
import type { Caller } from '../../accounts/accounts.ts'
import { ownerOf } from '../../accounts/tokens.ts'
import type { Services } from '../../generation/services.ts'
import { faultIn, headerText, isLoopback, type Settings, SettingsError } from '../../settings.ts'
import type { TokenRecord } from '../../storage/records.ts'
import { cleanSecret, readSecret } from '../../storage/secrets/seal.ts'
import { readTextFile } from '../../storage/text-file.ts'
import type { App } from '../fastify.ts'
import { idOf, nothingHere } from '../ids.ts'
import { HttpRefusal } from '../problems.ts'
import { createPace } from './limits.ts'

/** A browser keeps the cookies of all ports of a host together, so each server adds something of its own to this name. */
const cookiePrefix = 'webimgui_session'
const sessionSeconds = 30 * 24 * 3600
/** Of one token: each session that is ended has to be remembered until it would have ended by itself. */
const loginsPerMinute = 30
/** Tokens of so many characters cannot be found by trying; those that the server makes are longer. */
const unguessable = 20

/**
 * Who may use a route. `own generation`, `own image`: a member only where the `:id` of the address names something of its own; of
 * anything else it hears that it is not there.
 */
export type AccessRule = 'open' | 'member' | 'own generation' | 'own image' | 'admin'

export interface RouteRule {
  method: string
  url: string
  access: AccessRule
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route says it; one that does not stops the start. */
    access?: AccessRule
  }
  interface FastifyRequest {
    /** Set as soon as it is known who asks; not at all on open routes. */
    caller: Caller | undefined
    /** Of whoever came with a session. */
    session: Session | undefined
  }
  interface FastifyInstance {
    /** The rule of every route, HEAD included, OPTIONS not. */
    accessRules: readonly RouteRule[]
  }
}

export interface Session {
  id: string
  /** In seconds since 1970. */
  end: number
  /** Null: of the access token of the server. */
  tokenId: string | null
}

export interface Access {
  needsToken: boolean
  /** Is it asked under a name that it serves? Before anything is answered. @throws HttpRefusal `forbidden` */
  checkName(request: Pick<FastifyRequest, 'headers'>): void
  /**
   * Sets `caller`.
   * @throws HttpRefusal `forbidden`, `unauthorized`, `not_allowed`, `too_many_requests`; Refusal `not_found`
   */
  check(request: FastifyRequest): Promise<void>
  /**
   * For answers that last: calls `listener` when the caller may not be here any longer, because its token was revoked or its session
   * ended. The answer stops that.
   */
  onAccessEnd(request: Pick<FastifyRequest, 'caller' | 'session'>, listener: () => void): () => void
  /** Slow when it is wrong. @throws HttpRefusal `unauthorized`, `too_many_requests` */
  logIn(token: string, address: string): Promise<{ cookie: string; seconds: number } | undefined>
  /** The name of the cookie that holds the session. */
  sessionCookie: string
  logOut(cookies: Cookies): void
}

type Cookies = Readonly<Record<string, string | undefined>>

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

/**
 * What to open in a browser. With a token that was made here it logs in by itself: its owner has no other way to learn it. One from the
 * environment is known already, and stays out of what is printed: that ends in the journal of the system or of the container.
 */
export function loginLink(settings: Settings, port: number) {
  const base = addressOf(settings, port)
  if (settings.accessToken !== undefined) return `${base}/login`
  const token = accessTokenOf(settings)
  return token === undefined ? `${base}/` : `${base}/login?token=${encodeURIComponent(token)}`
}

/** Has to be called before the first route is added. */
export function requireRules(app: App) {
  const rules: RouteRule[] = []
  app.decorate('accessRules', rules)
  app.decorateRequest('caller')
  app.decorateRequest('session')
  app.addHook('onRoute', route => {
    // The routes of the reference pages come from a plugin, which takes no rules.
    const access = route.config?.access ?? (/^\/docs(\/|$)/.test(route.url) ? 'member' : undefined)
    const methods = [route.method].flat().filter(method => method !== 'OPTIONS')
    if (methods.length === 0) return
    if (access === undefined) {
      throw new Error(`${methods.join(', ')} ${route.url} has no access rule; give the route "config: { access }".`)
    }
    route.config = { ...route.config, access }
    for (const method of methods) rules.push({ method, url: route.url, access })
  })
}

/** @throws Error on an open route, where nobody asked who it is */
export function callerOf({ caller }: Pick<FastifyRequest, 'caller'>): Caller {
  if (!caller) throw new Error('nobody knows who asks: the route is open')
  return caller
}

const anybody: Caller = { role: 'admin', isKnown: false, tokenId: null, models: null }
const administrator: Caller = { ...anybody, isKnown: true }

function callerWith({ id, role, models }: TokenRecord): Caller {
  return { role, isKnown: true, tokenId: id, models }
}

export function createAccess(
  settings: Settings,
  services: Pick<Services, 'tokens' | 'generations' | 'images'>,
): Access {
  const { tokens } = services
  const token = accessTokenOf(settings)
  const names = servedNames(settings)
  const publicOrigin = settings.publicUrl && new URL(settings.publicUrl).origin
  const sessions = token === undefined ? undefined : createSessions(settings, token)
  const throttle = createSlowdown()
  const logins = createPace(loginsPerMinute)

  function isOwnPage({ headers: { origin, host } }: FastifyRequest) {
    const own = host === undefined ? [] : [`http://${host}`, `https://${host}`]
    return origin !== undefined && [...own, publicOrigin].includes(origin.toLowerCase())
  }

  /** May a page of this origin change things in the name of whoever looks at it? */
  function isTrusted(request: FastifyRequest) {
    const { origin } = request.headers
    if (origin === undefined) return request.headers['sec-fetch-site'] !== 'cross-site'
    return isOwnPage(request) || settings.corsOrigins.includes(origin.toLowerCase())
  }

  /**
   * Is it from a page on a usual development address, which nobody of this server listed? Whatever is being developed there may look and
   * make pictures, which is what those addresses are let in for, but neither delete nor administer.
   */
  function isUnlisted(request: FastifyRequest) {
    const destroys = request.method === 'DELETE' || request.routeOptions.config.access === 'admin'
    const hasOrigin = request.headers.origin !== undefined
    return settings.hasUsualOrigins && destroys && changesThings(request) && hasOrigin && !isOwnPage(request)
  }

  async function check(request: FastifyRequest): Promise<Caller | undefined> {
    const isOpen = request.routeOptions.config.access === 'open'
    const isForeign = changesThings(request) && !isTrusted(request)
    if (token === undefined) {
      if (isForeign) throw foreignOrigin()
      const given = isOpen ? undefined : bearerOf(request)
      // Other programs send any key where none is needed. One of ours has a name and a budget, or had.
      if (given === undefined || !tokens.looksLikeOne(given)) {
        if (isUnlisted(request)) throw foreignOrigin()
        return anybody
      }
      return holderOf(given, request.ip)
    }
    if (isOpen) {
      // A page that signed its visitors in or out would have them use somebody else's token, or none.
      if (isForeign) throw foreignOrigin()
      return undefined
    }
    const given = bearerOf(request)
    if (given !== undefined) return holderOf(given, request.ip)
    request.session = sessions?.find(request.cookies)
    const caller = request.session && (await callerOfSession(request.session))
    if (!caller)
      throw unauthorized(
        'Send the token as "Authorization: Bearer …", or sign in at /login. 请用 Authorization: Bearer 发送令牌，或在 /login 登录。',
      )
    if (isForeign) throw foreignOrigin()
    return caller
  }

  async function callerOfSession({ tokenId }: Session): Promise<Caller | undefined> {
    if (tokenId === null) return administrator
    const found = await tokens.find(tokenId)
    return found && callerWith(found)
  }

  /** @throws HttpRefusal `unauthorized`, late; `too_many_requests` */
  async function holderOf(given: string, address: string): Promise<Caller> {
    // Named tokens have 256 bits, so they are checked before the brute-force delay.
    const found = await tokens.identify(given)
    if (found) return callerWith(found)
    if (token !== undefined) {
      if (token.length < unguessable) throttle.admit(address)
      if (isSame(given, token)) return administrator
    }
    return throttle.refuse(address)
  }

  async function enforce(request: FastifyRequest, caller: Caller) {
    const owner = ownerOf(caller)
    if (owner === undefined) return
    switch (request.routeOptions.config.access) {
      case 'admin':
        throw new HttpRefusal('not_allowed', 'Your token is that of a member. Ask an administrator of this server.')
      case 'own generation':
        if (!(await services.generations.find(idOf(request), owner))) throw nothingHere('generation')
        return
      case 'own image':
        if (!(await services.images.find(idOf(request), owner))) throw nothingHere('image')
    }
  }

  return {
    needsToken: token !== undefined,

    checkName({ headers }) {
      if (token !== undefined || names.has(nameOf(headers.host))) return
      const message =
        'This server answers only under localhost and the name in PUBLIC_URL. Set PUBLIC_URL to the address that you use.'
      throw new HttpRefusal('forbidden', message)
    },

    async check(request) {
      const caller = await check(request)
      if (!caller) return
      request.caller = caller
      await enforce(request, caller)
    },

    async logIn(typed, address) {
      if (token === undefined) return undefined
      const { tokenId } = await holderOf(cleanSecret(typed), address)
      const waitSeconds = logins(tokenId ?? '')
      if (waitSeconds > 0) {
        throw new HttpRefusal('too_many_requests', `This token began many sessions just now; wait ${waitSeconds} s.`, {
          'retry-after': String(waitSeconds),
        })
      }
      return { cookie: sessions?.begin(tokenId) ?? '', seconds: sessionSeconds }
    },

    sessionCookie: sessions?.cookieName ?? cookiePrefix,

    logOut(cookies) {
      for (const session of sessions?.all(cookies) ?? []) sessions?.end(session)
    },

    onAccessEnd({ caller, session }, listener) {
      const tokenId = caller?.tokenId ?? null
      const stops = [
        ...(tokenId === null ? [] : [tokens.whenRevoked(tokenId, listener)]),
        ...(session && sessions ? [sessions.whenEnded(session, listener)] : []),
      ]
      // It may have happened between the check and now.
      if (tokenId !== null) void tokens.find(tokenId).then(found => found ?? listener(), listener)
      return () => {
        for (const stop of stops) stop()
      }
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

/** Undefined without one: any other scheme is meant for somebody on the way, such as a proxy that asks for a password. */
function bearerOf(request: FastifyRequest) {
  const header = request.headers.authorization?.trim() ?? ''
  return /^Bearer(\s|$)/i.test(header) ? cleanSecret(header) : undefined
}

/** Whoever reads it may be a guest of this server, who never sees how it was started. */
export const wrongToken = {
  en: 'This token is wrong or was revoked. Ask whoever gave it to you for a new one.',
  zh: '令牌不正确，或已被撤销。请向发给您令牌的人索取新的令牌。',
}

/** Takes the same time wherever the two differ. */
function isSame(given: string, token: string) {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}

/**
 * Wrong tokens of one address are answered later and later; nobody else waits. While too many of them wait, a token that can be guessed is
 * not looked at: a refusal at once would tell it from the right one, as fast as anybody can ask.
 */
function createSlowdown() {
  const forgetAfterMs = 10 * 60_000
  const maxOfOne = 10
  const maxOfAll = 1000
  const recent = new Map<string, { count: number; at: number; waiting: number }>()
  let waiting = 0

  function tooMany() {
    return new HttpRefusal('too_many_requests', 'Too many wrong tokens; wait a little and try again.')
  }

  return {
    /** @throws HttpRefusal `too_many_requests` */
    admit(address: string) {
      if (waiting >= maxOfAll || (recent.get(neighbourhood(address))?.waiting ?? 0) >= maxOfOne) throw tooMany()
    },

    /** @throws HttpRefusal `unauthorized`, late; `too_many_requests` */
    async refuse(address: string): Promise<never> {
      if (waiting >= maxOfAll) throw tooMany()
      const key = neighbourhood(address)
      const now = performance.now()
      for (const [other, { at, waiting }] of recent) {
        if (waiting === 0 && (now - at > forgetAfterMs || recent.size > maxOfAll)) recent.delete(other)
      }
      const one = recent.get(key) ?? { count: 0, at: now, waiting: 0 }
      // The last to be forgotten.
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

/** IPv6 clients are throttled by /64, the network that one owner has. */
function neighbourhood(address: string) {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString()
}

// ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * `<id>.<end in seconds>.<signature>`, with the id of a named token before the signature. Another secret ends every session, another
 * access token those of the old one, and a named token that is revoked its own.
 */
function createSessions(settings: Settings, token: string) {
  const secret = readSecret(settings.dataDir, settings.secretKey)
  const keyOf = (salt: string) => Buffer.from(hkdfSync('sha256', secret, salt, 'webimgui session v1', 32))
  const key = keyOf(token)
  const namedKey = keyOf('')
  const sign = (text: string, tokenId: string | null) =>
    createHmac('sha256', tokenId === null ? key : namedKey)
      .update(text)
      .digest('base64url')
  // A copy of the data folder on another port has the same secret.
  const address = addressOf(settings, settings.port)
  const instance = Buffer.from(hkdfSync('sha256', secret, address, 'webimgui session cookie v1', 4)).toString('hex')
  const cookieName = `${cookiePrefix}_${instance}`
  const ended = createEndedSessions(path.join(settings.dataDir, 'ended-sessions'))
  const endings = new EventEmitter().setMaxListeners(0)

  /** What the cookie says, unless it is not ours or over. */
  function read(cookie: string | undefined): Session | undefined {
    const parts = /^([\w-]{22})\.(\d{10})(?:\.([\w-]{36}))?\.([\w-]{43})$/.exec(cookie ?? '')
    if (!parts) return undefined
    const [text, id = '', end = '', tokenId = null, signature = ''] = parts
    const signed = text.slice(0, -signature.length - 1)
    const isOurs = isSame(signature, sign(signed, tokenId)) && Number(end) * 1000 > Date.now()
    return isOurs && !ended.has(id) ? { id, end: Number(end), tokenId } : undefined
  }

  /** The signature tells which are ours, so that a session outlives a change of the name of its cookie. */
  function all(cookies: Cookies) {
    return Object.entries(cookies).flatMap(([name, value]) => {
      const session = name.startsWith(cookiePrefix) ? read(value) : undefined
      return session ? [session] : []
    })
  }

  return {
    cookieName,
    all,
    /** The one of the present name before others. */
    find: (cookies: Cookies) => read(cookies[cookieName]) ?? all(cookies)[0],
    begin(tokenId: string | null) {
      const parts = [randomBytes(16).toString('base64url'), Math.floor(Date.now() / 1000) + sessionSeconds]
      const text = (tokenId === null ? parts : [...parts, tokenId]).join('.')
      return `${text}.${sign(text, tokenId)}`
    },
    end({ id, end }: Session) {
      ended.add(id, end)
      endings.emit(id)
    },
    /** Logged out, or its time is over. */
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

const longestTimerMs = 2 ** 31 - 1

/** Ended sessions are kept, also those whose time is over: a clock that is put back must not bring one to life again. */
const maxEnded = 1000

/** Kept in a file, so that a session which was ended stays so after a restart: a line each, and the oldest are left out at the start. */
function createEndedSessions(file: string) {
  const { text, ended } = readEnded(file)
  const kept = [...ended].map(lineOf).join('')
  if (kept !== text) {
    writeFileSync(`${file}.new`, kept, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  return {
    has: (id: string) => ended.has(id),
    add(id: string, end: number) {
      ended.set(id, end)
      mkdirSync(path.dirname(file), { recursive: true })
      appendFileSync(file, lineOf([id, end]), { mode: 0o600 })
    },
  }
}

function lineOf([id, end]: [string, number]) {
  return `${id} ${end}\n`
}

function readEnded(file: string) {
  const ended = new Map<string, number>()
  try {
    const text = readFileSync(file, 'utf8')
    // The last line may be half written.
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
  return tokenIn(file)
}

/** People put one of their own there. @throws SettingsError */
function tokenIn(file: string) {
  const text = readTextFile(file).trim()
  if (text === '') {
    const en = `${file} is empty; delete it and start again, then a new one is made.`
    throw new SettingsError([{ en, zh: `${file} 是空文件；请删除后重新启动，将自动生成新的令牌。` }])
  }
  try {
    return headerText(text)
  } catch (error) {
    throw new SettingsError([faultIn(file, error)], { cause: error })
  }
}
