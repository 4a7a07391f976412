/** Health and state of the server, signing in and out. */
import { z } from 'zod'
import { NoBody } from '../../api/history.ts'
import { Health, Login, RecentErrorList, ShortStatus, Status } from '../../api/system.ts'
import { callerOf, wrongToken } from '../access.ts'
import type { App, Parts } from '../app.ts'
import { HttpRefusal } from '../errors.ts'
import { loginPage, pagePolicy } from '../pages.ts'
import { presentError, presentShortStatus, presentStatus } from '../present.ts'
import { pageHeaders } from '../security-headers.ts'

/** Taken from anybody, and kept in memory until it has come. */
const mostLoginBytes = 16 * 1024

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
      bodyLimit: mostLoginBytes,
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
      if (session instanceof HttpRefusal) return sendRefusal(reply, session)
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
    const { token, ended } = request.query as { token?: unknown; ended?: unknown }
    if (!access.needsToken) return reply.redirect(`${prefix}/`, 303)
    if (typeof token !== 'string' || token === '') {
      return sendPage(reply, loginPage(prefix, ended === undefined ? undefined : sessionEnded))
    }
    const session = await access.logIn(token, request.ip).catch((error: unknown) => refusalOf(error))
    if (session instanceof HttpRefusal) return sendRefusal(reply, session)
    if (session) reply.setCookie(access.sessionCookie, session.cookie, { ...cookieOptions(), maxAge: session.seconds })
    return reply.redirect(`${prefix}/`, 303)
  })

  function sendRefusal(reply: PageReply, { code, message, headers }: HttpRefusal) {
    const isTooMany = code === 'too_many_requests'
    const page = loginPage(prefix, { en: message, zh: isTooMany ? '尝试过于频繁，请稍后再试。' : wrongToken.zh })
    return sendPage(reply.code(isTooMany ? 429 : 401).headers(headers), page)
  }

  function cookieOptions() {
    const secure = settings.publicUrl?.startsWith('https:') ?? false
    return { path: prefix || '/', httpOnly: true, sameSite: 'lax' as const, secure }
  }
}

/** The studio comes here when it is refused while it is open. */
const sessionEnded = {
  en: 'You are signed out: the session ended, or the token was revoked.',
  zh: '您已退出登录：会话已结束，或令牌已被撤销。',
}

type PageReply = {
  code(status: number): PageReply
  headers(values: Record<string, string>): PageReply
  type(type: string): PageReply
  send(page: string): unknown
}

function sendPage(reply: PageReply, page: string) {
  return reply
    .type('text/html; charset=utf-8')
    .headers({ ...pageHeaders, 'content-security-policy': pagePolicy })
    .send(page)
}

function refusalOf(error: unknown) {
  if (error instanceof HttpRefusal) return error
  throw error
}
