/** Parts of requests that several of them have. */
import { z } from 'zod'

/** Null counts as absent, because many clients send every member they know. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform(value => value ?? undefined)
}

/** The header `Idempotency-Key`. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, 'Use 1 to 255 printable ASCII characters.')
  .optional()

/** Of requests for pictures. */
export const callbackUrl = optional(z.string().max(2000)).describe(
  'Is told of the end with a `WebhookEvent`, signed by the webhook of the token that has no `url`; see `POST /api/webhooks`.',
)
