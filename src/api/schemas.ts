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

/** Of 1 to `max` pictures. A form has no lists, so there they are one text. */
export function imageIds(max: number) {
  const ids = z.array(z.string().min(1).max(200)).min(1).max(max)
  const text = z
    .string()
    .transform(text => text.split(','))
    .pipe(ids)
  return z
    .union([ids, text], `Give the ids of 1 to ${max} pictures.`)
    .describe(`Ids of 1 to ${max} pictures; in a form, one text with commas between them.`)
}
