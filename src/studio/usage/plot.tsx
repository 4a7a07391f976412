/** A bar for each day of a month, and the same as a table. */

import { useId, useState } from 'react'
import { type Measure, measured, type Sum, sumUsage, type UsageItem } from '../data/usage.ts'
import { money, month as monthName, shortDay } from '../text/format.ts'
import { locale, type Text, useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'

export interface PlotProps {
  month: string
  /** All of the month, such as 2026-11-01. */
  days: readonly string[]
  items: readonly UsageItem[]
  measure: Measure
}

const height = 224
const top = 22
const floor = height - 26

export function Plot({ month, days, items, measure }: PlotProps) {
  const t = useText()
  const id = useId()
  const [chosen, setChosen] = useState<number>()
  const byDay = Map.groupBy(items, ({ key }) => key)
  const sums = days.map(day => sumUsage(byDay.get(day) ?? []))
  const values = sums.map(sum => measured(sum, measure))
  const most = Math.max(...values)
  const end = niceEnd(most, measure === 'images')
  // Half a picture says nothing.
  const ticks = measure === 'images' && end % 2 === 1 ? [end] : [end / 2, end]
  const show = (value: number) => (measure === 'images' ? whole(value) : money(value, measure))
  const y = (value: number) => floor - ((floor - top) * value) / end
  const percent = (index: number) => `${(100 * index) / days.length}%`
  const isUncertain = sums.some(({ unknown }) => unknown > 0)
  const busiest = values.indexOf(most)
  const words = (index: number) =>
    t('usage.chosen', { day: shortDay(days[index]!), values: valuesText(t, sums[index]!) })

  return (
    <div className="flex flex-col gap-2">
      <p className="min-h-6 text-ink-soft text-sm tabular-nums">
        {chosen === undefined
          ? most > 0 && t('usage.busiest', { day: shortDay(days[busiest]!), value: show(most) })
          : words(chosen)}
      </p>
      <div className="relative grid grid-cols-[auto_minmax(0,1fr)] gap-2 rounded-lg has-focus-visible:outline-2 has-focus-visible:outline-seal-ink has-focus-visible:outline-offset-4">
        <input
          type="range"
          className="sr-only"
          aria-label={t('usage.plot', { month: monthName(month), measure: measureWord(t, measure) })}
          aria-valuetext={words(chosen ?? busiest)}
          min={0}
          max={days.length - 1}
          value={chosen ?? busiest}
          onChange={event => setChosen(Number(event.target.value))}
          onBlur={() => setChosen(undefined)}
        />
        {/* The first one keeps the column as wide as the longest of them. */}
        <div aria-hidden className="relative text-right text-ink-faint text-xs tabular-nums">
          <span className="invisible block h-0">{show(end)}</span>
          {ticks.map(value => (
            <span key={value} style={{ top: y(value) }} className="absolute right-0 -translate-y-1/2 whitespace-nowrap">
              {show(value)}
            </span>
          ))}
        </div>
        <svg
          aria-hidden
          width="100%"
          height={height}
          className="block touch-pan-y select-none overflow-visible"
          onPointerLeave={() => setChosen(undefined)}
        >
          {ticks.map(value => (
            <line
              key={value}
              x1="0"
              x2="100%"
              y1={y(value)}
              y2={y(value)}
              className="stroke-line"
              strokeDasharray="3 4"
            />
          ))}
          <line x1="0" x2="100%" y1={floor + 0.5} y2={floor + 0.5} className="stroke-line-strong" />
          {days.map((day, index) => {
            const value = values[index]!
            const barTop = Math.min(y(value), floor - 3)
            return (
              <g key={day} onPointerEnter={() => setChosen(index)} onPointerDown={() => setChosen(index)}>
                <rect x={percent(index)} width={percent(1)} y="0" height={height} className="fill-transparent" />
                {value > 0 && (
                  <rect
                    x={percent(index + 0.16)}
                    width={percent(0.68)}
                    y={barTop}
                    height={floor - barTop}
                    rx="3"
                    className={classes('transition-opacity', 'fill-seal', dimmed(chosen, index))}
                  />
                )}
                {sums[index]!.unknown > 0 && (
                  <circle cx={percent(index + 0.5)} cy={barTop - 8} r="4" className="fill-amber" />
                )}
                {isLabelled(index) && (
                  <text x={percent(index + 0.5)} y={height - 6} textAnchor="middle" className="fill-ink-faint text-xs">
                    {index + 1}
                  </text>
                )}
              </g>
            )
          })}
        </svg>
      </div>
      {isUncertain && (
        <p className="flex items-center gap-2 text-ink-soft text-sm">
          <span aria-hidden className="size-2 rounded-full bg-amber" />
          {t('usage.uncertainDay')}
        </p>
      )}
      <details className="text-sm">
        <summary className="inline-flex min-h-10 items-center text-seal-ink underline underline-offset-4">
          {t('usage.asTable')}
        </summary>
        <div className="overflow-x-auto">
          <table aria-labelledby={id} className="w-full tabular-nums">
            <caption id={id} className="sr-only">
              {t('usage.byDay')}, {monthName(month)}
            </caption>
            <thead>
              <tr className="border-line border-b text-left text-ink-faint">
                <th className="py-1.5 pr-4 font-normal">{t('usage.day')}</th>
                <th className="py-1.5 pr-4 whitespace-nowrap text-right font-normal">{t('gallery.pictures')}</th>
                <th className="py-1.5 pr-4 whitespace-nowrap text-right font-normal">{t('usage.requests')}</th>
                <th className="py-1.5 whitespace-nowrap text-right font-normal">{t('usage.money')}</th>
              </tr>
            </thead>
            <tbody>
              {days.map((day, index) =>
                byDay.has(day) ? (
                  <tr key={day} className="border-line not-last:border-b">
                    <th scope="row" className="py-1.5 pr-4 text-left font-normal">
                      {shortDay(day)}
                    </th>
                    <td className="py-1.5 pr-4 text-right">{whole(sums[index]!.images)}</td>
                    <td className="py-1.5 pr-4 text-right">{whole(sums[index]!.calls)}</td>
                    <td className="py-1.5 text-right">
                      {moneyText(t, sums[index]!)}
                      {sums[index]!.unknown > 0 && (
                        <span className="block text-amber text-xs">
                          {t('usage.unknownShort', { count: sums[index]!.unknown })}
                        </span>
                      )}
                    </td>
                  </tr>
                ) : null,
              )}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  )
}

/** A round number that is not less, so that the half of it is round as well. */
function niceEnd(most: number, isWhole: boolean) {
  if (most <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  const steps = isWhole && power === 1 ? [1, 2, 4, 6, 8, 10] : [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]
  const step = steps.find(step => step * power >= most * 0.9999) ?? 10
  return Math.round(step * power * 1e6) / 1e6
}

function dimmed(chosen: number | undefined, index: number) {
  return chosen !== undefined && chosen !== index && 'opacity-50'
}

/** The first, then every fifth. */
function isLabelled(index: number) {
  return index === 0 || (index + 1) % 5 === 0
}

function whole(count: number) {
  return count.toLocaleString(locale())
}

function measureWord(t: Text, measure: Measure) {
  return measure === 'images' ? t('gallery.pictures') : `${t('usage.money')} ${measure}`
}

function valuesText(t: Text, sum: Sum) {
  if (sum.images + sum.calls + sum.unknown === 0) return t('usage.nothing')
  const parts = [
    ...sum.amounts.map(({ amount, currency }) => money(amount, currency)),
    t('usage.capPictures', { count: sum.images }),
    sum.unknown > 0 && t('usage.unknownShort', { count: sum.unknown }),
  ]
  return parts.filter(part => part !== false).join(' · ')
}

/** `¥1.25 + $0.04`; a dash for nothing, and words where no price is known. */
export function moneyText(t: Text, { amounts, unpricedImages }: Sum) {
  if (amounts.length > 0) return amounts.map(({ amount, currency }) => money(amount, currency)).join(' + ')
  return unpricedImages > 0 ? t('generate.priceUnknown') : '–'
}
