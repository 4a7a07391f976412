/** The login page: with a token, at the issuer of OpenID Connect, or both; and links that log in. */
import type { FastifyRequest } from 'fastify'
import { keepSession, signInPerson } from '../api/login.ts'
import { baseOf, insideStudio, oidcPath } from '../oidc/addresses.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { chooseLanguage, type IssuerButton, type Language, loginPage, sendPage } from './html.ts'
import { isReason, reasons } from './login-reasons.ts'

export function addLoginPage(app: App, parts: Parts) {
  const { access, prefix, settings } = parts

  app.get('/login', { config: { access: 'open' }, schema: { hide: true } }, async (request, reply) => {
    const { token, once, reason, ended, language, to } = request.query as Record<string, unknown>
    if (!access.needsToken) return reply.redirect(`${prefix}/`, 303)
    if (typeof once === 'string') {
      const session = access.logInByLink(once)
      if (!session) return reply.redirect(`${prefix}/login?reason=link_used`, 303)
      keepSession(session, reply, parts)
      return reply.redirect(`${prefix}/`, 303)
    }
    if (typeof token === 'string' && token !== '') return signInPerson(token, request, reply, parts)
    const why = ended === undefined ? reason : 'ended'
    const problem = typeof why === 'string' && isReason(why) ? { reason: why, message: reasons[why] } : undefined
    const shown = chooseLanguage(language, request.headers['accept-language'])
    const page = loginPage(prefix, shown, {
      problem,
      to: insideStudio(to),
      hasTokenForm: !settings.disableLocalLogin,
      issuer: issuerButton(parts, request, shown),
    })
    return sendPage(reply, page)
  })
}

function issuerButton(parts: Parts, request: FastifyRequest, language: Language): IssuerButton | undefined {
  const { issuer, settings } = parts
  if (!issuer || !settings.oidc) return undefined
  const { to } = request.query as { to?: unknown }
  const query = new URLSearchParams({ language, to: insideStudio(to) })
  // The whole address: whoever came here by another name of this server has the cookie of that name only.
  return {
    name: settings.oidc.name,
    address: `${baseOf(parts, request)}${oidcPath}?${query}`,
    isDown: issuer.isDown(),
  }
}
