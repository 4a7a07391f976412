/** People who log in at an issuer of OpenID Connect, for administrators. */
import { z } from 'zod'
import { NoBody } from '../../api/history.ts'
import { User, UserChange, UserList } from '../../api/users.ts'
import { Refusal } from '../../errors.ts'
import { getCaller } from '../access/access.ts'
import type { Parts } from '../parts.ts'
import { type App, readId } from '../route.ts'
import { presentUser } from './present/users.ts'

export function userRoutes(app: App, { services }: Parts) {
  const { users, tokens } = services
  const tags = ['Users']

  app.get(
    '/api/users',
    { config: { access: 'admin' }, schema: { tags, summary: 'List users', response: { 200: UserList } } },
    async () => ({ items: await list() }),
  )

  app.patch(
    '/api/users/:id',
    {
      config: { access: 'admin', problems: ['conflict'] },
      schema: {
        tags,
        summary: 'Cap, disable or enable a user',
        description: 'What the user has spent this month counts against the new caps.',
        body: UserChange,
        response: { 200: User },
      },
    },
    async request => {
      const { disabled: isDisabled, monthly_cap: monthlyCap, monthly_images: monthlyImages, models } = request.body
      const id = readId(request)
      if (isDisabled && getCaller(request).user?.id === id) {
        throw new Refusal('conflict', 'You cannot disable yourself; another administrator can.')
      }
      await users.change(id, { isDisabled, monthlyCap, monthlyImages, models })
      return (await list()).find(user => user.id === id)!
    },
  )

  app.delete(
    '/api/users/:id/sessions',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'End all sessions of a user',
        description: 'The user has to log in again, and the role is read anew. Tokens go on.',
        body: NoBody,
        response: { 204: z.null().describe('Done.') },
      },
    },
    async (request, reply) => {
      await users.endSessions(readId(request))
      return reply.code(204).send(null)
    },
  )

  async function list() {
    const [all, made] = await Promise.all([users.list(), tokens.list()])
    return all.map(({ user, month }) =>
      presentUser(user, month, made.filter(({ userId }) => userId === user.id).length),
    )
  }
}
