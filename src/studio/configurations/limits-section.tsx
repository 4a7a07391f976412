/** How much a key may do, and its part of the work beside others. Folded until something is set. */
import { ChevronDown } from 'lucide-react'
import { useState } from 'react'
import { CapFields } from '../forms/cap-fields.tsx'
import { useText } from '../text/text.ts'
import { TextField } from '../ui/field.tsx'
import { Badge } from '../ui/states.tsx'
import { type ConfigurationDraft, type LimitField, limitCount, limitPaths } from './draft.ts'

export interface LimitsSectionProps {
  draft: ConfigurationDraft
  /** There is another of the same service at the same address. */
  sharesWork: boolean
  errorOf(field: LimitField): string | undefined
  onChange(next: Partial<ConfigurationDraft>): void
}

export function LimitsSection({ draft, sharesWork, errorOf, onChange }: LimitsSectionProps) {
  const t = useText()
  const count = limitCount(draft)
  const [isOpen, setOpen] = useState(count > 0)
  // A field that is emptied must not go from under the cursor.
  const [hadWeight] = useState(draft.weight.trim() !== '')
  // A fault in a folded section could not be seen.
  const hasFault = (Object.keys(limitPaths) as LimitField[]).some(field => errorOf(field) !== undefined)
  const number = (field: 'weight' | 'maxRunning' | 'perMinute', placeholder: string) => (
    <TextField
      label={t(`configurations.${field}`)}
      hint={t(`configurations.${field}Hint`)}
      error={errorOf(field)}
      inputMode="numeric"
      placeholder={placeholder}
      value={draft[field]}
      onChange={event => onChange({ [field]: event.target.value })}
    />
  )
  return (
    <details
      className="group rounded-2xl border border-line bg-sheet"
      open={isOpen || hasFault}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary className="flex min-h-11 list-none items-center gap-2 rounded-2xl px-4 font-medium text-ink-soft text-sm hover:text-ink">
        <ChevronDown aria-hidden className="size-4 transition-transform group-open:rotate-180" />
        {t('configurations.limits')}
        {count > 0 && <Badge look="good">{t('generate.extrasSet', { count })}</Badge>}
      </summary>
      <div className="flex flex-col gap-5 px-4 pt-1 pb-4">
        <div className="grid gap-x-4 gap-y-5 sm:grid-cols-2">
          {number('maxRunning', '4')}
          {number('perMinute', '60')}
        </div>
        {(sharesWork || hadWeight) && number('weight', '1')}
        <CapFields draft={draft} hint={t('configurations.capsHint')} errorOf={errorOf} onChange={onChange} />
      </div>
    </details>
  )
}
