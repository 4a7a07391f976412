/** What was made and spent. */
import { z } from 'zod'
import { Money, MonthlyCap, MonthlyImages } from './caps.ts'
import { moment } from './history.ts'

export const UsageQuery = z.strictObject({
  from: moment(false).optional().describe('A date or a time, inclusive; the first of this month (UTC) when left out.'),
  to: moment(true).optional().describe('A date (to its end) or a time, inclusive.'),
  group: z
    .enum(['day', 'model', 'configuration', 'token', 'user'])
    .optional()
    .describe(
      '`day` (UTC) when left out. What users made in sessions stands under the user among the tokens; tokens without a user stand among the users.',
    ),
  format: z.enum(['json', 'csv']).optional().describe('Otherwise as `Accept` asks.'),
})

export const UsageList = z
  .object({
    items: z.array(
      z.object({
        key: z
          .string()
          .describe(
            'A day, a model id, or the id of a configuration, token or user; `admin` for the access token of the server.',
          ),
        name: z.string(),
        images: z.int(),
        calls: z.int().describe('Paid requests.'),
        amount: z.number().describe('What is running, or may have been billed, counts with its highest possible cost.'),
        currency: z.string().nullable().describe('A key comes once for each currency; null: no price is known.'),
        unknown: z.int().describe('Generations that may have been billed, or for an unknown amount.'),
      }),
    ),
    for_all: z
      .object({
        monthly_cap: MonthlyCap.nullable(),
        monthly_images: MonthlyImages.nullable(),
        left: Money.nullable().describe('Running generations count with their highest possible cost.'),
        left_images: z.int().nullable(),
        renews_at: z.string(),
      })
      .optional()
      .describe(
        'For admins, where `MONTHLY_CAP` or `MONTHLY_CAP_IMAGES` is set: these caps and what is left of them, in this month whatever period was asked for.',
      ),
  })
  .meta({ id: 'UsageList', description: 'Deleting generations takes nothing away here.' })

export type UsageList = z.infer<typeof UsageList>
