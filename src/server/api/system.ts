/** Health and state of the server. */
import { z } from 'zod'
import { toJson } from '../../api/names.ts'
import { Health, RecentErrorList, ShortStatus, Status } from '../../api/system.ts'
import type { Hindrance } from '../../generation/services.ts'
import { getCaller } from '../access/access.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { presentShortStatus, presentStatus } from './present/system.ts'

const sentences: Record<Hindrance, string> = {
  database: 'The database cannot be written.',
  storage: 'The picture store cannot be written.',
}

export function systemRoutes(app: App, { services, recentErrors, version }: Parts) {
  const tags = ['System']
  const startedAt = new Date()

  app.get(
    '/health',
    { config: { access: 'open' }, schema: { tags, summary: 'Liveness', response: { 200: Health } } },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/ready',
    {
      config: { access: 'open', problems: ['not_ready'] },
      schema: {
        tags,
        summary: 'Readiness',
        description:
          'Whether the database answers and the picture store can be written, and the server is not stopping.',
        response: { 200: Health },
      },
    },
    async () => {
      const hindrances = await services.findHindrances()
      if (hindrances.length === 0) return { status: 'ok' as const }
      // The reasons may name folders and hosts, which is nothing for everybody.
      const named = hindrances.map(hindrance => sentences[hindrance]).join(' ')
      throw new HttpRefusal('not_ready', `${named} GET /api/status says why.`)
    },
  )

  app.get(
    '/api/status',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'State of database, storage, queue and providers',
        description: 'A member gets the short form.',
        response: { 200: z.union([Status, ShortStatus]) },
      },
    },
    async request => {
      const status = presentStatus(await services.status(), { version, startedAt })
      return getCaller(request).role === 'admin' ? status : presentShortStatus(status)
    },
  )

  app.get(
    '/api/status/errors',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'The last errors of the log', response: { 200: RecentErrorList } },
    },
    async () => ({ items: recentErrors.list().map(toJson) }),
  )
}
