/** `GET /api/usage`: what was made and spent, as JSON or as a table for a spreadsheet. */

import type { UsageItem } from '../../accounts/accounts.ts'
import { monthOf } from '../../accounts/budget.ts'
import { ownerOf } from '../../accounts/tokens.ts'
import { UsageList, UsageQuery } from '../../api/usage.ts'
import { callerOf } from '../access/access.ts'
import type { App } from '../fastify.ts'
import type { Parts } from '../parts.ts'
import { presentForAll } from '../present/present.ts'

export function usageRoutes(app: App, { services }: Parts) {
  app.get(
    '/api/usage',
    {
      config: { access: 'member' },
      schema: {
        tags: ['Usage'],
        summary: 'What was made and spent',
        description:
          'By the time of the request, in UTC. A member sees its own. `text/csv` by `Accept` or `?format=csv`.',
        querystring: UsageQuery,
        response: { 200: UsageList },
      },
    },
    async (request, reply) => {
      const { from, to, group = 'day', format = asksForCsv(request.headers.accept) ? 'csv' : 'json' } = request.query
      const now = new Date()
      const period = {
        from: from?.toISOString() ?? monthOf(now.toISOString()).from,
        // The last moment of a day belongs to it.
        to: new Date((to ?? now).getTime() + 1).toISOString(),
      }
      const caller = callerOf(request)
      const items = await services.usage.report(period, group, ownerOf(caller))
      reply.header('vary', 'Accept')
      if (format === 'json') {
        return { items, for_all: caller.role === 'admin' ? presentForAll(await services.usage.forAll()) : undefined }
      }
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="webimgui-usage-by-${group}.csv"`)
        .serializer(String)
        .send(csvOf(items) as never)
    },
  )
}

function asksForCsv(accept: string | undefined) {
  return /\btext\/csv\b/i.test(accept ?? '')
}

const columns = ['key', 'name', 'images', 'calls', 'amount', 'currency', 'unknown'] as const

/** RFC 4180, with the mark at the start without which spreadsheets take Chinese for something else. */
function csvOf(items: UsageItem[]) {
  const lines = items.map(item => columns.map(column => cellOf(item[column])).join(','))
  return `\uFEFF${[columns.join(','), ...lines].join('\r\n')}\r\n`
}

/** A name that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection). */
function cellOf(value: string | number | null) {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[\s]*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(value) ? `'${value}` : value
  return `"${text.replaceAll('"', '""')}"`
}
