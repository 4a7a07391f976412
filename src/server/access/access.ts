/** Who may use the server: host and origin rules on a loopback address, a token or session elsewhere. */

import type { FastifyRequest } from 'fastify'
import type { Services } from '../../generation/services.ts'
import type { Caller } from '../../members/caller.ts'
import { restrictTo } from '../../members/tokens.ts'
import { type AdmittedUser, callerOfUser } from '../../members/users.ts'
import { cleanSecret } from '../../operator/setting-values.ts'
import type { Settings } from '../../settings.ts'
import type { TokenRecord } from '../../storage/records.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import { nothingHere, readId } from '../route.ts'
import { readAccessToken } from './access-token.ts'
import { createPace } from './limits.ts'
import { type Cookies, cookiePrefix, createSessions, isSame, type Session } from './sessions.ts'
import type { ReadLink, SignedLinks } from './signed-links.ts'
import { createThrottle, type Pause, unauthorized } from './throttle.ts'

/** Sessions per token or user: each ended session has to be remembered until it would have expired. */
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
   * For long answers: calls `listener` when the caller loses access or its role, because its token was revoked, its session
   * ended, or its user changed. Returns a function that unsubscribes.
   */
  onAccessEnd(request: Pick<FastifyRequest, 'caller' | 'session'>, listener: () => void): () => void
  /** Delayed when it is wrong. @throws HttpRefusal `unauthorized`, `too_many_requests` */
  logIn(token: string, address: string): Promise<Begun | undefined>
  /** For somebody whom the issuer has just let in. @throws HttpRefusal `too_many_requests` */
  logInUser(user: AdmittedUser): Begun
  /** With the link that `webimgui login-link` printed; undefined when it is used up, expired or changed. */
  logInByLink(link: string): Begun | undefined
  /** The name of the cookie that holds the session. */
  sessionCookie: string
  /** Is one of these cookies a session that has not ended? */
  hasSession(cookies: Cookies): boolean
  logOut(cookies: Cookies): void
}

/** A session, as its cookie. */
export interface Begun {
  cookie: string
  seconds: number
}

/** @throws Error on an open route, where the caller is not determined */
export function getCaller({ caller }: Pick<FastifyRequest, 'caller'>): Caller {
  if (!caller) throw new Error('nobody knows who asks: the route is open')
  return caller
}

const anybody: Caller = { role: 'admin', isKnown: false, ownerId: null, models: null }
const administrator: Caller = { ...anybody, isKnown: true }

export function createAccess(
  settings: Settings,
  services: Pick<Services, 'tokens' | 'users' | 'generations' | 'images' | 'webhooks'>,
  links: SignedLinks,
  pauseBeforeRefusal?: Pause,
): Access {
  const { tokens, users } = services
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
    const { access } = request.routeOptions.config
    const destroys = request.method === 'DELETE' || access === 'admin' || access === 'own tokens'
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

  /** A link ends with the token or the user that it was made for. */
  async function isOpenFor({ ownerId }: ReadLink) {
    if (ownerId === null) return true
    const holder = await tokens.findHolder(ownerId)
    // A token of nobody's own opens by itself; that of a user while the user is let in.
    if (holder === null) return true
    return (await users.findAdmitted(holder ?? ownerId)) !== undefined
  }

  async function callerOfSession({ ownerId, epoch }: Session): Promise<Caller | undefined> {
    if (ownerId === null) return administrator
    if (epoch !== undefined) {
      const user = await users.findAdmitted(ownerId)
      return user?.sessionEpoch === epoch ? callerOfUser(user) : undefined
    }
    const found = settings.disableLocalLogin ? undefined : await tokens.find(ownerId)
    return found && callerWith(found)
  }

  /** Undefined where the token is that of a user who is disabled, or no longer let in. */
  async function callerWith(found: TokenRecord): Promise<Caller | undefined> {
    const { id, role, models, userId } = found
    if (userId === null) return { role, isKnown: true, ownerId: id, models }
    const user = await users.findAdmitted(userId)
    return user && callerOfUser(user, found)
  }

  /** @throws HttpRefusal `unauthorized`, late; `too_many_requests` */
  async function identifyHolder(given: string, address: string): Promise<Caller> {
    // Named tokens have 256 bits, so they are checked before the brute-force delay.
    const found = await tokens.identify(given)
    const caller = found && (await callerWith(found))
    if (caller) return caller
    if (token !== undefined) {
      if (token.length < unguessable) throttle.admit(address)
      if (isSame(given, token)) return administrator
    }
    return throttle.refuse(address)
  }

  /** @throws HttpRefusal `too_many_requests` */
  function slowDown(id: string) {
    const waitSeconds = logins(id)
    if (waitSeconds === 0) return
    throw new HttpRefusal('too_many_requests', `Too many sessions have just begun; wait ${waitSeconds} s.`, {
      'retry-after': String(waitSeconds),
    })
  }

  async function enforce(request: FastifyRequest, caller: Caller) {
    const owner = restrictTo(caller)
    if (owner === undefined) return
    switch (request.routeOptions.config.access) {
      case 'admin':
        throw forAdministrators()
      case 'own tokens':
        // A token that could make others would outlive its being revoked.
        if (request.caller?.user?.tokenId !== null) throw forAdministrators()
        return
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
      if (!sessions) return undefined
      if (settings.disableLocalLogin) {
        throw new HttpRefusal(
          'not_allowed',
          'Tokens start no session here: DISABLE_LOCAL_LOGIN is set. Log in at /login, or send the token as "Authorization: Bearer …".',
        )
      }
      const caller = await identifyHolder(cleanSecret(typed), address)
      const tokenId = caller.user?.tokenId ?? caller.ownerId
      slowDown(tokenId ?? '')
      return sessions.begin(tokenId)
    },

    logInUser(user) {
      if (!sessions || !settings.oidc) throw new Error('nobody can log in as a user')
      slowDown(user.id)
      return sessions.begin(user.id, { epoch: user.sessionEpoch, seconds: settings.oidc.sessionHours * 3600 })
    },

    logInByLink: link => sessions?.beginByLink(link),

    hasSession: cookies => sessions?.find(cookies) !== undefined,

    sessionCookie: sessions?.cookieName ?? cookiePrefix,

    logOut(cookies) {
      for (const session of sessions?.all(cookies) ?? []) sessions?.end(session)
    },

    onAccessEnd({ caller, session }, listener) {
      const user = caller?.user
      const tokenId = user ? user.tokenId : (caller?.ownerId ?? null)
      const stops = [
        ...(tokenId === null ? [] : [tokens.whenRevoked(tokenId, listener)]),
        ...(user ? [users.whenChanged(user.id, listener)] : []),
        ...(session && sessions ? [sessions.whenEnded(session, listener)] : []),
      ]
      // Access may have ended between the check and now.
      if (tokenId !== null) void tokens.find(tokenId).then(found => found ?? listener(), listener)
      if (user) void users.findAdmitted(user.id).then(found => found ?? listener(), listener)
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}

function forAdministrators() {
  return new HttpRefusal('not_allowed', 'Your token is that of a member. Ask an administrator of this server.')
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
