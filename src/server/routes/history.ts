/** The history: list, look, mark, delete, cancel. */
import { z } from 'zod'
import { Generation } from '../../api/generations.ts'
import { Cleared, HistoryChange, HistoryPage, HistoryQuery, NoBody } from '../../api/history.ts'
import type { App, Parts } from '../app.ts'
import { idOf, nothingHere } from '../ids.ts'
import { presentGeneration } from '../present.ts'

const done = z.null().describe('Done.')

export function historyRoutes(app: App, { services, base }: Parts) {
  const { generations } = services

  app.get(
    '/api/history',
    {
      schema: {
        tags: ['History'],
        summary: 'List generations, newest first',
        querystring: HistoryQuery,
        response: { 200: HistoryPage },
      },
    },
    async request => {
      const { items, nextCursor } = await generations.list({ ...request.query, limit: request.query.limit ?? 20 })
      return { items: items.map(record => presentGeneration(record, base)), next_cursor: nextCursor }
    },
  )

  app.get(
    '/api/history/:id',
    { schema: { tags: ['History'], summary: 'One generation', response: { 200: Generation } } },
    async request => {
      const record = await generations.find(idOf(request))
      if (!record) throw nothingHere('generation')
      return presentGeneration(record, base)
    },
  )

  app.patch(
    '/api/history/:id',
    { schema: { tags: ['History'], summary: 'Mark a generation', body: HistoryChange, response: { 200: Generation } } },
    async request => presentGeneration(await generations.change(idOf(request), request.body), base),
  )

  app.delete(
    '/api/history/:id',
    { schema: { tags: ['History'], summary: 'Delete a generation and its pictures', body: NoBody, response: { 204: done } } },
    async (request, reply) => {
      await generations.remove(idOf(request))
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/api/history',
    {
      schema: {
        tags: ['History'],
        summary: 'Delete everything that has ended',
        description: 'What is still running stays.',
        // Somebody who narrows this down must not lose everything.
        querystring: z.strictObject({}),
        body: NoBody,
        response: { 200: Cleared },
      },
    },
    async () => ({ deleted: await generations.clear() }),
  )

  app.post(
    '/api/history/:id/cancel',
    {
      schema: {
        tags: ['History'],
        summary: 'Cancel a generation',
        description: 'What was not sent is dropped; a task that is still pending at the service is cancelled there; what was paid for is still kept.',
        body: NoBody,
        response: { 202: Generation },
      },
    },
    async (request, reply) => reply.code(202).send(presentGeneration(await generations.cancel(idOf(request)), base)),
  )
}
