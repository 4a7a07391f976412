import { Search } from 'lucide-react'
import { type ComponentProps, type ReactNode, useId } from 'react'
import { classes } from './classes.ts'

export const controlClasses =
  'w-full min-h-10 rounded-xl border border-line bg-raised px-3 py-2 text-ink transition-colors hover:border-line-strong ' +
  'aria-invalid:border-seal disabled:opacity-60'

interface FieldLabels {
  label: ReactNode
  /** Limits and meaning, beside the field and not after the request. */
  hint?: ReactNode
  error?: ReactNode
  /** The label is only read out. */
  isLabelHidden?: boolean
  className?: string
}

export interface FieldProps extends FieldLabels {
  children: (control: {
    id: string
    'aria-describedby': string | undefined
    'aria-invalid': true | undefined
  }) => ReactNode
}

/** A label, its control, and what has to be known about it. */
export function Field({ label, hint, error, isLabelHidden, className, children }: FieldProps) {
  const id = useId()
  const describedBy = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ')
  return (
    <div className={classes('flex flex-col gap-1.5', className)}>
      <label htmlFor={id} className={isLabelHidden ? 'sr-only' : 'font-medium text-ink-soft text-sm'}>
        {label}
      </label>
      {children({ id, 'aria-describedby': describedBy || undefined, 'aria-invalid': error ? true : undefined })}
      {hint && (
        <p id={`${id}-hint`} className="text-ink-faint text-sm">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} role="alert" className="text-seal-ink text-sm">
          {error}
        </p>
      )}
    </div>
  )
}

export interface TextFieldProps extends FieldLabels, Omit<ComponentProps<'input'>, 'className'> {}

export function TextField({ label, hint, error, isLabelHidden, className, ...rest }: TextFieldProps) {
  return (
    <Field {...{ label, hint, error, isLabelHidden, className }}>
      {control => <input type="text" autoComplete="off" {...rest} {...control} className={controlClasses} />}
    </Field>
  )
}

/** To look for something in what is below it. */
export function SearchInput({ label, className, ...rest }: ComponentProps<'input'> & { label: string }) {
  return (
    <>
      <Search aria-hidden className="absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-faint" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        {...rest}
        className={classes(controlClasses, 'pl-9', className)}
      />
    </>
  )
}

export interface TextAreaProps extends FieldLabels, Omit<ComponentProps<'textarea'>, 'className'> {
  isCode?: boolean
}

export function TextArea({ label, hint, error, isLabelHidden, className, isCode, ...rest }: TextAreaProps) {
  return (
    <Field {...{ label, hint, error, isLabelHidden, className }}>
      {control => (
        <textarea
          rows={3}
          {...rest}
          {...control}
          spellCheck={!isCode}
          className={classes(controlClasses, 'resize-y', isCode && 'font-mono text-sm')}
        />
      )}
    </Field>
  )
}
