/** The form of the chosen models, drawn from what each says that it accepts. */

import { ChevronDown, Dices, Minus, Plus } from 'lucide-react'
import { limitImages } from '../../catalogue/counts.ts'
import type { ValueSchema } from '../../catalogue/json-schema.ts'
import type { JsonObject } from '../../catalogue/model.ts'
import type { Model } from '../data/models.ts'
import { findText, useText } from '../text/text.ts'
import { IconButton } from '../ui/button.tsx'
import { controlClasses, Field } from '../ui/field.tsx'
import { Badge } from '../ui/states.tsx'
import type { Draft } from './draft.ts'
import { listSchemas, type Plan, toCard } from './plan.ts'
import { ClearButton, parameterLabel, SchemaField } from './schema-field.tsx'
import { SizeField } from './size-field.tsx'

/** Parameters that most people use; every other stands under "more". */
const common = ['negative_prompt', 'prompt_extend', 'watermark']
/** These have controls of their own. */
const own = ['size', 'n', 'seed']

export interface SettingsProps {
  draft: Draft
  models: readonly Model[]
  plans: readonly Plan[]
  onChange(change: Partial<Draft>): void
}

export function Settings({ draft, models, plans, onChange }: SettingsProps) {
  const t = useText()
  const schemas = joined(models)
  const setValue = (name: string, value: unknown) => {
    const { [name]: _, ...others } = draft.values
    onChange({ values: value === undefined ? others : { ...others, [name]: value } })
  }
  const field = (name: string) => (
    // Another model may have other choices under the same name.
    <SchemaField
      key={`${name} ${models.map(model => model.family).join()}`}
      name={name}
      schema={schemas[name] ?? {}}
      value={draft.values[name]}
      onChange={value => setValue(name, value)}
    />
  )
  const extras = Object.keys(schemas).filter(name => !common.includes(name) && !own.includes(name))
  const set = extras.filter(name => draft.values[name] !== undefined)
  return (
    <div className="flex flex-col gap-5">
      <SizeField plans={plans} choice={draft.size} onChange={size => onChange({ size })} />
      <CountField draft={draft} models={models} onChange={count => onChange({ count })} />
      {schemas.seed && (
        <SeedField schema={schemas.seed} value={draft.values.seed} onChange={seed => setValue('seed', seed)} />
      )}
      {common.filter(name => schemas[name]).map(field)}
      {extras.length > 0 && (
        <details className="group rounded-2xl border border-line bg-sheet" open={set.length > 0 || undefined}>
          <summary className="flex min-h-11 list-none items-center gap-2 rounded-2xl px-4 font-medium text-ink-soft text-sm hover:text-ink">
            <ChevronDown aria-hidden className="size-4 transition-transform group-open:rotate-180" />
            {t('generate.extras')}
            {set.length > 0 && <Badge look="good">{t('generate.extrasSet', { count: set.length })}</Badge>}
            <span className="min-w-0 flex-1 truncate text-right font-normal text-ink-faint group-open:hidden">
              {extras.map(parameterLabel).join(' · ')}
            </span>
          </summary>
          <div className="flex flex-col gap-5 px-4 pt-1 pb-4">{extras.map(field)}</div>
        </details>
      )}
    </div>
  )
}

/** Every parameter that one of the models has; where several have it, as the first describes it. */
function joined(models: readonly Model[]): Record<string, ValueSchema> {
  return Object.assign({}, ...models.map(listSchemas).toReversed())
}

interface CountFieldProps {
  draft: Draft
  models: readonly Model[]
  onChange(count: number): void
}

function CountField({ draft, models, onChange }: CountFieldProps) {
  const t = useText()
  const request = { references: draft.references.length, parameters: draft.values as JsonObject }
  const most = Math.max(1, ...models.map(model => limitImages(toCard(model), request)))
  const count = Math.min(draft.count, most)
  const isGroup = count > 1 && models.some(model => model.images.group?.asked_by === null)
  if (most === 1) return null
  return (
    <div className="flex items-center justify-between gap-3">
      <div className="min-w-0">
        <span id="count" className="font-medium text-ink-soft text-sm">
          {t('parameters.n')}
        </span>
        <p className="text-ink-faint text-sm">
          {t('generate.upTo', { most })}
          {isGroup && <span className="block">{t('generate.countGroup')}</span>}
        </p>
      </div>
      <div className="flex items-center rounded-full border border-line bg-raised">
        <IconButton
          icon={Minus}
          iconSize={4}
          label={t('generate.fewer')}
          disabled={count <= 1}
          onClick={() => onChange(count - 1)}
        />
        <input
          aria-labelledby="count"
          type="number"
          inputMode="numeric"
          min={1}
          max={most}
          value={count}
          onChange={event => {
            const wanted = Math.round(event.target.valueAsNumber)
            if (Number.isFinite(wanted)) onChange(Math.min(Math.max(wanted, 1), most))
          }}
          className="h-10 w-10 bg-transparent text-center font-medium tabular-nums [appearance:textfield] [&::-webkit-inner-spin-button]:appearance-none"
        />
        <IconButton
          icon={Plus}
          iconSize={4}
          label={t('generate.more')}
          disabled={count >= most}
          onClick={() => onChange(count + 1)}
        />
      </div>
    </div>
  )
}

interface SeedFieldProps {
  schema: ValueSchema
  value: unknown
  onChange(seed: number | undefined): void
}

/** Services take different ranges; within this one all of them do. */
const maxSeed = 2_147_483_647

function SeedField({ schema, value, onChange }: SeedFieldProps) {
  const t = useText()
  const seed = typeof value === 'number' ? value : undefined
  return (
    <Field label={parameterLabel('seed')} hint={findText('hints', 'seed') ?? schema.description}>
      {control => (
        <div className="flex items-center gap-1">
          <input
            {...control}
            type="number"
            inputMode="numeric"
            min={schema.minimum}
            max={schema.maximum}
            step={1}
            placeholder={t('generate.seedRandom')}
            value={seed ?? ''}
            onChange={event => onChange(event.target.value === '' ? undefined : Math.round(event.target.valueAsNumber))}
            className={`${controlClasses} tabular-nums`}
          />
          <IconButton icon={Dices} label={t('generate.rollSeed')} onClick={() => onChange(rolled(schema.maximum))} />
          {seed !== undefined && <ClearButton label={parameterLabel('seed')} onClear={() => onChange(undefined)} />}
        </div>
      )}
    </Field>
  )
}

export function rolled(most = maxSeed) {
  return Math.floor(Math.random() * Math.min(most, maxSeed))
}
