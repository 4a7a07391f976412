/** In what the pictures differ, as a table; what is the same for all of them in one line. */
import { Fragment, type ReactNode } from 'react'
import type { Generation } from '../data/generations.ts'
import { formatImageSize } from '../data/images.ts'
import { type Model, nameOfModel, useModels } from '../data/models.ts'
import { duration, money } from '../text/format.ts'
import { formatLabel, formatValue } from '../text/settings.ts'
import { type Text, useText } from '../text/text.ts'
import { difference } from '../text/text-diff.ts'
import { Difference } from '../ui/difference.tsx'
import type { Compared } from './compared.ts'
import { letterOf } from './letters.ts'

interface Row {
  label: string
  values: string[]
  cells?: ReactNode[]
}

/** Shown by other rows. */
const shownElsewhere = new Set(['n', 'size'])

export function DifferenceTable({ compared }: { compared: readonly Compared[] }) {
  const t = useText()
  const rows = toRows(compared, useModels(), t)
  const isSame = ({ values }: Row) => values.every(value => value === values[0])
  const different = rows.filter(row => !isSame(row))
  const same = rows.filter(row => isSame(row) && row.values[0] !== '–')
  return (
    <div className="flex flex-col gap-3 p-4">
      {different.length === 0 ? (
        <p className="text-ink-soft">{t('look.noDifference')}</p>
      ) : (
        <table className="w-full table-fixed border-collapse text-sm">
          <thead>
            <tr>
              <th className="w-24 pb-1 text-left font-normal text-ink-faint sm:w-36">{t('look.differences')}</th>
              {compared.map(({ key }, index) => (
                <th key={key} scope="col" className="px-2 pb-1 text-left font-medium">
                  {letterOf(index)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {different.map(({ label, values, cells = values }) => (
              <tr key={label} className="border-line border-t align-top">
                <th scope="row" className="py-1.5 pr-2 text-left font-normal text-ink-soft">
                  {label}
                </th>
                {cells.map((cell, index) => (
                  <td key={compared[index]!.key} className="break-words px-2 py-1.5 tabular-nums">
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {same.length > 0 && (
        <p className="text-ink-faint text-sm">
          {t('look.sameForAll')}{' '}
          {same.map(({ label, values: [value = ''] }, index) => (
            <Fragment key={label}>
              {index > 0 && ' · '}
              {label} <span className="text-ink-soft">{value.length > 80 ? `${value.slice(0, 80)}…` : value}</span>
            </Fragment>
          ))}
        </p>
      )}
    </div>
  )
}

function toRows(compared: readonly Compared[], models: readonly Model[], t: Text): Row[] {
  const row = (label: string, read: (one: Compared) => string | undefined): Row => ({
    label,
    // A reference was not made with these settings.
    values: compared.map(one => (one.name.isReference ? undefined : read(one)) || '–'),
  })
  const names = [
    ...new Set(compared.flatMap(({ generation }) => Object.keys({ ...generation.parameters, ...generation.resolved }))),
  ].filter(name => !shownElsewhere.has(name))
  return [
    row(t('gallery.model'), ({ generation: { model } }) => (model ? nameOfModel(models, model) : undefined)),
    promptRow(compared, t),
    { label: t('parameters.size'), values: compared.map(({ image }) => formatImageSize(image)) },
    ...names.map(name => row(formatLabel(name), ({ generation }) => settingOf(generation, name, t))),
    row(t('generate.references'), ({ generation: { references } }) => String(references.length || '')),
    row(t('picture.cost'), ({ generation: { cost } }) =>
      cost === null ? undefined : money(cost.amount, cost.currency),
    ),
    row(t('picture.duration'), ({ generation: { duration_ms: ms } }) => (ms === null ? undefined : duration(ms))),
  ]
}

/** As it was sent: what was left out may have been filled in. */
function settingOf({ parameters, resolved }: Generation, name: string, t: Text) {
  const value = resolved?.[name] ?? parameters[name]
  return value === undefined || value === null ? undefined : formatValue(value, t)
}

/** The first one whole, the others by what is different in them. */
function promptRow(compared: readonly Compared[], t: Text): Row {
  const results = compared.map(({ name, generation }) => (name.isReference ? '–' : generation.prompt || '–'))
  const first = results.find(prompt => prompt !== '–') ?? ''
  const cells = results.map((prompt, index) => {
    const pieces = prompt === '–' || prompt === first ? undefined : difference(first, prompt)
    return (
      <div key={compared[index]?.key} className="max-h-40 overflow-y-auto">
        {pieces ? <Difference pieces={pieces} /> : prompt}
      </div>
    )
  })
  return { label: t('generate.prompt'), values: results, cells }
}
