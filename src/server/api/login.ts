/** Signing in and out with a token: for programs, and with the form of the login page. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { NoBody } from '../../api/history.ts'
import { Login } from '../../api/system.ts'
import type { Begun } from '../access/access.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import type { Reason } from '../pages/login-reasons.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'

/** Accepted from anybody and held in memory, so it is small. */
const maxLoginBytes = 16 * 1024

export function loginRoutes(app: App, parts: Parts) {
  const { access } = parts
  const tags = ['System']

  app.post(
    '/api/login',
    {
      bodyLimit: maxLoginBytes,
      config: {
        access: 'open',
        accepts: 'json or form',
        problems: ['unauthorized', 'not_allowed', 'too_many_requests'],
        answers: { 204: { description: 'Signed in.' } },
      },
      schema: {
        tags,
        summary: 'Start a session with a token',
        description:
          'Sets an HttpOnly cookie. A plain HTML form is answered with a page. Refused where people log in with OpenID Connect alone (`DISABLE_LOCAL_LOGIN`).',
        body: Login,
      },
    },
    async (request, reply) => {
      const { token } = request.body
      const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false
      if (isForm) return signInPerson(token, request, reply, parts)
      await signIn(token, request, reply, parts)
      return reply.code(204).send()
    },
  )

  app.post(
    '/api/logout',
    {
      config: { access: 'open' },
      schema: { tags, summary: 'End the session', body: NoBody, response: { 204: z.null().describe('Signed out.') } },
    },
    async (request, reply) => {
      access.logOut(request.cookies)
      return reply.clearCookie(access.sessionCookie, sessionCookieOptions(parts)).code(204).send(null)
    },
  )
}

type Asked = Pick<FastifyRequest, 'ip' | 'query'>
type Reply = Pick<FastifyReply, 'setCookie' | 'redirect'>

/** @throws HttpRefusal `unauthorized`, `too_many_requests` */
async function signIn(token: string, { ip }: Asked, reply: Reply, parts: Parts) {
  const session = await parts.access.logIn(token, ip)
  if (session) keepSession(session, reply, parts)
}

export function keepSession({ cookie, seconds }: Begun, reply: Pick<Reply, 'setCookie'>, parts: Parts) {
  reply.setCookie(parts.access.sessionCookie, cookie, { ...sessionCookieOptions(parts), maxAge: seconds })
}

/** Redirects to the studio, or to the page with the reason: a reload sends no form, and the address holds no token. */
export async function signInPerson(token: string, request: Asked, reply: Reply, parts: Parts) {
  const { prefix } = parts
  try {
    await signIn(token, request, reply, parts)
  } catch (error) {
    if (!(error instanceof HttpRefusal)) throw error
    const { language } = request.query as { language?: unknown }
    const values = new URLSearchParams({ reason: reasonOf(error) })
    if (language === 'en' || language === 'zh') values.set('language', language)
    return reply.redirect(`${prefix}/login?${values}`, 303)
  }
  return reply.redirect(`${prefix}/`, 303)
}

function reasonOf({ code }: HttpRefusal): Reason {
  if (code === 'not_allowed') return 'local_off'
  return code === 'too_many_requests' ? 'too_many' : 'wrong'
}

/** `Lax`: a link from elsewhere, such as from the issuer of OpenID Connect, opens the studio; nothing else is done for another site. */
function sessionCookieOptions({ settings, prefix }: Parts) {
  const secure = settings.publicUrl?.startsWith('https:') ?? false
  return { path: prefix || '/', httpOnly: true, sameSite: 'lax' as const, secure }
}
