/** Who may use the server: host and origin rules on a loopback address, a token or the session of one elsewhere. */
import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import type { Caller, Services } from '../generation/services.ts'
import { ownerOf } from '../generation/tokens.ts'
import { isLoopback, type Settings } from '../settings.ts'
import type { TokenRecord } from '../storage/records.ts'
import { readSecret } from '../storage/seal.ts'
import type { App } from './app.ts'
import { HttpRefusal } from './errors.ts'
import { idOf, nothingHere } from './ids.ts'

export const sessionCookie = 'webimgui_session'
const sessionSeconds = 30 * 24 * 3600

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
  }
  interface FastifyInstance {
    /** The rule of every route, HEAD included, OPTIONS not. */
    accessRules: readonly RouteRule[]
  }
}

export interface Access {
  needsToken: boolean
  /**
   * Sets `caller`.
   * @throws HttpRefusal `forbidden`, `unauthorized`, `not_allowed`; Refusal `not_found`
   */
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

/** Has to be called before the first route is added. */
export function requireRules(app: App) {
  const rules: RouteRule[] = []
  app.decorate('accessRules', rules)
  app.decorateRequest('caller')
  app.addHook('onRoute', route => {
    // The routes of the reference pages come from a plugin, which takes no rules.
    const access = route.config?.access ?? (/^\/docs(\/|$)/.test(route.url) ? 'member' : undefined)
    const methods = [route.method].flat().filter(method => method !== 'OPTIONS')
    if (methods.length === 0) return
    if (access === undefined) {
      throw new Error(
        `${methods.join(', ')} ${route.url} says not who may use it; give the route "config: { access }".`,
      )
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
  const sessions = token === undefined ? undefined : createSessions(settings, token, id => tokens.find(id))
  const slowly = createSlowdown()

  /** May a page of this origin change things in the name of whoever looks at it? */
  function isTrusted(request: FastifyRequest) {
    const { origin, host } = request.headers
    if (origin === undefined) return request.headers['sec-fetch-site'] !== 'cross-site'
    const own = host === undefined ? [] : [`http://${host}`, `https://${host}`]
    return [...own, publicOrigin, ...settings.corsOrigins].includes(origin.toLowerCase())
  }

  async function check(request: FastifyRequest): Promise<Caller | undefined> {
    if (token === undefined) {
      if (!names.has(nameOf(request.headers.host))) {
        const message =
          'This server answers only under localhost and the name in PUBLIC_URL. Set PUBLIC_URL to the address that you use.'
        throw new HttpRefusal('forbidden', message)
      }
      if (changesThings(request) && !isTrusted(request)) throw foreignOrigin()
      const given = request.routeOptions.config.access === 'open' ? undefined : bearerOf(request)
      // Other programs send any key where none is needed. One of ours has a name and a budget, or had.
      if (given === undefined || !tokens.looksLikeOne(given)) return anybody
      return named(given, request.ip)
    }
    if (request.routeOptions.config.access === 'open') return undefined
    const given = bearerOf(request)
    if (given !== undefined) return isSame(given, token) ? administrator : named(given, request.ip)
    const caller = await sessions?.callerOf(request.cookies[sessionCookie])
    if (!caller) throw unauthorized('Send the token as "Authorization: Bearer …", or sign in at /login.')
    if (changesThings(request) && !isTrusted(request)) throw foreignOrigin()
    return caller
  }

  async function named(given: string, address: string): Promise<Caller> {
    const found = await tokens.identify(given)
    return found ? callerWith(found) : slowly(address)
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

    async check(request) {
      const caller = await check(request)
      if (!caller) return
      request.caller = caller
      await enforce(request, caller)
    },

    async logIn(given, address) {
      if (token === undefined) return undefined
      const { tokenId } = isSame(given, token) ? administrator : await named(given, address)
      return { cookie: sessions?.begin(tokenId) ?? '', seconds: sessionSeconds }
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

/**
 * `<id>.<end in seconds>.<signature>`, with the id of a named token before the signature. Another secret ends every session, another
 * access token those of the old one, and a named token that is revoked its own.
 */
function createSessions(
  settings: Settings,
  token: string,
  findToken: (id: string) => Promise<TokenRecord | undefined>,
) {
  const secret = readSecret(settings.dataDir, settings.secretKey)
  const keyOf = (salt: string) => Buffer.from(hkdfSync('sha256', secret, salt, 'webimgui session v1', 32))
  const key = keyOf(token)
  const namedKey = keyOf('')
  const sign = (text: string, tokenId: string | null) =>
    createHmac('sha256', tokenId === null ? key : namedKey)
      .update(text)
      .digest('base64url')
  const ended = createEndedSessions(path.join(settings.dataDir, 'ended-sessions'))

  function read(cookie: string | undefined) {
    const parts = /^([\w-]{22})\.(\d{10})(?:\.([\w-]{36}))?\.([\w-]{43})$/.exec(cookie ?? '')
    if (!parts) return undefined
    const [text, id = '', end = '', tokenId = null, signature = ''] = parts
    const signed = text.slice(0, -signature.length - 1)
    const isOurs = isSame(signature, sign(signed, tokenId)) && Number(end) * 1000 > Date.now()
    return isOurs ? { id, end: Number(end), tokenId } : undefined
  }

  return {
    begin(tokenId: string | null) {
      const parts = [randomBytes(16).toString('base64url'), Math.floor(Date.now() / 1000) + sessionSeconds]
      const text = (tokenId === null ? parts : [...parts, tokenId]).join('.')
      return `${text}.${sign(text, tokenId)}`
    },
    async callerOf(cookie: string | undefined): Promise<Caller | undefined> {
      const session = read(cookie)
      if (!session || ended.has(session.id)) return undefined
      if (session.tokenId === null) return administrator
      const found = await findToken(session.tokenId)
      return found && callerWith(found)
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
