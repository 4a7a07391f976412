/** Named tokens, and who the caller is. */
import { z } from 'zod'
import { SpendingHeaders } from '../../api/generations.ts'
import { NoBody } from '../../api/history.ts'
import { MadeToken, Me, NewToken, Token, TokenChange, TokenList } from '../../api/tokens.ts'
import { invalid } from '../../errors.ts'
import { findTighter } from '../../members/budget.ts'
import type { Caller } from '../../members/caller.ts'
import { findExcess } from '../../members/users.ts'
import type { TokenRecord } from '../../storage/records.ts'
import { getCaller } from '../access/access.ts'
import { readSession } from '../access/spending-session.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { readId } from '../route.ts'
import { presentMe, presentToken } from './present/tokens.ts'

export function tokenRoutes(app: App, { services, access }: Parts) {
  const { tokens, users } = services
  const tags = ['Tokens']

  app.get(
    '/api/tokens',
    {
      config: { access: 'own tokens' },
      schema: {
        tags,
        summary: 'List tokens',
        description: 'A user who is a member sees only its own.',
        response: { 200: TokenList },
      },
    },
    async request => {
      const listed = await tokens.list(ownUserId(getCaller(request)))
      const named = new Map((await Promise.all(usersOf(listed).map(users.find))).map(user => [user?.id, user]))
      return { items: listed.map(token => presentToken(token, named.get(token.userId ?? ''))) }
    },
  )

  app.post(
    '/api/tokens',
    {
      config: { access: 'own tokens', problems: ['conflict'] },
      schema: {
        tags,
        summary: 'Create a token',
        description:
          'The answer shows the token once. A user who is a member makes only its own, within its own limits.',
        body: NewToken,
        response: { 201: MadeToken },
      },
    },
    async (request, reply) => {
      const { name, role = 'member', monthly_cap, monthly_images, models, own = false } = request.body
      const caller = getCaller(request)
      const wanted = {
        name,
        role,
        models: models ?? null,
        monthlyCap: monthly_cap ?? null,
        monthlyImages: monthly_images ?? null,
      }
      const userId = own && caller.user ? caller.user.id : ownUserId(caller)
      if (own && userId === undefined)
        throw invalid([{ path: 'own', message: 'Only users who log in with OpenID Connect have tokens of their own.' }])
      await refuseExcess(wanted, userId)
      const { token, text } = await tokens.make({ ...wanted, userId })
      return reply.code(201).send({ ...(await present(token)), token: text })
    },
  )

  app.patch(
    '/api/tokens/:id',
    {
      config: { access: 'own tokens' },
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
      const userId = ownUserId(getCaller(request))
      const change = { name, monthlyCap, monthlyImages, models }
      await refuseExcess(change, userId)
      return present(await tokens.change(readId(request), change, userId))
    },
  )

  app.delete(
    '/api/tokens/:id',
    {
      config: { access: 'own tokens' },
      schema: {
        tags,
        summary: 'Revoke a token',
        description: 'Its sessions and event streams end at once. What it made stays.',
        body: NoBody,
        response: { 204: z.null().describe('Done.') },
      },
    },
    async (request, reply) => {
      await tokens.revoke(readId(request), ownUserId(getCaller(request)))
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
      const tokenId = caller.user ? caller.user.tokenId : caller.ownerId
      const token = tokenId === null ? undefined : await tokens.find(tokenId)
      const user = caller.user && (await users.find(caller.user.id))
      const ofToken = token && (await tokens.remaining(token))
      const ofUser = user && (await users.remaining(user))
      const allowance = ofToken && ofUser ? findTighter(ofToken, ofUser) : (ofToken ?? ofUser)
      const session = readSession(request, caller)
      const me = presentMe(caller, access.needsToken, { token, user, allowance })
      return session ? { ...me, session_left: await services.generations.sessionLeft(session) } : me
    },
  )

  async function present(token: TokenRecord) {
    return presentToken(token, token.userId === null ? undefined : await users.find(token.userId))
  }

  /** @throws Refusal `invalid_request` */
  async function refuseExcess(wanted: Parameters<typeof findExcess>[1], userId: string | undefined) {
    const user = userId === undefined ? undefined : await users.findAdmitted(userId)
    const faults = user ? findExcess(user, wanted) : []
    if (faults.length > 0) throw invalid(faults)
  }
}

/** The user whose tokens alone a caller reaches; undefined: all, for an admin. */
function ownUserId({ role, user }: Caller): string | undefined {
  return role === 'admin' ? undefined : (user?.id ?? '')
}

function usersOf(tokens: readonly TokenRecord[]) {
  return [...new Set(tokens.flatMap(({ userId }) => userId ?? []))]
}
