import { type FormEvent, useEffect, useId, useState } from 'react'
import { flushSync } from 'react-dom'
import { ApiError } from '../../client/errors.ts'
import { describeRefusal } from '../text/violations.ts'

export interface FormOptions<Draft, Field extends string> {
  start(): Draft
  /** So that it outlives a reload of the page. */
  keep?(draft: NoInfer<Draft>): void
  /** What can be seen here to be wrong, in words; shown once somebody has tried to send it. */
  findFaults(draft: NoInfer<Draft>): { [Name in Field]?: string | false }
  /** Where the server reports a fault of each field. */
  paths: Readonly<Record<Field, string>>
  isBusy: boolean
  /** What became of the last try. */
  error: unknown
  /** What was said of the last try holds no longer. */
  forget(): void
}

/** What stands in a form, what is wrong with it, and the way to the first fault. */
export function useForm<Draft, Field extends string>(options: FormOptions<Draft, Field>) {
  const { start, keep, findFaults, paths, isBusy, error, forget } = options
  const id = useId()
  const [draft, setDraft] = useState(start)
  const [areFaultsShown, setFaultsShown] = useState(false)
  const faults = findFaults(draft)
  const refused = error instanceof ApiError ? (error.problem?.errors ?? []) : []
  function refusalOf(field: Field) {
    const refusal = refused.find(({ path }) => path.split('.')[0] === paths[field])
    return refusal && describeRefusal(refusal)
  }

  useEffect(() => {
    if (error) focusFault(id)
  }, [error, id])

  return {
    id,
    draft,
    /** All that went wrong is said beside the fields. */
    isExplained: (Object.keys(paths) as Field[]).some(field => refusalOf(field) !== undefined),
    errorOf: (field: Field): string | undefined => (areFaultsShown && faults[field]) || refusalOf(field),
    change(next: Partial<Draft>) {
      const changed = { ...draft, ...next }
      setDraft(changed)
      keep?.(changed)
      forget()
    },
    /** For `onSubmit`: sends what is without a fault, once. */
    submit: (send: () => Promise<unknown>) => (event: FormEvent) => {
      event.preventDefault()
      // A form in a dialog lies inside the page that has opened it, also where it is drawn elsewhere.
      event.stopPropagation()
      flushSync(() => setFaultsShown(true))
      if (isBusy) return
      if (Object.values(faults).some(Boolean)) focusFault(id)
      // What goes wrong is shown beside its field, or below all of them.
      else void send().catch(() => undefined)
    },
  }
}

/** To the first field of the form that is wrong. */
function focusFault(form: string) {
  document.getElementById(form)?.querySelector<HTMLElement>('[aria-invalid]')?.focus()
}
