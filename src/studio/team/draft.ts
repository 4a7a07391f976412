/** What stands in the form of a new token. It outlives a reload of the page. */
import type { NewTokenInput } from '../api.ts'

export interface TokenDraft {
  name: string
  role: 'member' | 'admin'
  /** As written; empty for no cap. */
  amount: string
  currency: string
  images: string
  /** Undefined: all. */
  models: readonly string[] | undefined
}

export const currencies = ['CNY', 'USD'] as const

export const newDraft: TokenDraft = {
  name: '',
  role: 'member',
  amount: '',
  currency: 'CNY',
  images: '',
  models: undefined,
}

/** Of this page alone: another tab may be making another token. */
const storageKey = 'webimgui.token'

export function readDraft(): TokenDraft {
  const kept = sessionStorage.getItem(storageKey)
  return kept === null ? newDraft : { ...newDraft, ...(JSON.parse(kept) as Partial<TokenDraft>) }
}

export function keepDraft(draft: TokenDraft | undefined) {
  if (draft) sessionStorage.setItem(storageKey, JSON.stringify(draft))
  else sessionStorage.removeItem(storageKey)
}

export type DraftFault = 'name' | 'amount' | 'images' | 'models'

/** What can be seen here; how large an amount may be, and the like, is the server's to say. */
export function faultsOf({ name, amount, images, models }: TokenDraft): DraftFault[] {
  const faults: (DraftFault | false)[] = [
    name.trim() === '' && 'name',
    !/^(\d+([.,]\d+)?)?$/.test(amount.trim()) && 'amount',
    !/^\d*$/.test(images.trim()) && 'images',
    models?.length === 0 && 'models',
  ]
  return faults.filter(fault => fault !== false)
}

/** As the server takes it, of a draft without faults. */
export function bodyOf({ name, role, amount, currency, images, models }: TokenDraft): NewTokenInput {
  const money = amount.trim().replace(',', '.')
  return {
    name: name.trim(),
    role,
    monthly_cap: money === '' ? null : { amount: Number(money), currency },
    monthly_images: images.trim() === '' ? null : Number(images.trim()),
    models: models ? [...models] : null,
  }
}
