/** Monthly caps as they stand in a form; empty for none. */
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

export function capDraftOf({ monthly_cap: cap, monthly_images: images }: Caps): CapDraft {
  return {
    amount: cap ? String(cap.amount) : '',
    currency: cap?.currency ?? noCaps.currency,
    images: images === null ? '' : String(images),
  }
}

export type CapFault = 'amount' | 'images'

/** What can be seen here; how large an amount may be is the server's to say. */
export function capFaultsOf({ amount, images }: CapDraft): CapFault[] {
  const faults: (CapFault | false)[] = [
    !/^(\d+([.,]\d+)?)?$/.test(amount.trim()) && 'amount',
    !/^\d*$/.test(images.trim()) && 'images',
  ]
  return faults.filter(fault => fault !== false)
}

/** As the server takes it, of a draft without faults. */
export function capsBodyOf({ amount, currency, images }: CapDraft): Caps {
  const money = amount.trim().replace(',', '.')
  return {
    monthly_cap: money === '' ? null : { amount: Number(money), currency },
    monthly_images: images.trim() === '' ? null : Number(images.trim()),
  }
}
