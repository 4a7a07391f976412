/** The fields of a monthly cap: money with its currency, and pictures. */

import type { ChangeEvent } from 'react'
import { useText } from '../text/text.ts'
import { TextField } from '../ui/field.tsx'
import { Select } from '../ui/select.tsx'
import { type CapDraft, currencies } from './cap-draft.ts'

export interface CapFieldsProps {
  draft: CapDraft
  hint: string
  errorOf(field: 'amount' | 'images'): string | undefined
  onChange(next: Partial<CapDraft>): void
}

export function CapFields({ draft, hint, errorOf, onChange }: CapFieldsProps) {
  const t = useText()
  const control = (field: 'amount' | 'images') => ({
    error: errorOf(field),
    value: draft[field],
    onChange: (event: ChangeEvent<HTMLInputElement>) => onChange({ [field]: event.target.value }),
  })
  // A cap that was set with another currency keeps it.
  const offered = [...new Set([...currencies, draft.currency])]
  return (
    <fieldset>
      <legend className="font-medium text-ink-soft text-sm">{t('team.caps')}</legend>
      <p className="mt-0.5 mb-2.5 text-ink-faint text-sm">{hint}</p>
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-[1fr_8rem_1fr]">
        <TextField {...control('amount')} label={t('team.amount')} inputMode="decimal" placeholder="50" />
        <Select
          label={t('team.currency')}
          value={draft.currency}
          choices={offered.map(currency => ({ value: currency, label: currency }))}
          onChange={currency => onChange({ currency })}
        />
        <TextField
          {...control('images')}
          label={t('team.images')}
          inputMode="numeric"
          placeholder="300"
          className="max-sm:col-span-2"
        />
      </div>
      {draft.amount.trim() !== '' && <p className="mt-2 text-ink-faint text-sm">{t('team.currencyHint')}</p>}
    </fieldset>
  )
}
