/** Named tokens, and who the caller is. */
import { z } from 'zod'
import { SpendingHeaders } from '../../api/generations.ts'
import { NoBody } from '../../api/history.ts'
import { MadeToken, Me, NewToken, Token, TokenChange, TokenList } from '../../api/tokens.ts'
import { getCaller } from '../access/access.ts'
import { readSession } from '../access/spending-session.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { readId } from '../route.ts'
import { presentMe, presentToken } from './present/tokens.ts'

export function tokenRoutes(app: App, { services, access }: Parts) {
  const { tokens } = services
  const tags = ['Tokens']

  app.get(
    '/api/tokens',
    { config: { access: 'admin' }, schema: { tags, summary: 'List tokens', response: { 200: TokenList } } },
    async () => ({ items: (await tokens.list()).map(presentToken) }),
  )

  app.post(
    '/api/tokens',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Create a token',
        description: 'The answer shows the token once.',
        body: NewToken,
        response: { 201: MadeToken },
      },
    },
    async (request, reply) => {
      const { name, role = 'member', monthly_cap, monthly_images, models } = request.body
      const { token, text } = await tokens.make({
        name,
        role,
        models: models ?? null,
        monthlyCap: monthly_cap ?? null,
        monthlyImages: monthly_images ?? null,
      })
      return reply.code(201).send({ ...presentToken(token), token: text })
    },
  )

  app.patch(
    '/api/tokens/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Change a token',
        description: 'The token itself stays the same, and what it has spent this month counts against the new caps.',
        body: TokenChange,
        response: { 200: Token },
      },
    },
    async request => {
      const { name, monthly_cap: monthlyCap, monthly_images: monthlyImages, models } = request.body
      return presentToken(await tokens.change(readId(request), { name, monthlyCap, monthlyImages, models }))
    },
  )

  app.delete(
    '/api/tokens/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Revoke a token',
        description: 'Its sessions and event streams end at once. What it made stays.',
        body: NoBody,
        response: { 204: z.null().describe('Done.') },
      },
    },
    async (request, reply) => {
      await tokens.revoke(readId(request))
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/api/me',
    {
      config: { access: 'member' },
      schema: { tags, summary: 'The caller and its remaining caps', headers: SpendingHeaders, response: { 200: Me } },
    },
    async request => {
      const caller = getCaller(request)
      const { role, ownerId } = caller
      const token = ownerId === null ? undefined : await tokens.find(ownerId)
      const session = readSession(request, caller)
      const me = presentMe({ role, needsToken: access.needsToken }, token, token && (await tokens.remaining(token)))
      return session ? { ...me, session_left: await services.generations.sessionLeft(session) } : me
    },
  )
}
