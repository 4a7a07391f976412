/** `GET /api/usage`: what was made and spent, as JSON or as a table for a spreadsheet. */

import { toJson } from '../../api/names.ts'
import { UsageList, UsageQuery } from '../../api/usage.ts'
import { restrictTo } from '../../members/tokens.ts'
import { findMonth } from '../../storage/periods.ts'
import { getCaller } from '../access/access.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { formatCsv } from './present/usage.ts'

export function usageRoutes(app: App, { services }: Parts) {
  app.get(
    '/api/usage',
    {
      config: { access: 'member', answers: { 200: { type: 'text/csv' } } },
      schema: {
        tags: ['Usage'],
        summary: 'Images made and money spent',
        description:
          'By the time of the request, in UTC. A member sees only its own. `text/csv` by `Accept` or `?format=csv`.',
        querystring: UsageQuery,
        response: { 200: UsageList },
      },
    },
    async (request, reply) => {
      const { from, to, group = 'day', format = asksForCsv(request.headers.accept) ? 'csv' : 'json' } = request.query
      const now = new Date()
      const period = {
        from: from?.toISOString() ?? findMonth(now.toISOString()).from,
        // The last moment of a day belongs to it.
        to: new Date((to ?? now).getTime() + 1).toISOString(),
      }
      const caller = getCaller(request)
      const items = await services.usage.report(period, group, restrictTo(caller))
      reply.header('vary', 'Accept')
      if (format === 'json') {
        const forAll = caller.role === 'admin' ? await services.usage.forAll() : undefined
        return { items, for_all: forAll && toJson(forAll) }
      }
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="webimgui-usage-by-${group}.csv"`)
        .serializer(String)
        .send(formatCsv(items) as never)
    },
  )
}

function asksForCsv(accept: string | undefined) {
  return /\btext\/csv\b/i.test(accept ?? '')
}
