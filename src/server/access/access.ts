/** Who may use the server: host and origin rules on a loopback address, a token or session elsewhere. */

import type { FastifyRequest } from 'fastify'
import type { Services } from '../../generation/services.ts'
import type { Caller } from '../../members/caller.ts'
import { restrictTo } from '../../members/tokens.ts'
import { cleanSecret } from '../../operator/setting-values.ts'
import type { Settings } from '../../settings.ts'
import type { TokenRecord } from '../../storage/records.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import { nothingHere, readId } from '../route.ts'
import { readAccessToken } from './access-token.ts'
import { createPace } from './limits.ts'
import { type Cookies, cookiePrefix, createSessions, isSame, type Session, sessionSeconds } from './sessions.ts'
import type { ReadLink, SignedLinks } from './signed-links.ts'
import { createThrottle, type Pause, unauthorized } from './throttle.ts'

/** Sessions per token: each ended session has to be remembered until it would have expired. */
const loginsPerMinute = 30
/** Tokens of this length cannot be guessed; those that the server creates are longer. */
const unguessable = 20

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once the caller is known; not set on open routes. */
    caller: Caller | undefined
    /** Set for callers with a session. */
    session: Session | undefined
    /** Set where a signed link let the caller in: seconds that it stays valid. */
    linkSeconds: number | undefined
  }
}

export interface Access {
  needsToken: boolean
  /** Is the host name one that the server serves? Checked before anything is answered. @throws HttpRefusal `forbidden` */
  checkName(request: Pick<FastifyRequest, 'headers'>): void
  /**
   * Sets `caller`.
   * @throws HttpRefusal `forbidden`, `unauthorized`, `not_allowed`, `too_many_requests`; Refusal `not_found`
   */
  check(request: FastifyRequest): Promise<void>
  /**
   * For long answers: calls `listener` when the caller loses access, because its token was revoked or its session
   * ended. Returns a function that unsubscribes.
   */
  onAccessEnd(request: Pick<FastifyRequest, 'caller' | 'session'>, listener: () => void): () => void
  /** Delayed when it is wrong. @throws HttpRefusal `unauthorized`, `too_many_requests` */
  logIn(token: string, address: string): Promise<{ cookie: string; seconds: number } | undefined>
  /** The name of the cookie that holds the session. */
  sessionCookie: string
  logOut(cookies: Cookies): void
}

/** @throws Error on an open route, where the caller is not determined */
export function getCaller({ caller }: Pick<FastifyRequest, 'caller'>): Caller {
  if (!caller) throw new Error('nobody knows who asks: the route is open')
  return caller
}

const anybody: Caller = { role: 'admin', isKnown: false, ownerId: null, models: null }
const administrator: Caller = { ...anybody, isKnown: true }

function callerWith({ id, role, models }: TokenRecord): Caller {
  return { role, isKnown: true, ownerId: id, models }
}

