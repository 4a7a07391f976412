/** The login at an issuer: there, back, and out again. Everything that goes wrong leads to the login page with a reason. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readEmail, readName, readRole } from '../../members/claims.ts'
import { cookiePrefix } from '../access/sessions.ts'
import { keepSession } from '../api/login.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import { chooseLanguage } from '../pages/html.ts'
import type { Reason } from '../pages/login-reasons.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { baseOf, insideStudio, oidcPath } from './addresses.ts'
import { IssuerUnreachable, LoginDenied } from './issuer.ts'
import { createPendingLogins, pendingSeconds } from './pending.ts'

/** Each keeps a request to the issuer waiting, and anybody can begin one. */
const maxAtOnce = 20

export function addOidc(app: App, parts: Parts) {
  const { settings, access, services, prefix, issuer } = parts
  const { oidc } = settings
  if (!oidc || !issuer) return
  const pending = createPendingLogins(settings, prefix, access.sessionCookie.slice(cookiePrefix.length + 1))
  const options = { config: { access: 'open' }, schema: { hide: true } } as const
  let underWay = 0

  app.get(oidcPath, options, async (request, reply) => {
    const { to, language } = request.query as Record<string, unknown>
    try {
      const redirectUri = `${baseOf(parts, request)}${oidcPath}/callback`
      const shown = chooseLanguage(language, request.headers['accept-language'])
      const { url, challenge } = await issuer.begin(redirectUri, shown)
      const end = Date.now() + pendingSeconds * 1000
      pending.keep({ ...challenge, issuer: oidc.issuer, to: insideStudio(to), end }, request.cookies, reply)
      return reply.redirect(url, 303)
    } catch (error) {
      return explain(error, request, reply)
    }
  })

  app.get(`${oidcPath}/callback`, options, async (request, reply) => {
    const { state } = request.query as Record<string, unknown>
    const begun = pending.take(state, request.cookies, reply)
    if (begun?.issuer !== oidc.issuer) return lead(reply, 'start_again')
    if (underWay >= maxAtOnce) return lead(reply, 'too_many')
    underWay++
    try {
      const query = request.url.slice(request.url.indexOf('?'))
      const { claims, idToken } = await issuer.finish(query, begun)
      const identity = {
        issuer: claims.iss,
        subject: claims.sub,
        name: readName(claims, oidc.nameClaim),
        email: readEmail(claims),
        role: readRole(claims, oidc),
      }
      const user = await services.users.admit(identity, oidc.startingCaps)
      if (typeof user === 'string') return lead(reply, user)
      const session = access.logInUser(user)
      access.logOut(request.cookies)
      keepSession(session, reply, parts)
      pending.keepHint(idToken, session.seconds, reply)
      return reply.redirect(prefix + begun.to, 303)
    } catch (error) {
      return explain(error, request, reply)
    } finally {
      underWay--
    }
  })

  // After `POST /api/logout`. A page of another site cannot log anybody out by leading here: while the session lasts, nothing ends.
  app.get('/login/leave', options, async (request, reply) => {
    if (access.hasSession(request.cookies)) return reply.redirect(`${prefix}/`, 303)
    const idToken = pending.takeHint(request.cookies, reply)
    const address = idToken && (await issuer.endSession(idToken, `${baseOf(parts, request)}/login`))
    return address ? reply.redirect(address, 303) : lead(reply, 'left')
  })

  function explain(error: unknown, request: FastifyRequest, reply: FastifyReply) {
    if (error instanceof HttpRefusal) return lead(reply, 'too_many')
    const message = error instanceof Error ? error.message : String(error)
    request.log.warn({ reason: message }, 'a login at the issuer of OpenID Connect failed')
    if (error instanceof IssuerUnreachable) return lead(reply, 'issuer_down')
    return lead(reply, error instanceof LoginDenied ? 'denied' : 'failed')
  }

  function lead(reply: FastifyReply, reason: Reason) {
    return reply.redirect(`${prefix}/login?reason=${reason}`, 303)
  }
}
