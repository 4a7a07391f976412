/** What a request would make and cost, before it is sent. */
import { z } from 'zod'
import { Warning } from './generations.ts'

export const Estimate = z
  .object({
    model: z.string(),
    images: z.int().describe('Pictures that would be asked for.'),
    calls: z.int().describe('Paid requests that it takes.'),
    cost: z
      .object({ min: z.number(), max: z.number(), currency: z.string() })
      .nullable()
      .describe('From the least that a success costs to the most that can be billed; null where no price is known.'),
    reasons: z.array(z.string()).describe('Explains the cost, one sentence each.'),
    warnings: z.array(Warning),
  })
  .meta({ id: 'Estimate' })

export type Estimate = z.infer<typeof Estimate>
