/** Caps as columns. Money is stored in millionths, because sums of integers are exact. */
import type { Caps, Money } from './records.ts'

/** Of `amounts`, one a currency. */
export interface Totals {
  images: number
  amounts: Money[]
}

export interface CapColumns {
  monthly_cap_amount: number | null
  monthly_cap_currency: string | null
  monthly_images: number | null
}

export function capColumns({ monthlyCap, monthlyImages }: Caps): CapColumns {
  return {
    monthly_cap_amount: monthlyCap && toMillionths(monthlyCap.amount),
    monthly_cap_currency: monthlyCap?.currency ?? null,
    monthly_images: monthlyImages,
  }
}

/** Columns of the caps that are given. */
export function changedCapColumns({ monthlyCap, monthlyImages }: Partial<Caps>): Partial<CapColumns> {
  const { monthly_images, ...money } = capColumns({
    monthlyCap: monthlyCap ?? null,
    monthlyImages: monthlyImages ?? null,
  })
  return {
    ...(monthlyCap === undefined ? {} : money),
    ...(monthlyImages === undefined ? {} : { monthly_images }),
  }
}

export function toCaps(row: CapColumns): Caps {
  const { monthly_cap_amount: amount, monthly_cap_currency: currency } = row
  return {
    monthlyCap: amount === null || currency === null ? null : { amount: fromMillionths(amount), currency },
    monthlyImages: row.monthly_images === null ? null : Number(row.monthly_images),
  }
}

/** Sums by currency, as they come from a database. */
export function toTotals(rows: readonly { currency: string | null; images: Sum; amount: Sum | null }[]): Totals {
  return {
    images: rows.reduce((sum, row) => sum + Number(row.images), 0),
    amounts: rows.flatMap(({ currency, amount }) =>
      currency === null ? [] : [{ amount: fromMillionths(amount ?? 0), currency }],
    ),
  }
}

type Sum = number | string | bigint

export function toMillionths(amount: number) {
  return Math.round(amount * 1e6)
}

/** PostgreSQL returns sums as text. */
export function fromMillionths(millionths: number | string | bigint) {
  return Number(millionths) / 1e6
}
