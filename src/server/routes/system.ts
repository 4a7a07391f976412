/** Health and state of the server, signing in and out. */
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { NoBody } from '../../api/history.ts'
import { Health, Login, RecentErrorList, ShortStatus, Status } from '../../api/system.ts'
import { callerOf, wrongToken } from '../access/access.ts'
import type { App } from '../fastify.ts'
import { languageOf, loginPage, pagePolicy } from '../pages.ts'
import type { Parts } from '../parts.ts'
import { presentError, presentShortStatus, presentStatus } from '../present/present.ts'
import { HttpRefusal } from '../problems.ts'
import { pageHeaders } from '../security-headers.ts'

/** Taken from anybody, and kept in memory until it has come. */
const maxLoginBytes = 16 * 1024

export function systemRoutes(app: App, { services, settings, access, recentErrors, prefix, version }: Parts) {
  const tags = ['System']
  const startedAt = new Date()

  app.get(
    '/health',
    { config: { access: 'open' }, schema: { tags, summary: 'Can the process serve?', response: { 200: Health } } },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/api/status',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'State of every part',
        description: 'A member gets the short form.',
        response: { 200: z.union([Status, ShortStatus]) },
      },
    },
    async request => {
      const status = presentStatus(await services.status(), { version, startedAt })
      return callerOf(request).role === 'admin' ? status : presentShortStatus(status)
    },
  )

  app.get(
    '/api/status/errors',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'The last errors of the log', response: { 200: RecentErrorList } },
    },
    async () => ({ items: recentErrors.list().map(presentError) }),
  )

  app.post(
    '/api/login',
    {
      bodyLimit: maxLoginBytes,
      config: { access: 'open', form: true },
      schema: {
        tags,
        summary: 'Begin a session with the token',
        description: 'Sets an HttpOnly cookie. A plain HTML form is answered with a page.',
        body: Login,
      },
    },
    async (request, reply) => {
      const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false
      const session = isForm
        ? await access.logIn(request.body.token, request.ip).catch((error: unknown) => refusalOf(error))
        : await access.logIn(request.body.token, request.ip)
      if (session instanceof HttpRefusal) return sendBack(reply, session, request.query)
      if (session)
        reply.setCookie(access.sessionCookie, session.cookie, { ...cookieOptions(), maxAge: session.seconds })
      return isForm ? reply.redirect(`${prefix}/`, 303) : reply.code(204).send()
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
      return reply.clearCookie(access.sessionCookie, cookieOptions()).code(204).send(null)
    },
  )

  app.get('/login', { config: { access: 'open' }, schema: { hide: true } }, async (request, reply) => {
    const { token, reason, ended, language } = request.query as Record<string, unknown>
    if (!access.needsToken) return reply.redirect(`${prefix}/`, 303)
    if (typeof token !== 'string' || token === '') {
      const why = ended === undefined ? reason : 'ended'
      const problem = typeof why === 'string' && isReason(why) ? { reason: why, message: reasons[why] } : undefined
      return reply
        .type('text/html; charset=utf-8')
        .headers({ ...pageHeaders, 'content-security-policy': pagePolicy })
        .send(loginPage(prefix, languageOf(language, request.headers['accept-language']), problem))
    }
    const session = await access.logIn(token, request.ip).catch((error: unknown) => refusalOf(error))
    if (session instanceof HttpRefusal) return sendBack(reply, session, request.query)
    if (session) reply.setCookie(access.sessionCookie, session.cookie, { ...cookieOptions(), maxAge: session.seconds })
    return reply.redirect(`${prefix}/`, 303)
  })

  /** To the page that says why: loaded again it sends no form, and the address holds no token. */
  function sendBack(reply: Pick<FastifyReply, 'redirect'>, { code }: HttpRefusal, query: unknown) {
    const { language } = query as { language?: unknown }
    const values = new URLSearchParams({ reason: code === 'too_many_requests' ? 'too_many' : 'wrong' })
    if (language === 'en' || language === 'zh') values.set('language', language)
    return reply.redirect(`${prefix}/login?${values}`, 303)
  }

  function cookieOptions() {
    const secure = settings.publicUrl?.startsWith('https:') ?? false
    return { path: prefix || '/', httpOnly: true, sameSite: 'lax' as const, secure }
  }
}

/** Why somebody stands before the login page. The studio comes with `ended` when it is refused while it is open. */
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

function refusalOf(error: unknown) {
  if (error instanceof HttpRefusal) return error
  throw error
}
