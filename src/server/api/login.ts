/** Signing in and out: for programs, with the form of the login page, and with a link that holds the token. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { NoBody } from '../../api/history.ts'
import { Login } from '../../api/system.ts'
import { wrongToken } from '../access/throttle.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import { chooseLanguage, loginPage, sendPage } from '../pages/html.ts'
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
        problems: ['unauthorized', 'too_many_requests'],
        answers: { 204: { description: 'Signed in.' } },
      },
      schema: {
        tags,
        summary: 'Start a session with a token',
        description: 'Sets an HttpOnly cookie. A plain HTML form is answered with a page.',
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
      return reply.clearCookie(access.sessionCookie, cookieOptions(parts)).code(204).send(null)
    },
  )
}

export function addLoginPage(app: App, parts: Parts) {
  const { access, prefix } = parts

  app.get('/login', { config: { access: 'open' }, schema: { hide: true } }, async (request, reply) => {
    const { token, reason, ended, language } = request.query as Record<string, unknown>
    if (!access.needsToken) return reply.redirect(`${prefix}/`, 303)
    if (typeof token === 'string' && token !== '') return signInPerson(token, request, reply, parts)
    const why = ended === undefined ? reason : 'ended'
    const problem = typeof why === 'string' && isReason(why) ? { reason: why, message: reasons[why] } : undefined
    return sendPage(reply, loginPage(prefix, chooseLanguage(language, request.headers['accept-language']), problem))
  })
}

type Asked = Pick<FastifyRequest, 'ip' | 'query'>
type Reply = Pick<FastifyReply, 'setCookie' | 'redirect'>

/** @throws HttpRefusal `unauthorized`, `too_many_requests` */
async function signIn(token: string, { ip }: Asked, reply: Reply, parts: Parts) {
  const { access } = parts
  const session = await access.logIn(token, ip)
  if (session) {
    reply.setCookie(access.sessionCookie, session.cookie, { ...cookieOptions(parts), maxAge: session.seconds })
  }
}

/** Redirects to the studio, or to the page with the reason: a reload sends no form, and the address holds no token. */
async function signInPerson(token: string, request: Asked, reply: Reply, parts: Parts) {
  const { prefix } = parts
  try {
    await signIn(token, request, reply, parts)
  } catch (error) {
    if (!(error instanceof HttpRefusal)) throw error
    const { language } = request.query as { language?: unknown }
    const values = new URLSearchParams({ reason: error.code === 'too_many_requests' ? 'too_many' : 'wrong' })
    if (language === 'en' || language === 'zh') values.set('language', language)
    return reply.redirect(`${prefix}/login?${values}`, 303)
  }
  return reply.redirect(`${prefix}/`, 303)
}

function cookieOptions({ settings, prefix }: Parts) {
  const secure = settings.publicUrl?.startsWith('https:') ?? false
  return { path: prefix || '/', httpOnly: true, sameSite: 'lax' as const, secure }
}

/** Why the login page is shown. The studio redirects with `ended` when it is refused while it is open. */
const reasons = {
  ended: {
    en: 'You are signed out: the session ended, or the token was revoked.',
    zh: '您已退出登录：会话已结束，或令牌已被撤销。',
  },
  wrong: wrongToken,
  too_many: { en: 'Too many attempts. Wait a moment and try again.', zh: '尝试过于频繁，请稍后再试。' },
}

function isReason(text: string): text is keyof typeof reasons {
  return Object.hasOwn(reasons, text)
}
