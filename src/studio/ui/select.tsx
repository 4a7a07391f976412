import { Select as Base } from '@base-ui/react/select'
import { Check, ChevronsUpDown } from 'lucide-react'
import type { ReactNode } from 'react'
import { classes } from './classes.ts'
import { controlClasses, Field } from './field.tsx'

export interface SelectChoice<Value extends string> {
  value: Value
  label: string
  hint?: ReactNode
}

export interface SelectProps<Value extends string> {
  label: ReactNode
  value: Value
  choices: readonly SelectChoice<Value>[]
  onChange(value: Value): void
  hint?: ReactNode
  error?: ReactNode
  isLabelHidden?: boolean
  isDisabled?: boolean
  className?: string
}

/** A choice among many, in a list that opens. */
export function Select<Value extends string>(props: SelectProps<Value>) {
  const { label, value, choices, onChange, hint, error, isLabelHidden, isDisabled, className } = props
  return (
    <Field {...{ label, hint, error, isLabelHidden, className }}>
      {control => (
        <Base.Root
          items={choices.map(choice => ({ value: choice.value, label: choice.label }))}
          value={value}
          disabled={isDisabled}
          onValueChange={next => next !== null && onChange(next)}
        >
          <Base.Trigger
            {...control}
            className={classes(controlClasses, 'flex items-center justify-between gap-2 text-left')}
          >
            <Base.Value className="truncate" />
            <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-ink-faint" />
          </Base.Trigger>
          <Base.Portal>
            <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-50">
              <Base.Popup className={classes(popupClasses, 'max-h-(--available-height) min-w-(--anchor-width)')}>
                {choices.map(choice => (
                  <Base.Item key={choice.value} value={choice.value} className={itemClasses}>
                    <Base.ItemText className="flex-1">
                      <span className="block">{choice.label}</span>
                      {choice.hint && <span className="block text-ink-faint text-sm">{choice.hint}</span>}
                    </Base.ItemText>
                    <Base.ItemIndicator>
                      <Check aria-hidden className="size-4 text-seal-ink" />
                    </Base.ItemIndicator>
                  </Base.Item>
                ))}
              </Base.Popup>
            </Base.Positioner>
          </Base.Portal>
        </Base.Root>
      )}
    </Field>
  )
}

export const popupClasses =
  'overflow-y-auto rounded-2xl border border-line bg-raised p-1.5 text-ink shadow-float outline-none animate-appear'
export const itemClasses =
  'flex min-h-10 cursor-default select-none items-center gap-3 rounded-xl px-3 py-1.5 outline-none ' +
  'data-highlighted:bg-sunken data-disabled:opacity-45'