export function createAccess(
  settings: Settings,
  services: Pick<Services, 'tokens' | 'generations' | 'images' | 'webhooks'>,
  links: SignedLinks,
  pauseBeforeRefusal?: Pause,
): Access {
  const { tokens } = services
  const token = readAccessToken(settings)
  const names = servedNames(settings)
  const publicOrigin = settings.publicUrl && new URL(settings.publicUrl).origin
  const sessions = token === undefined ? undefined : createSessions(settings, token)
  const throttle = createThrottle(pauseBeforeRefusal)
  const logins = createPace(loginsPerMinute)

  function isOwnPage({ headers: { origin, host } }: FastifyRequest) {
    const own = host === undefined ? [] : [`http://${host}`, `https://${host}`]
    return origin !== undefined && [...own, publicOrigin].includes(origin.toLowerCase())
  }

  /** May a page of this origin change things on behalf of its visitor? */
  function isTrusted(request: FastifyRequest) {
    const { origin } = request.headers
    if (origin === undefined) return request.headers['sec-fetch-site'] !== 'cross-site'
    return isOwnPage(request) || settings.corsOrigins.includes(origin.toLowerCase())
  }

  /**
   * Is it a page on a default development address that the operator did not list? Such pages may view and
   * make images, but neither delete nor administer.
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
      const given = isOpen ? undefined : parseBearer(request)
      // Some programs send any key where none is needed. Only our own tokens are checked.
      if (given === undefined || !tokens.looksLikeOne(given)) {
        if (isUnlisted(request)) throw foreignOrigin()
        return anybody
      }
      return identifyHolder(given, request.ip)
    }
    const isPicture = request.routeOptions.config.opensBySignature === true
    const link = isPicture ? links.read(request) : undefined
    if (link && link.secondsLeft > 0 && (await isOpenFor(link))) {
      request.linkSeconds = link.secondsLeft
      return undefined
    }
    if (isOpen) {
      // A foreign page could otherwise sign its visitors in with its own token, or out.
      if (isForeign) throw foreignOrigin()
      return undefined
    }
    const given = parseBearer(request)
    if (given !== undefined) return identifyHolder(given, request.ip)
    request.session = sessions?.find(request.cookies)
    const caller = request.session && (await callerOfSession(request.session))
    if (!caller && link) {
      throw unauthorized(
        'This link has expired, was changed on its way, or the token that made it was revoked. Ask again for the picture. 此链接已过期或不完整，或生成它的令牌已被撤销，请重新获取图片。',
      )
    }
    if (!caller)
      throw unauthorized(
        'Send the token as "Authorization: Bearer …", or sign in at /login. 请用 Authorization: Bearer 发送令牌，或在 /login 登录。',
      )
    if (isForeign) throw foreignOrigin()
    return caller
  }

  /** A link ends with the token that it was made for. */
  async function isOpenFor({ ownerId }: ReadLink) {
    return ownerId === null || (await tokens.isValid(ownerId))
  }

  async function callerOfSession({ ownerId }: Session): Promise<Caller | undefined> {
    if (ownerId === null) return administrator
    const found = await tokens.find(ownerId)
    return found && callerWith(found)
  }

  /** @throws HttpRefusal `unauthorized`, late; `too_many_requests` */
  async function identifyHolder(given: string, address: string): Promise<Caller> {
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
    const owner = restrictTo(caller)
    if (owner === undefined) return
    switch (request.routeOptions.config.access) {
      case 'admin':
        throw new HttpRefusal('not_allowed', 'Your token is that of a member. Ask an administrator of this server.')
      case 'own generation':
        if (!(await services.generations.find(readId(request), owner))) throw nothingHere('generation')
        return
      case 'own image':
        if (!(await services.images.find(readId(request), owner))) throw nothingHere('image')
        return
      case 'own webhook':
        if (!(await services.webhooks.find(readId(request), owner))) throw nothingHere('webhook')
    }
  }

  return {
    needsToken: token !== undefined,

    checkName({ headers }) {
      if (token !== undefined || names.has(parseHostName(headers.host))) return
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
      const { ownerId } = await identifyHolder(cleanSecret(typed), address)
      const waitSeconds = logins(ownerId ?? '')
      if (waitSeconds > 0) {
        throw new HttpRefusal(
          'too_many_requests',
          `This token has just started many sessions; wait ${waitSeconds} s.`,
          {
            'retry-after': String(waitSeconds),
          },
        )
      }
      return { cookie: sessions?.begin(ownerId) ?? '', seconds: sessionSeconds }
    },

    sessionCookie: sessions?.cookieName ?? cookiePrefix,

    logOut(cookies) {
      for (const session of sessions?.all(cookies) ?? []) sessions?.end(session)
    },

    onAccessEnd({ caller, session }, listener) {
      const ownerId = caller?.ownerId ?? null
      const stops = [
        ...(ownerId === null ? [] : [tokens.whenRevoked(ownerId, listener)]),
        ...(session && sessions ? [sessions.whenEnded(session, listener)] : []),
      ]
      // Access may have ended between the check and now.
      if (ownerId !== null) void tokens.find(ownerId).then(found => found ?? listener(), listener)
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

/** The name in a `Host` header: without the port, in lower case. */
function parseHostName(host: string | undefined) {
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

/** Undefined without one: other schemes are meant for something in between, such as a proxy that asks for a password. */
function parseBearer(request: FastifyRequest) {
  const header = request.headers.authorization?.trim() ?? ''
  return /^Bearer(\s|$)/i.test(header) ? cleanSecret(header) : undefined
}
