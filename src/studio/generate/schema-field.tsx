/** A control for any parameter, drawn from its JSON Schema: a new model needs no new form. */
import { X } from 'lucide-react'
import { useState } from 'react'
import { checkValue, type ValueSchema } from '../../catalogue/json-schema.ts'
import { findText, useText } from '../text/text.ts'
import { describeValue } from '../text/violations.ts'
import { IconButton } from '../ui/button.tsx'
import { controlClasses, Field, TextArea, TextField } from '../ui/field.tsx'
import { Segmented, type SegmentedProps } from '../ui/segmented.tsx'
import { Select } from '../ui/select.tsx'
import { Switch } from '../ui/switch.tsx'

export interface SchemaFieldProps {
  name: string
  schema: ValueSchema
  /** Undefined leaves it to the service. */
  value: unknown
  onChange(value: unknown): void
}

export function parameterLabel(name: string) {
  return findText('parameters', name) ?? name.replaceAll('_', ' ')
}

/** Up to this many choices stand side by side. */
const maxSegments = 4

export function SchemaField({ name, schema, value, onChange }: SchemaFieldProps) {
  const t = useText()
  const label = parameterLabel(name)
  const hint = findText('hints', name) ?? schema.description
  const [type] = [schema.type].flat()

  if (schema.enum) {
    const choices = schema.enum.map(item => ({ value: String(item), label: String(item) }))
    const withAutomatic =
      schema.default === undefined ? [{ value: '', label: t('generate.automatic') }, ...choices] : choices
    const OneOf = withAutomatic.length > maxSegments ? Select<string> : LabelledSegments
    return (
      <OneOf
        {...{ label, hint }}
        value={String(value ?? schema.default ?? '')}
        choices={withAutomatic}
        onChange={text => onChange(schema.enum?.find(item => text !== '' && String(item) === text))}
      />
    )
  }
  if (type === 'boolean') {
    if (typeof schema.default === 'boolean') {
      return <Switch label={label} hint={hint} isOn={(value ?? schema.default) === true} onChange={onChange} />
    }
    const choices = [
      { value: '', label: t('generate.automatic') },
      { value: 'true', label: t('generate.on') },
      { value: 'false', label: t('generate.off') },
    ]
    return (
      <LabelledSegments
        {...{ label, hint, choices }}
        value={typeof value === 'boolean' ? String(value) : ''}
        onChange={text => onChange(text === '' ? undefined : text === 'true')}
      />
    )
  }
  if (type === 'integer' || type === 'number') return <NumberField {...{ label, hint, schema, value, onChange }} />
  if (type === 'string') {
    const violation = value === undefined || value === '' ? undefined : checkValue(schema, value)[0]
    const isLong = schema.maxLength === undefined ? schema.pattern === undefined : schema.maxLength > 100
    const shared = {
      ...{ label, hint },
      value: typeof value === 'string' ? value : '',
      error: violation && describeValue(violation),
    }
    const change = (text: string) => onChange(text === '' ? undefined : text)
    return isLong ? (
      <TextArea {...shared} rows={2} onChange={event => change(event.target.value)} />
    ) : (
      <TextField {...shared} onChange={event => change(event.target.value)} />
    )
  }
  return <JsonField {...{ label, hint, schema, value, onChange }} />
}

function LabelledSegments({ hint, ...props }: SegmentedProps<string> & { hint: string | undefined }) {
  return (
    <div className="flex flex-col gap-1.5">
      <span aria-hidden className="font-medium text-ink-soft text-sm">
        {props.label}
      </span>
      <Segmented {...props} />
      {hint && <p className="text-ink-faint text-sm">{hint}</p>}
    </div>
  )
}

interface ControlProps {
  label: string
  hint: string | undefined
  schema: ValueSchema
  value: unknown
  onChange(value: unknown): void
}

/** A slider beside the number where both ends are near enough to slide between them. */
function NumberField({ label, hint, schema, value, onChange }: ControlProps) {
  const t = useText()
  const { minimum, maximum } = schema
  const isInteger = schema.type === 'integer'
  const violation = value === undefined ? undefined : checkValue(schema, value)[0]
  const canSlide = minimum !== undefined && maximum !== undefined && maximum - minimum <= 1000
  const step = isInteger ? 1 : canSlide && maximum - minimum <= 2 ? 0.05 : 0.1
  const number = typeof value === 'number' ? value : undefined
  const bounds = minimum !== undefined && maximum !== undefined ? ` ${minimum}–${maximum}` : ''
  return (
    <Field label={`${label}${bounds}`} hint={hint} error={violation && describeValue(violation)}>
      {control => (
        <div className="flex items-center gap-2">
          {canSlide && (
            <input
              type="range"
              aria-label={label}
              min={minimum}
              max={maximum}
              step={step}
              value={number ?? (minimum + maximum) / 2}
              onChange={event => onChange(Number(event.target.value))}
              className={`h-10 min-w-0 flex-1 accent-seal ${number === undefined ? 'opacity-50' : ''}`}
            />
          )}
          <input
            {...control}
            type="number"
            inputMode={isInteger ? 'numeric' : 'decimal'}
            min={minimum}
            max={maximum}
            step={isInteger ? 1 : 'any'}
            placeholder={t('generate.automatic')}
            value={number ?? ''}
            onChange={event => onChange(event.target.value === '' ? undefined : Number(event.target.value))}
            className={`${controlClasses} ${canSlide ? 'max-w-28' : ''}`}
          />
          {number !== undefined && <ClearButton label={label} onClear={() => onChange(undefined)} />}
        </div>
      )}
    </Field>
  )
}

/** Leaves it to the service again. */
export function ClearButton({ label, onClear }: { label: string; onClear(): void }) {
  const t = useText()
  return <IconButton icon={X} iconSize={4} label={`${t('generate.clear')}: ${label}`} onClick={onClear} />
}

/** For lists and objects. What is being written need not be right yet; only what is right is taken over. */
function JsonField({ label, hint, schema, value, onChange }: ControlProps) {
  const t = useText()
  const [text, setText] = useState(() => (value === undefined ? '' : JSON.stringify(value, null, 1)))
  const read = parse(text)
  const violation = read.isJson && read.value !== undefined ? checkValue(schema, read.value)[0] : undefined
  return (
    <TextArea
      {...{ label, hint }}
      isCode
      rows={3}
      value={text}
      placeholder={describeExample(schema)}
      error={!read.isJson ? t('generate.jsonFault') : violation && describeValue(violation)}
      onChange={event => {
        setText(event.target.value)
        const next = parse(event.target.value)
        const isRight = next.isJson && (next.value === undefined || checkValue(schema, next.value).length === 0)
        onChange(isRight ? next.value : undefined)
      }}
    />
  )
}

function parse(text: string): { isJson: true; value: unknown } | { isJson: false } {
  if (text.trim() === '') return { isJson: true, value: undefined }
  try {
    return { isJson: true, value: JSON.parse(text) as unknown }
  } catch {
    return { isJson: false }
  }
}

/** The outline of a value, such as `[{"hex": "…", "ratio": "…"}]`. */
function describeExample(schema: ValueSchema): string {
  if (schema.type === 'array') return `[${schema.items ? describeExample(schema.items) : ''}]`
  if (schema.type === 'object') {
    const members = Object.entries(schema.properties ?? {}).map(([name, item]) => `"${name}": ${describeExample(item)}`)
    return `{${members.join(', ')}}`
  }
  return schema.type === 'string' ? '"…"' : '0'
}
