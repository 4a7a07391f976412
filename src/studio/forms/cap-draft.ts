/** Monthly caps in a form. */
import { t } from '../text/text.ts'

/** As written; empty for none. */
export interface CapDraft {
  amount: string
  currency: string
  images: string
}

export const currencies = ['CNY', 'USD'] as const

export const noCaps: CapDraft = { amount: '', currency: 'CNY', images: '' }

interface Caps {
  monthly_cap: { amount: number; currency: string } | null
  monthly_images: number | null
}

export function toCapDraft({ monthly_cap: cap, monthly_images: images }: Caps): CapDraft {
  return {
    amount: cap ? String(cap.amount) : '',
    currency: cap?.currency ?? noCaps.currency,
    images: images === null ? '' : String(images),
  }
}

/** Where the server reports a fault of each. */
export const capPaths = { amount: 'monthly_cap', images: 'monthly_images' } as const

/** What can be seen here; how large an amount may be is the server's to say. */
export function findCapFaults({ amount, images }: CapDraft) {
  return {
    amount: !/^(\d+([.,]\d+)?)?$/.test(amount.trim()) && t('team.amountFault'),
    images: !/^\d*$/.test(images.trim()) && t('team.imagesFault'),
  }
}

/** As the server takes it, of a draft without faults. */
export function capsToBody({ amount, currency, images }: CapDraft): Caps {
  const money = amount.trim().replace(',', '.')
  return {
    monthly_cap: money === '' ? null : { amount: Number(money), currency },
    monthly_images: images.trim() === '' ? null : Number(images.trim()),
  }
}
