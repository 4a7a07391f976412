/** Health and state of the server, signing in and out, and its first page. */
import { z } from 'zod'
import { NoBody } from '../../api/history.ts'
import { Health, Login, Status } from '../../api/system.ts'
import { sessionCookie } from '../access.ts'
import type { App, Parts } from '../app.ts'
import { HttpRefusal } from '../errors.ts'
import { homePage, loginPage, pagePolicy } from '../pages.ts'
import { presentStatus } from '../present.ts'

export function systemRoutes(app: App, { services, settings, access, prefix, base, version }: Parts) {
  const tags = ['System']
  const startedAt = new Date()

  app.get(
    '/health',
    { config: { isOpen: true }, schema: { tags, summary: 'Can the process serve?', response: { 200: Health } } },
    async () => ({ status: 'ok' as const }),
  )

  app.get('/api/status', { schema: { tags, summary: 'State of every part', response: { 200: Status } } }, async () =>
    presentStatus(await services.status(), { version, startedAt }),
  )

  app.post(
    '/api/login',
    {
      config: { isOpen: true, form: true },
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
      if (session instanceof HttpRefusal) {
        const status = session.code === 'too_many_requests' ? 429 : 401
        return sendPage(reply.code(status), loginPage(prefix, { en: session.message, zh: '令牌不正确，请重试。' }))
      }
      if (session) reply.setCookie(sessionCookie, session.cookie, { ...cookieOptions(), maxAge: session.seconds })
      return isForm ? reply.redirect(`${prefix}/`, 303) : reply.code(204).send()
    },
  )

  app.post(
    '/api/logout',
    {
      config: { isOpen: true },
      schema: { tags, summary: 'End the session', body: NoBody, response: { 204: z.null().describe('Signed out.') } },
    },
    async (request, reply) => {
      access.logOut(request.cookies[sessionCookie])
      return reply.clearCookie(sessionCookie, cookieOptions()).code(204).send(null)
    },
  )

  app.get('/login', { config: { isOpen: true }, schema: { hide: true } }, async (request, reply) => {
    const { token } = request.query as { token?: unknown }
    if (!access.needsToken) return reply.redirect(`${prefix}/`, 303)
    if (typeof token !== 'string' || token === '') return sendPage(reply, loginPage(prefix))
    const session = await access.logIn(token, request.ip).catch((error: unknown) => refusalOf(error))
    if (session instanceof HttpRefusal) {
      return sendPage(reply.code(401), loginPage(prefix, { en: session.message, zh: '登录链接已失效，请重试。' }))
    }
    if (session) reply.setCookie(sessionCookie, session.cookie, { ...cookieOptions(), maxAge: session.seconds })
    return reply.redirect(`${prefix}/`, 303)
  })

  app.get('/', { config: { sendsToLogin: true }, schema: { hide: true } }, async (request, reply) => {
    const address = base || `http://${request.headers.host ?? `127.0.0.1:${settings.port}`}`
    return sendPage(reply, homePage(prefix, address, access.needsToken))
  })

  function cookieOptions() {
    const secure = settings.publicUrl?.startsWith('https:') ?? false
    return { path: prefix || '/', httpOnly: true, sameSite: 'lax' as const, secure }
  }
}

type PageReply = {
  header(name: string, value: string): PageReply
  type(type: string): PageReply
  send(page: string): unknown
}

function sendPage(reply: PageReply, page: string) {
  return reply.type('text/html; charset=utf-8').header('content-security-policy', pagePolicy).send(page)
}

function refusalOf(error: unknown) {
  if (error instanceof HttpRefusal) return error
  throw error
}
