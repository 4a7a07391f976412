/** What may be spent in a calendar month (UTC). */
import { z } from 'zod'

export const Money = z.object({ amount: z.number(), currency: z.string() }).meta({ id: 'Money' })

export const MonthlyCap = z
  .strictObject({
    amount: z
      .number()
      .refine(amount => amount >= 0 && amount <= 1e9, 'Use an amount from 0 to 1000000000.')
      .describe('In whole units of the currency: 12.5.'),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'Use the three capital letters of a currency, such as CNY or USD.')
      .describe('Models that are priced in another currency do not count.'),
  })
  .meta({ id: 'MonthlyCap', description: 'The most that may be spent in a calendar month (UTC).' })

export const MonthlyImages = z
  .int()
  .refine(images => images >= 0 && images <= 1e8, 'Use a number from 0 to 100000000.')
  .meta({ description: 'The most pictures of a calendar month (UTC).' })
