/** Reading and managing the history. */
import { z } from 'zod'
import { Generation, GenerationStatus } from './generations.ts'

const dateForm = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/

/** `2026-11-23` or `2026-11-23T08:00:00Z`; without a zone it is UTC. A date alone reaches to its end when `isEnd`. */
export function moment(isEnd: boolean) {
  return z.string().transform((text, context) => {
    const isDay = text.length === 10
    const zoned = isDay
      ? `${text}T${isEnd ? '23:59:59.999' : '00:00:00.000'}Z`
      : /(Z|[+-]\d\d:?\d\d)$/.test(text)
        ? text
        : `${text}Z`
    const date = new Date(zoned)
    const day = new Date(`${text.slice(0, 10)}T00:00:00Z`)
    // JavaScript takes the 31st of February for the 3rd of March.
    const isReal = dateForm.test(text) && !Number.isNaN(date.getTime()) && !Number.isNaN(day.getTime())
    if (isReal && day.toISOString().startsWith(text.slice(0, 10)) && date.getUTCFullYear() > 0) return date
    context.addIssue({ code: 'custom', message: 'Use a date such as 2026-11-23 or 2026-11-23T08:00:00Z.' })
    return z.NEVER
  })
}

/** Query strings; empty ones were removed before. */
export const HistoryQuery = z.strictObject({
  limit: z
    .string()
    .meta({ type: 'integer', minimum: 1, maximum: 200, default: 20 })
    .refine(
      text => /^\d{1,6}$/.test(text) && Number(text) >= 1 && Number(text) <= 200,
      'Use a whole number from 1 to 200.',
    )
    .transform(Number)
    .optional()
    .describe('1 to 200; 20 when left out.'),
  cursor: z.string().max(500).optional().describe('`next_cursor` of the page before.'),
  q: z.string().max(1000).optional().describe('Words that must all occur in prompt, revised prompt or tags.'),
  provider: z.string().max(50).optional(),
  model: z.string().max(200).optional(),
  status: GenerationStatus.optional(),
  favorite: z
    .enum(['true', 'false', '1', '0'])
    .transform(value => value === 'true' || value === '1')
    .optional(),
  tag: z.string().max(100).optional().describe('Only those that carry exactly this tag.'),
  from: moment(false).optional().describe('A date or a time, inclusive.'),
  to: moment(true).optional().describe('A date (to its end) or a time, inclusive.'),
})

export const HistoryPage = z
  .object({ items: z.array(Generation), next_cursor: z.string().nullable() })
  .meta({ id: 'HistoryPage' })

export const HistoryChange = z
  .strictObject({
    favorite: z.boolean().optional(),
    tags: z
      .array(z.string().trim().min(1).max(100))
      .max(50)
      .transform(tags => [...new Set(tags)])
      .optional(),
    answered: z
      .literal(true)
      .optional()
      .describe('Whoever asked was told the end: an equal request with `x-webimgui-join` is another one from now on.'),
  })
  .refine(change => Object.values(change).some(value => value !== undefined), 'Give "favorite", "tags" or "answered".')
  .meta({ id: 'HistoryChange' })

export const RetryRequest = z
  .strictObject({
    only: z
      .enum(['all', 'missing'])
      .optional()
      .describe('`missing` makes just the pictures that failed. Default: `all`.'),
    dry_run: z.boolean().optional().describe('Answer what would be made and what it would cost; make nothing.'),
  })
  .nullish()
  .transform(value => value ?? {})
  .meta({ id: 'RetryRequest' })

export const Cleared = z.object({ deleted: z.int() }).meta({ id: 'Cleared' })

export const NoBody = z.strictObject({}).nullish()
