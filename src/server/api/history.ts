/** The history: list, read, mark, delete, cancel, retry. */
import { z } from 'zod'
import { Estimate } from '../../api/estimate.ts'
import { Generation, RetryHeaders } from '../../api/generations.ts'
import {
  Cleared,
  HistoryChange,
  HistoryCountQuery,
  HistoryCounts,
  HistoryPage,
  HistoryQuery,
  NoBody,
  RetryRequest,
} from '../../api/history.ts'
import { restrictTo } from '../../members/tokens.ts'
import { getCaller } from '../access/access.ts'
import { readSession } from '../access/spending-session.ts'
import { hashJson } from '../bodies/json.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { nothingHere, readId } from '../route.ts'
import { idempotencyProblems, newGenerationProblems, unlessJoined } from './generate.ts'
import { presentEstimate, presentGeneration } from './present/generations.ts'

const done = z.null().describe('Done.')

export function historyRoutes(app: App, { services, base, prefix }: Parts) {
  const place = { base, catalogue: services.catalogue }
  const { generations } = services

  app.get(
    '/api/history',
    {
      config: { access: 'member' },
      schema: {
        tags: ['History'],
        summary: 'List generations, newest first or sorted',
        querystring: HistoryQuery,
        response: { 200: HistoryPage },
      },
    },
    async request => {
      const { items, nextCursor } = await generations.list({
        ...request.query,
        limit: request.query.limit ?? 20,
        owner: restrictTo(getCaller(request)),
      })
      return { items: items.map(record => presentGeneration(record, place)), next_cursor: nextCursor }
    },
  )

  app.get(
    '/api/history/count',
    {
      config: { access: 'member' },
      schema: {
        tags: ['History'],
        summary: 'Count generations and their pictures',
        description: 'Of the same filters as the list.',
        querystring: HistoryCountQuery,
        response: { 200: HistoryCounts },
      },
    },
    request => generations.count({ ...request.query, owner: restrictTo(getCaller(request)) }),
  )

  app.get(
    '/api/history/:id',
    {
      config: { access: 'own generation' },
      schema: { tags: ['History'], summary: 'One generation', response: { 200: Generation } },
    },
    async request => {
      const record = await generations.find(readId(request))
      if (!record) throw nothingHere('generation')
      return presentGeneration(record, place)
    },
  )

  app.patch(
    '/api/history/:id',
    {
      config: { access: 'own generation' },
      schema: {
        tags: ['History'],
        summary: 'Mark a generation and its pictures, or note that its end was told',
        body: HistoryChange,
        response: { 200: Generation },
      },
    },
    async request => {
      const { answered = false, images, ...marks } = request.body
      const ratings = images?.map(({ rejected, ...rating }) => ({ ...rating, isRejected: rejected }))
      const change = { ...marks, ratings }
      const id = readId(request)
      if (answered) await generations.noteAnswered(id)
      const isChanged = Object.values(change).some(value => value !== undefined)
      const record = isChanged ? await generations.change(id, change) : await generations.find(id)
      if (!record) throw nothingHere('generation')
      return presentGeneration(record, place)
    },
  )

  app.delete(
    '/api/history/:id',
    {
      config: { access: 'own generation', problems: ['conflict'] },
      schema: {
        tags: ['History'],
        summary: 'Delete a generation and its pictures',
        body: NoBody,
        response: { 204: done },
      },
    },
    async (request, reply) => {
      await generations.remove(readId(request))
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/api/history',
    {
      config: { access: 'member' },
      schema: {
        tags: ['History'],
        summary: 'Delete all ended generations',
        description: 'Running ones stay. A member deletes only its own.',
        // A query is refused, so that a filtered deletion does not delete everything.
        querystring: z.strictObject({}),
        body: NoBody,
        response: { 200: Cleared },
      },
    },
    async request => ({ deleted: await generations.clear(restrictTo(getCaller(request))) }),
  )

  app.post(
    '/api/history/:id/cancel',
    {
      config: { access: 'own generation', problems: ['conflict'] },
      schema: {
        tags: ['History'],
        summary: 'Cancel a generation',
        description:
          'What was not sent is dropped; a task that is still pending at the service is cancelled there; paid pictures are kept.',
        body: NoBody,
        response: { 202: Generation },
      },
    },
    async (request, reply) => reply.code(202).send(presentGeneration(await generations.cancel(readId(request)), place)),
  )

  app.post(
    '/api/history/:id/retry',
    {
      config: {
        access: 'own generation',
        rateLimit: 'generation',
        problems: ['conflict', ...newGenerationProblems, ...idempotencyProblems],
        answers: { 202: { headers: ['Location', 'X-Webimgui-Joined'] } },
      },
      schema: {
        tags: ['History'],
        summary: 'Retry a generation',
        description:
          'A new generation with `retry_of`, of all its pictures or of the missing ones. May be charged, so it never happens automatically. ' +
          'With `dry_run`: what it would make and cost.',
        headers: RetryHeaders,
        body: RetryRequest,
        response: { 200: Estimate, 202: Generation },
      },
    },
    async (request, reply) => {
      const id = readId(request)
      const { only = 'all', dry_run = false } = request.body
      const caller = getCaller(request)
      if (dry_run) return presentEstimate(await generations.estimateRetry(id, only, caller))
      const key = request.headers['idempotency-key']
      const bodyHash = hashJson({ retry_of: id, only })
      const idempotency = key === undefined ? undefined : { key, bodyHash }
      const options = { caller, requestId: request.id, idempotency, session: readSession(request, caller) }
      const record = await unlessJoined(
        request,
        reply,
        { options, hashBody: () => bodyHash },
        {
          create: () => generations.retry(id, only, options),
          createUnlessRepeated: given => generations.retryUnlessRepeated(id, only, given),
        },
      )
      reply.header('location', `${prefix}/api/history/${encodeURIComponent(record.id)}`)
      return reply.code(202).send(presentGeneration(record, place))
    },
  )
}
