/** The file of prices that the user keeps: JSON, model id → price, in the words of `GET /api/models`. */
import { z } from 'zod'
import type { Price } from '../providers/provider.ts'
import { readTextFile, TextFileError } from '../storage/text-file.ts'

/** What is wrong with the file, a sentence for each place. */
export class PriceFileError extends Error {
  override name = 'PriceFileError'
  readonly faults: { en: string; zh: string }[]

  constructor(faults: { en: string; zh: string }[], options: { cause?: unknown } = {}) {
    super(faults.map(({ en }) => en).join('\n'), options)
    this.faults = faults
  }
}

const amount = z.number('must be a number').nonnegative('must not be negative').max(1_000_000, 'is no price')
const steps = z.union(
  [
    amount.transform(one => [{ amount: one }]),
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
      .transform(list =>
        list.map(({ up_to_area, amount }) => ({ ...(up_to_area ? { upToArea: up_to_area } : {}), amount })),
      ),
  ],
  'must be an amount, or a list of steps such as {"up_to_area": 2250000, "amount": 0.25}, of which the last has no up_to_area',
)

const price = z
  .strictObject({
    currency: z.enum(['CNY', 'USD'], 'must be CNY or USD'),
    image: steps,
    layer: steps.nullish(),
    reference: z.strictObject({ amount, free: z.int().nonnegative().default(0) }).nullish(),
    factor_when: z.strictObject({ parameter: z.string().min(1), factor: z.number().positive() }).nullish(),
    certainty: z.enum(['documented', 'reported', 'inferred']).default('documented'),
    source: z.string().min(1).max(500).default('PRICES_FILE'),
    checked: z
      .string()
      .regex(/^\d{4}-\d\d(-\d\d)?$/, 'must be a month such as 2026-11, or a day')
      .optional(),
  })
  .nullable()

const file = z.record(z.string().min(1).max(200), price)

/**
 * By model id, alias or endpoint id; null where the user says that no price is known. `checked` is the day the file was read where
 * it is left out.
 * @throws PriceFileError
 */
export function readPriceFile(path: string): Map<string, Price | null> {
  const json = readJson(path)
  const result = file.safeParse(json)
  if (!result.success) {
    const faults = result.error.issues.slice(0, 10).map(({ path: place, message }) => {
      const where = place.map(String).join(' → ')
      return {
        en: `PRICES_FILE: ${where ? `"${where}"` : 'the whole'} of ${path}: ${message}.`,
        zh: `PRICES_FILE：${path} 中的${where ? ` "${where}" ` : '整体'}不正确：${message}`,
      }
    })
    throw new PriceFileError(faults)
  }
  const today = new Date().toISOString().slice(0, 10)
  return new Map(Object.entries(result.data).map(([id, one]) => [id, one && priceOf(one, today)]))
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readTextFile(path))
  } catch (error) {
    if (error instanceof TextFileError) {
      throw new PriceFileError([{ en: `PRICES_FILE: ${error.message}`, zh: `PRICES_FILE：${error.zh}` }], {
        cause: error,
      })
    }
    if (error instanceof SyntaxError) {
      const fault = {
        en: `PRICES_FILE names ${path}, which is not JSON (${error.message}).`,
        zh: `PRICES_FILE 指向的 ${path} 不是 JSON（${error.message}）。`,
      }
      throw new PriceFileError([fault], { cause: error })
    }
    const reason = error instanceof Error && 'code' in error ? error.code : error
    const fault = {
      en: `PRICES_FILE names ${path}, which cannot be read (${reason}).`,
      zh: `PRICES_FILE 指向的 ${path} 无法读取（${reason}）。`,
    }
    throw new PriceFileError([fault], { cause: error })
  }
}

function priceOf(one: NonNullable<z.output<typeof price>>, today: string): Price {
  return {
    currency: one.currency,
    image: one.image,
    ...(one.layer ? { layer: one.layer } : {}),
    ...(one.reference ? { reference: one.reference } : {}),
    ...(one.factor_when ? { factorWhen: one.factor_when } : {}),
    certainty: one.certainty,
    source: one.source,
    checked: one.checked ?? today,
  }
}
