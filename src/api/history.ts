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

const flag = z.enum(['true', 'false', '1', '0']).transform(value => value === 'true' || value === '1')

const filters = z.strictObject({
  q: z.string().max(1000).optional().describe('Words that must all occur in prompt, revised prompt or tags.'),
  provider: z.string().max(50).optional(),
  model: z.string().max(200).optional(),
  status: GenerationStatus.optional(),
  favorite: flag.optional(),
  tag: z.string().max(100).optional().describe('Only those that carry exactly this tag.'),
  stars: z
    .enum(['1', '2', '3', '4', '5'], 'Use a whole number from 1 to 5.')
    .meta({ type: 'integer', minimum: 1, maximum: 5, enum: undefined })
    .transform(Number)
    .optional()
    .describe('Only those with a picture of at least so many stars.'),
  rejected: flag
    .optional()
    .describe('`true`: only those with a rejected picture; `false`: without those whose pictures are all rejected.'),
  from: moment(false).optional().describe('A date or a time, inclusive.'),
  to: moment(true).optional().describe('A date (to its end) or a time, inclusive.'),
})

/** Query strings; empty ones were removed before. */
export const HistoryQuery = filters.extend({
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
  sort: z
    .enum(['newest', 'oldest', 'stars', 'cost'])
    .optional()
    .describe(
      '`newest` when left out. `stars` and `cost` begin with the most; amounts are compared whatever their currency.',
    ),
})

export const HistoryCountQuery = filters

export const HistoryCounts = z
  .object({
    generations: z.int(),
    images: z.int().describe('Their pictures; with `stars` or `rejected` only the pictures that are meant.'),
  })
  .meta({ id: 'HistoryCounts' })

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
    images: z
      .array(
        z
          .strictObject({
            index: z.int().min(0).max(10_000).describe('Position of the picture in the generation.'),
            stars: z.int().min(0).max(5).optional(),
            rejected: z.boolean().optional().describe('A rejected picture stays; it can be filtered out.'),
          })
          .meta({ id: 'PictureMarks' }),
      )
      .min(1)
      .max(200)
      .optional()
      .describe('Stars and rejections of pictures; what is left out stays as it is.'),
    cover: z
      .int()
      .min(0)
      .max(10_000)
      .nullable()
      .optional()
      .describe('Position of the picture that stands for the group; null for the first.'),
    answered: z
      .literal(true)
      .optional()
      .describe('Whoever asked was told the end: an equal request with `x-webimgui-join` is another one from now on.'),
  })
  .refine(
    change => Object.values(change).some(value => value !== undefined),
    'Give "favorite", "tags", "images", "cover" or "answered".',
  )
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
