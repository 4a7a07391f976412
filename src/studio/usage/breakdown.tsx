/** A month divided by model, key or token: a line each, the largest first. */

import { useQuery } from '@tanstack/react-query'
import { groupUsage, type Measure, measured, usageQuery } from '../data/usage.ts'
import { explain } from '../text/problems.ts'
import { locale, type TextKey, useText } from '../text/text.ts'
import { FailedNotice } from '../ui/query.tsx'
import { Segmented } from '../ui/segmented.tsx'
import { Badge, Skeleton } from '../ui/states.tsx'
import { moneyText } from './plot.tsx'

export type Division = 'model' | 'configuration' | 'token' | 'user'

export const divisions = [
  { by: 'model', name: 'gallery.model', text: 'usage.byModel', isForAdmins: false },
  // A member has one token, unless it is a user, and keys are none of its business.
  { by: 'configuration', name: 'usage.configuration', text: 'usage.byConfiguration', isForAdmins: true },
  { by: 'token', name: 'team.token', text: 'usage.byToken', isForAdmins: true },
  { by: 'user', name: 'usage.user', text: 'usage.byUser', isForAdmins: true },
] as const satisfies { by: Division; name: TextKey; text: TextKey; isForAdmins: boolean }[]

/** How the server calls what was made without a named token. */
const noToken = 'admin'

export interface BreakdownProps {
  period: { from: string; to: string }
  by: Division
  offered: readonly (typeof divisions)[number][]
  measure: Measure
  onChange(by: Division): void
}

export function Breakdown({ period, by, offered, measure, onChange }: BreakdownProps) {
  const t = useText()
  const usage = useQuery(usageQuery({ group: by, ...period }))
  const groups = groupUsage(usage.data ?? [], measure)
  const most = Math.max(...groups.map(group => measured(group, measure)))
  const division = offered.find(division => division.by === by) ?? divisions[0]
  return (
    <section
      aria-label={t(division.text)}
      className="flex flex-col gap-3 rounded-card border border-line bg-raised p-4 sm:p-5"
    >
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 className="text-lg">{t(division.text)}</h2>
        {offered.length > 1 && (
          <Segmented
            label={t('usage.breakdown')}
            value={by}
            choices={offered.map(({ by: value, name }) => ({ value, label: t(name) }))}
            onChange={onChange}
          />
        )}
      </div>
      {usage.data === undefined ? (
        usage.isError ? (
          <FailedNotice onRetry={() => void usage.refetch()}>{explain(usage.error)}</FailedNotice>
        ) : (
          <Skeleton className="h-32" />
        )
      ) : (
        <table className="w-full tabular-nums">
          <thead>
            <tr className="text-left text-ink-faint text-sm">
              <th className="py-1.5 pr-4 font-normal">{t(division.name)}</th>
              <th className="py-1.5 pr-4 whitespace-nowrap text-right font-normal">{t('gallery.pictures')}</th>
              <th className="py-1.5 pr-4 whitespace-nowrap text-right font-normal max-sm:hidden">
                {t('usage.requests')}
              </th>
              <th className="py-1.5 whitespace-nowrap text-right font-normal">{t('usage.money')}</th>
            </tr>
          </thead>
          <tbody>
            {groups.map(group => (
              <tr key={group.key} className="border-line border-t align-top">
                <th scope="row" className="w-1/2 py-2.5 pr-4 text-left font-normal">
                  <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
                    <span className="break-words">
                      {by === 'token' && group.key === noToken ? t('usage.noToken') : group.name}
                    </span>
                    {group.unknown > 0 && (
                      <Badge look="warning">{t('usage.unknownShort', { count: group.unknown })}</Badge>
                    )}
                  </span>
                  <span aria-hidden className="mt-1.5 block h-1.5 overflow-hidden rounded-full bg-sunken">
                    <span
                      style={{ width: `${most > 0 ? (100 * measured(group, measure)) / most : 0}%` }}
                      className="block h-full rounded-full bg-seal"
                    />
                  </span>
                </th>
                <td className="py-2.5 pr-4 text-right">{group.images.toLocaleString(locale())}</td>
                <td className="py-2.5 pr-4 text-right max-sm:hidden">{group.calls.toLocaleString(locale())}</td>
                <td className="py-2.5 text-right">{moneyText(t, group)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
