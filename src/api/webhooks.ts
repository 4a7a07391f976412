/** Webhooks: who is told of the ends of generations, what was sent to whom, and what a receiver gets. */
import { z } from 'zod'
import { optional } from './schemas.ts'

const url = z
  .string()
  .max(2000)
  .describe('https, to a public address. What the operator names in ALLOWED_HOSTS may be private, and have http.')
const name = z.string().trim().max(200).describe('What it is for.')

export const Webhook = z
  .object({
    id: z.string(),
    token_id: z
      .string()
      .nullable()
      .describe(
        'Whose generations it tells of: a token, or the user that tokens belong to; null: those of the access token of the server, or of anybody where none is needed.',
      ),
    url: z.string().nullable().describe('Null: it signs what goes to the `callback_url` of requests.'),
    name: z.string(),
    state: z.enum(['active', 'off', 'gone']).describe('`gone`: its address answered 410, and nothing more is sent.'),
    created_at: z.string(),
    former_secret_until: z
      .string()
      .nullable()
      .describe('Until then the secret before the present one signs beside it.'),
  })
  .meta({ id: 'Webhook' })

export type Webhook = z.infer<typeof Webhook>

export const WebhookList = z.object({ items: z.array(Webhook) }).meta({ id: 'WebhookList' })

export const NewWebhook = z
  .strictObject({
    url: url.nullable().describe('Where the ends are told; null for one that signs the callbacks of requests.'),
    name: optional(name).describe('What it is for.'),
    token_id: optional(z.string().trim().min(1).max(200)).describe(
      'Of administrators: for the generations of this token. Without it, for those of the caller.',
    ),
  })
  .meta({ id: 'NewWebhook', examples: [{ url: 'https://example.org/hooks/pictures', name: 'shop' }, { url: null }] })

export const WebhookChange = z
  .strictObject({
    url: url.optional(),
    name: name.optional(),
    is_active: z.boolean().optional().describe('What waits for one that is switched off is not sent.'),
  })
  .meta({ id: 'WebhookChange', description: 'Members left out stay as they are.', examples: [{ is_active: false }] })

export const MadeWebhook = Webhook.extend({
  secret: z.string().describe('What a receiver checks signatures with (`whsec_…`). It is shown this once.'),
}).meta({ id: 'MadeWebhook' })

export type MadeWebhook = z.infer<typeof MadeWebhook>

export const eventTypes = [
  'generation.succeeded',
  'generation.partially_succeeded',
  'generation.failed',
  'generation.cancelled',
  'webhook.test',
] as const

export const Delivery = z
  .object({
    id: z.string().describe('The `webhook-id`: the same with every try.'),
    webhook_id: z.string(),
    type: z.enum(eventTypes),
    generation_id: z.string().nullable(),
    url: z.string(),
    state: z
      .enum(['pending', 'delivered', 'failed', 'dropped'])
      .describe(
        '`failed`: no try succeeded within a day, or it was answered 410; `dropped`: the webhook was switched off.',
      ),
    created_at: z.string(),
    next_try_at: z.string().nullable(),
    tries: z
      .array(
        z.object({
          at: z.string(),
          duration_ms: z.int(),
          status: z.int().nullable().describe('Of the answer; null without one.'),
          error: z.string().nullable(),
          answer: z
            .string()
            .nullable()
            .describe('Its beginning. Members do not see that of an address that only ALLOWED_HOSTS permits.'),
        }),
      )
      .describe('The latest 30, oldest first.'),
  })
  .meta({ id: 'WebhookDelivery' })

export type Delivery = z.infer<typeof Delivery>

export const DeliveryQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).optional().describe('20 when left out.'),
  cursor: z.string().min(1).max(500).optional().describe('`next_cursor` of the page before.'),
})

export const DeliveryPage = z
  .object({ items: z.array(Delivery), next_cursor: z.string().nullable() })
  .meta({ id: 'WebhookDeliveryPage' })

const EndEvent = z.object({
  type: z
    .enum(['generation.succeeded', 'generation.partially_succeeded', 'generation.failed', 'generation.cancelled'])
    .describe('`partially_succeeded`: some pictures are there, and `failures` tells of the others.'),
  timestamp: z.string().describe('When it ended.'),
  data: z.object({
    id: z.string().describe('The generation: `GET /api/history/{id}` has all of it.'),
    status: z.enum(['succeeded', 'failed', 'cancelled']),
    provider: z.string().nullable(),
    model: z.string().nullable(),
    timestamp: z.string().describe('When it was asked for.'),
    finished_at: z.string(),
    image_urls: z.array(z.string()).describe('The same addresses as in `images`.'),
    images: z.array(
      z.object({
        id: z.string(),
        index: z.int(),
        url: z.string().describe('Opens without a token for IMAGE_LINK_HOURS from this try.'),
        width: z.int(),
        height: z.int(),
        bytes: z.int(),
        mime_type: z.string(),
        sha256: z.string(),
      }),
    ),
    failures: z.array(z.object({ index: z.int(), code: z.string() })),
    error: z.object({ code: z.string() }).nullable(),
    charge: z.enum(['none', 'charged', 'unknown']),
    cost: z.object({ amount: z.number(), currency: z.string() }).nullable(),
    retry_of: z.string().nullable(),
  }),
})

const TestEvent = z.object({ type: z.literal('webhook.test'), timestamp: z.string(), data: z.object({}) })

/** What a receiver gets as the body of a POST. */
export const WebhookEvent = z.union([EndEvent, TestEvent]).meta({ id: 'WebhookEvent' })

export type WebhookEvent = z.infer<typeof WebhookEvent>
