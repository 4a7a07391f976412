/** What was made and spent in a month: in all, day by day, by model, key and token, and what is left of the caps. */

import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { ChartColumn, CircleAlert, Download } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { api } from '../data/client.ts'
import { useMe } from '../data/tokens.ts'
import { type Measure, type Sum, sumUsage, usageQuery } from '../data/usage.ts'
import { moment, money, month as monthName } from '../text/format.ts'
import { explain } from '../text/problems.ts'
import { locale, type Text, useText } from '../text/text.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Menu } from '../ui/menu.tsx'
import { Page } from '../ui/page.tsx'
import { Loading, Query } from '../ui/query.tsx'
import { Segmented } from '../ui/segmented.tsx'
import { Select } from '../ui/select.tsx'
import { EmptyState, Notice } from '../ui/states.tsx'
import { Breakdown, type Division, divisions } from './breakdown.tsx'
import { MonthCaps } from './month-caps.tsx'
import { isMonth, listDays, listMonths, thisMonth } from './months.ts'
import { Plot } from './plot.tsx'

/** Start date for "all time". */
const ever = '2000-01-01'

export function UsageScreen() {
  const t = useText()
  const navigate = useNavigate()
  const search = useSearch({ from: '/usage' })
  const me = useMe()
  const month = isMonth(search.month) ? search.month : thisMonth()
  const days = listDays(month)
  const period = { from: days[0]!, to: days.at(-1)! }
  const usage = useQuery(usageQuery({ group: 'day', ...period }))
  // The report is asked for only to know which months there are.
  const all = useQuery({ ...usageQuery({ group: 'day', from: ever }), staleTime: 5 * 60_000 })

  const offered = divisions.filter(({ by, isForAdmins }) => {
    return me?.role === 'admin' || !isForAdmins || (by === 'token' && me?.manages_tokens === 'own')
  })
  const by = offered.find(({ by }) => by === search.by)?.by ?? 'model'
  const change = (next: { month?: string; by?: Division }) =>
    void navigate({ to: '/usage', search: { ...search, ...next }, replace: true, resetScroll: false })

  return (
    <Page
      isWide
      title={t('shell.usage')}
      lead={me?.name ? t('usage.leadOwn', { name: me.name }) : t('usage.lead')}
      actionAt="end"
      action={
        <div className="flex items-end gap-2 max-sm:w-full">
          <Select
            isLabelHidden
            label={t('usage.month')}
            value={month}
            choices={listMonths(all.data?.map(({ key }) => key) ?? [], month).map(value => ({
              value,
              label: value === thisMonth() ? t('usage.thisMonth', { month: monthName(value) }) : monthName(value),
            }))}
            onChange={value => change({ month: value === thisMonth() ? undefined : value })}
            className="min-w-56 max-sm:flex-1"
          />
          <Menu
            trigger={
              <Button icon={<Download aria-hidden className="size-4" />} aria-label={t('usage.csvBy')}>
                {t('usage.csv')}
              </Button>
            }
            entries={([{ by: 'day', text: 'usage.byDay' }, ...offered] as const).map(({ by: group, text }) => ({
              label: t(text),
              href: api.usageCsvUrl({ group, ...period }),
              download: true,
            }))}
          />
        </div>
      }
    >
      <Query
        query={usage}
        failed={t('usage.failed')}
        loading={<Loading className="flex flex-col gap-4" shapes={['h-24', 'h-72', 'h-40']} />}
      >
        {items => (
          <>
            {usage.isError && (
              <Notice look="warning" icon={<CircleAlert aria-hidden />}>
                {explain(usage.error)}{' '}
                {t('status.stale', { when: moment(new Date(usage.dataUpdatedAt).toISOString()) })}
              </Notice>
            )}
            {month === thisMonth() && <MonthCaps />}
            {items.length === 0 ? (
              <EmptyState
                icon={<ChartColumn aria-hidden />}
                title={t('usage.empty', { month: monthName(month) })}
                action={month === thisMonth() && <LinkButton to="/">{t('shell.create')}</LinkButton>}
              >
                {t(month === thisMonth() ? 'usage.emptyHint' : 'usage.emptyPast')}
              </EmptyState>
            ) : (
              <Month
                key={month}
                sum={sumUsage(items)}
                plot={measure => <Plot month={month} days={days} items={items} measure={measure} />}
                breakdown={measure => (
                  <Breakdown
                    period={period}
                    by={by}
                    offered={offered}
                    measure={measure}
                    onChange={next => change({ by: next })}
                  />
                )}
              />
            )}
            <p className="max-w-prose text-ink-faint text-sm">{t('usage.note')}</p>
          </>
        )}
      </Query>
    </Page>
  )
}

interface MonthProps {
  sum: Sum
  plot(measure: Measure): ReactNode
  breakdown(measure: Measure): ReactNode
}

function Month({ sum, plot, breakdown }: MonthProps) {
  const t = useText()
  const measures: Measure[] = [...sum.amounts.map(({ currency }) => currency), 'images']
  const [chosen, setChosen] = useState<Measure>()
  const measure = measures.find(known => known === chosen) ?? measures[0] ?? 'images'
  return (
    <>
      <Totals sum={sum} />
      {sum.unknown > 0 && (
        <Notice look="warning" icon={<CircleAlert aria-hidden className="self-start" />}>
          {t('usage.unknown', { count: sum.unknown })}
        </Notice>
      )}
      {sum.unpricedImages > 0 && (
        <p className="text-ink-soft text-sm">{t('usage.unpriced', { count: sum.unpricedImages })}</p>
      )}
      <section className="flex flex-col gap-4 rounded-card border border-line bg-raised p-4 sm:p-5">
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
          <h2 className="text-lg">{t('usage.byDay')}</h2>
          {measures.length > 1 && (
            <Segmented
              label={t('usage.measure')}
              value={measure}
              choices={measures.map(value => ({ value, label: measureName(t, value, measures) }))}
              onChange={setChosen}
            />
          )}
        </div>
        {plot(measure)}
      </section>
      {breakdown(measure)}
    </>
  )
}

function measureName(t: Text, measure: Measure, all: readonly Measure[]) {
  if (measure === 'images') return t('gallery.pictures')
  return all.length > 2 ? `${t('usage.money')} ${measure}` : t('usage.money')
}

function Totals({ sum: { amounts, images, calls } }: { sum: Sum }) {
  const t = useText()
  return (
    <dl className="grid grid-cols-2 gap-x-10 gap-y-4 rounded-card border border-line bg-raised px-5 py-4 sm:flex sm:flex-wrap">
      <Figure name={t('usage.money')} className="max-sm:col-span-2">
        {amounts.length === 0 ? (
          <span className="text-xl">{t('usage.noMoney')}</span>
        ) : (
          amounts.map(({ amount, currency }) => <span key={currency}>{money(amount, currency)}</span>)
        )}
      </Figure>
      <Figure name={t('gallery.pictures')}>{images.toLocaleString(locale())}</Figure>
      <Figure name={t('usage.requests')}>{calls.toLocaleString(locale())}</Figure>
    </dl>
  )
}

function Figure({ name, className, children }: { name: string; className?: string; children: ReactNode }) {
  return (
    <div className={classes('flex flex-col-reverse justify-end', className)}>
      <dt className="text-ink-soft text-sm">{name}</dt>
      <dd className="flex flex-wrap gap-x-4 font-display text-3xl tabular-nums">{children}</dd>
    </div>
  )
}
