/** The file of prices that the user keeps: JSON, model id → price, in the words of `GET /api/models`. */
import { z } from 'zod'
import { readPrice } from '../catalogue/card.ts'
import type { Price } from '../catalogue/model.ts'
import { readOwnFile } from './own-file.ts'

const amount = z.number('must be a number').nonnegative('must not be negative').max(1_000_000, 'is not a price')
const steps = z.union(
  [
    amount.transform(one => [{ up_to_area: null, amount: one }]),
    z
      .array(z.strictObject({ up_to_area: z.int().positive().nullish(), amount }))
      .min(1)
      .refine(
        list =>
          list.every(({ up_to_area }, index) =>
            index === list.length - 1 ? up_to_area == null : (up_to_area ?? 0) > (list[index - 1]?.up_to_area ?? 0),
          ),
        'must list steps with growing up_to_area, and a last one without',
      )
      .transform(list => list.map(({ up_to_area = null, amount }) => ({ up_to_area, amount }))),
  ],
  'must be an amount, or a list of steps such as {"up_to_area": 2250000, "amount": 0.25}, of which the last has no up_to_area',
)

export const priceForm = z
  .strictObject({
    currency: z.enum(['CNY', 'USD'], 'must be CNY or USD'),
    image: steps,
    layer: steps.nullable().default(null),
    reference: z
      .strictObject({ amount, free: z.int().nonnegative().default(0) })
      .nullable()
      .default(null),
    factor_when: z
      .strictObject({ parameter: z.string().min(1), factor: z.number().positive() })
      .nullable()
      .default(null),
    certainty: z.enum(['documented', 'reported', 'inferred']).default('documented'),
    source: z.string().min(1).max(500).optional(),
    checked: z
      .string()
      .regex(/^\d{4}-\d\d(-\d\d)?$/, 'must be a month such as 2026-11, or a day')
      .optional(),
  })
  .nullable()

const file = z.record(z.string().min(1).max(200), priceForm)

/**
 * By model id, alias or endpoint id; null where the user says that no price is known. `checked` is the day the file was read where
 * it is left out.
 * @throws OwnFileError
 */
export function readPriceFile(path: string): Map<string, Price | null> {
  const variable = 'PRICES_FILE'
  const prices = readOwnFile(variable, path, file)
  return new Map(Object.entries(prices).map(([id, price]) => [id, price && completePrice(price, variable)]))
}

/** `source` is what stands for one that is left out. */
export function completePrice(price: NonNullable<z.output<typeof priceForm>>, source: string): Price {
  return readPrice({ source, checked: new Date().toISOString().slice(0, 10), ...price })
}
