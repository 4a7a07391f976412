/** Which models a token may use: all, or those that are ticked. */

import { Check } from 'lucide-react'
import { useId, useState } from 'react'
import { searchModels, useModels } from '../data/models.ts'
import { useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import { SearchInput } from '../ui/field.tsx'
import { Segmented } from '../ui/segmented.tsx'

export interface ModelsFieldProps {
  /** Ids; undefined: all. */
  chosen: readonly string[] | undefined
  error: string | undefined
  onChange(chosen: readonly string[] | undefined): void
}

export function ModelsField({ chosen, error, onChange }: ModelsFieldProps) {
  const t = useText()
  const id = useId()
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span className="font-medium text-ink-soft text-sm">{t('team.modelsLabel')}</span>
        <Segmented
          label={t('team.modelsLabel')}
          value={chosen ? 'some' : 'all'}
          choices={[
            { value: 'all', label: t('team.modelsAll') },
            { value: 'some', label: t('team.modelsSome') },
          ]}
          onChange={value => onChange(value === 'all' ? undefined : (chosen ?? []))}
        />
      </div>
      {chosen && <Choices chosen={chosen} errorId={error ? `${id}-error` : undefined} onChange={onChange} />}
      {error && (
        <p id={`${id}-error`} role="alert" className="text-seal-ink text-sm">
          {error}
        </p>
      )}
    </div>
  )
}

interface ChoicesProps {
  chosen: readonly string[]
  errorId: string | undefined
  onChange(chosen: readonly string[]): void
}

function Choices({ chosen, errorId, onChange }: ChoicesProps) {
  const t = useText()
  const models = useModels()
  const [words, setWords] = useState('')
  const groups = searchModels(
    models,
    words,
    ({ id, name, provider_name: provider }) => [id, name, provider],
    ({ id, state }) => state === 'current' || words !== '' || chosen.includes(id),
  )
  return (
    <div className="overflow-hidden rounded-xl border border-line bg-raised">
      <div className="relative border-line border-b">
        <SearchInput
          label={t('generate.searchModels')}
          aria-invalid={errorId ? true : undefined}
          aria-describedby={errorId}
          value={words}
          onChange={event => setWords(event.target.value)}
          // Enter looks for models here and does not make the token.
          onKeyDown={event => event.key === 'Enter' && event.preventDefault()}
          className="rounded-none border-0 bg-transparent pr-24 -outline-offset-2"
        />
        <span role="status" className="absolute top-1/2 right-3 -translate-y-1/2 text-ink-faint text-sm tabular-nums">
          {t('gallery.selected', { count: chosen.length })}
        </span>
      </div>
      <div className="max-h-60 overflow-y-auto p-2">
        {groups.size === 0 && <p className="p-3 text-center text-ink-soft text-sm">{t('generate.noModelFound')}</p>}
        {[...groups].map(([provider, members]) => (
          <fieldset key={provider} className="not-last:mb-2">
            <legend className="px-2 pt-1 text-ink-faint text-xs">{members[0]?.provider_name}</legend>
            {members.map(({ id, name }) => {
              const isChosen = chosen.includes(id)
              return (
                <label
                  key={id}
                  className="flex min-h-10 cursor-pointer items-center gap-3 rounded-lg px-2 py-1 hover:bg-sunken has-focus-visible:outline-2 has-focus-visible:outline-seal-ink has-focus-visible:-outline-offset-2"
                >
                  <input
                    type="checkbox"
                    className="sr-only"
                    checked={isChosen}
                    onChange={() => onChange(isChosen ? chosen.filter(other => other !== id) : [...chosen, id])}
                  />
                  <span
                    aria-hidden
                    className={classes(
                      'grid size-5 shrink-0 place-items-center rounded-md border',
                      isChosen ? 'border-seal bg-seal text-on-seal' : 'border-line-strong',
                    )}
                  >
                    {isChosen && <Check className="size-4" />}
                  </span>
                  <span className="min-w-0 flex-1">{name}</span>
                  <span className="min-w-0 truncate text-ink-faint text-xs max-sm:hidden">{id}</span>
                </label>
              )
            })}
          </fieldset>
        ))}
      </div>
    </div>
  )
}
