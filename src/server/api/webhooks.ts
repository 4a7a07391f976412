/** Webhooks: of each token its own, of administrators all. */
import { z } from 'zod'
import { NoBody } from '../../api/history.ts'
import {
  Delivery,
  DeliveryPage,
  DeliveryQuery,
  MadeWebhook,
  NewWebhook,
  Webhook,
  WebhookChange,
  WebhookList,
} from '../../api/webhooks.ts'
import { restrictTo } from '../../members/tokens.ts'
import { getCaller } from '../access/access.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { readId } from '../route.ts'
import { presentDelivery, presentWebhook } from './present/webhooks.ts'

export function webhookRoutes(app: App, { services }: Parts) {
  const { webhooks } = services
  const tags = ['Webhooks']

  app.get(
    '/api/webhooks',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'List webhooks',
        description: 'A member sees its own, an administrator all.',
        response: { 200: WebhookList },
      },
    },
    async request => ({ items: (await webhooks.list(restrictTo(getCaller(request)))).map(presentWebhook) }),
  )

  app.post(
    '/api/webhooks',
    {
      config: { access: 'member', rateLimit: 'other', problems: ['conflict', 'not_allowed'] },
      schema: {
        tags,
        summary: 'Create a webhook',
        description: 'The answer shows its secret once.',
        body: NewWebhook,
        response: { 201: MadeWebhook },
      },
    },
    async (request, reply) => {
      const { url, name = '', token_id: tokenId } = request.body
      const { role, ownerId } = getCaller(request)
      if (role === 'member' && tokenId !== undefined && tokenId !== ownerId) throw ownAlone()
      const { webhook, secret } = await webhooks.make({ ownerId, tokenId, url, name })
      return reply.code(201).send({ ...presentWebhook(webhook), secret })
    },
  )

  app.patch(
    '/api/webhooks/:id',
    {
      config: { access: 'own webhook', rateLimit: 'other', problems: ['conflict'] },
      schema: { tags, summary: 'Change a webhook', body: WebhookChange, response: { 200: Webhook } },
    },
    async request => {
      const { url, name, is_active: isActive } = request.body
      return presentWebhook(await webhooks.change(readId(request), { url, name, isActive }))
    },
  )

  app.delete(
    '/api/webhooks/:id',
    {
      config: { access: 'own webhook' },
      schema: {
        tags,
        summary: 'Delete a webhook',
        description: 'What waits for it is not sent, and the list of what was sent to it goes too.',
        body: NoBody,
        response: { 204: z.null().describe('Done.') },
      },
    },
    async (request, reply) => {
      await webhooks.remove(readId(request))
      return reply.code(204).send(null)
    },
  )

  app.post(
    '/api/webhooks/:id/secret',
    {
      config: { access: 'own webhook', rateLimit: 'other' },
      schema: {
        tags,
        summary: 'Renew the secret of a webhook',
        description: 'The answer shows the new one once. The former one signs beside it for 24 hours.',
        body: NoBody,
        response: { 200: MadeWebhook },
      },
    },
    async request => {
      const { webhook, secret } = await webhooks.renewSecret(readId(request))
      return { ...presentWebhook(webhook), secret }
    },
  )

  app.post(
    '/api/webhooks/:id/test',
    {
      config: { access: 'own webhook', rateLimit: 'other', problems: ['conflict'] },
      schema: { tags, summary: 'Send a test to a webhook', body: NoBody, response: { 202: Delivery } },
    },
    async (request, reply) =>
      reply.code(202).send(presentDelivery(await webhooks.test(readId(request)), getCaller(request))),
  )

  app.get(
    '/api/webhooks/:id/deliveries',
    {
      config: { access: 'own webhook' },
      schema: {
        tags,
        summary: 'What was sent to a webhook, newest first',
        description: 'Of the last 30 days, each with its tries.',
        querystring: DeliveryQuery,
        response: { 200: DeliveryPage },
      },
    },
    async request => {
      const { limit = 20, cursor } = request.query
      const { items, nextCursor } = await webhooks.deliveries(readId(request), { limit, cursor })
      return { items: items.map(item => presentDelivery(item, getCaller(request))), next_cursor: nextCursor }
    },
  )

  app.post(
    '/api/webhooks/:id/deliveries/:delivery/resend',
    {
      config: { access: 'own webhook', rateLimit: 'other', problems: ['conflict'] },
      schema: {
        tags,
        summary: 'Send one again',
        description: 'Whatever became of it, and with the same `webhook-id`.',
        body: NoBody,
        response: { 202: Delivery },
      },
    },
    async (request, reply) => {
      const { delivery } = request.params as { delivery: string }
      const sent = await webhooks.resend(readId(request), readId({ params: { id: delivery } }))
      return reply.code(202).send(presentDelivery(sent, getCaller(request)))
    },
  )
}

function ownAlone() {
  return new HttpRefusal('not_allowed', 'A member makes webhooks for its own generations. Leave "token_id" out.')
}
