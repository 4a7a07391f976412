import { type ReactNode, useId } from 'react'
import { classes } from './classes.ts'

export interface SwitchProps {
  label: ReactNode
  hint?: ReactNode
  /** The label is only read out. */
  isLabelHidden?: boolean
  isOn: boolean
  onChange(isOn: boolean): void
  isDisabled?: boolean
  className?: string
}

/** A setting that is on or off, and changes at once. */
export function Switch({ label, hint, isLabelHidden, isOn, onChange, isDisabled, className }: SwitchProps) {
  const id = useId()
  return (
    <div className={classes('flex items-start gap-3', className)}>
      <button
        type="button"
        role="switch"
        id={id}
        aria-checked={isOn}
        aria-labelledby={`${id}-label`}
        aria-describedby={hint ? `${id}-hint` : undefined}
        disabled={isDisabled}
        onClick={() => onChange(!isOn)}
        className="group grid h-10 w-12 shrink-0 place-items-center disabled:opacity-50"
      >
        <span
          className={classes(
            'flex h-6 w-11 items-center rounded-full border px-0.5 transition-colors',
            isOn ? 'border-seal bg-seal' : 'border-line-strong bg-sunken',
          )}
        >
          <span
            className={classes(
              'size-4.5 rounded-full shadow-card transition-transform',
              isOn ? 'translate-x-4.75 bg-on-seal' : 'bg-ink-soft',
            )}
          />
        </span>
      </button>
      <div className={isLabelHidden ? 'sr-only' : 'min-w-0 pt-2'}>
        <label id={`${id}-label`} htmlFor={id} className="block font-medium text-sm">
          {label}
        </label>
        {hint && (
          <p id={`${id}-hint`} className="text-ink-faint text-sm">
            {hint}
          </p>
        )}
      </div>
    </div>
  )
}
