import { type ReactNode, useId } from 'react'
import { classes } from './classes.ts'

export interface SegmentedProps<Value extends string> {
  label: string
  value: Value | undefined
  choices: readonly { value: Value; label: ReactNode; isDisabled?: boolean }[]
  onChange(value: Value): void
  className?: string
}

/** A choice among a few, all in sight. Radio buttons underneath, so arrow keys and screen readers work as everywhere. */
export function Segmented<Value extends string>({ label, value, choices, onChange, className }: SegmentedProps<Value>) {
  const name = useId()
  return (
    <fieldset className={classes('flex w-fit max-w-full flex-wrap gap-1 rounded-2xl bg-sunken p-1', className)}>
      <legend className="sr-only">{label}</legend>
      {choices.map(choice => (
        <label
          key={choice.value}
          className={classes(
            'flex min-h-9 cursor-pointer items-center gap-1.5 rounded-xl px-3 text-sm transition-colors',
            'has-focus-visible:outline-2 has-focus-visible:outline-seal-ink has-focus-visible:outline-offset-1',
            choice.value === value ? 'bg-raised font-medium text-ink shadow-card' : 'text-ink-soft hover:text-ink',
            choice.isDisabled && 'cursor-not-allowed opacity-45',
          )}
        >
          <input
            type="radio"
            name={name}
            className="sr-only"
            checked={choice.value === value}
            disabled={choice.isDisabled}
            onChange={() => onChange(choice.value)}
          />
          {choice.label}
        </label>
      ))}
    </fieldset>
  )
}
