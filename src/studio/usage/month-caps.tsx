/** What is left of this month's caps: those of the own token, and for administrators those for all together, of tokens and of keys. */

import { useQuery } from '@tanstack/react-query'
import type { UsageList } from '../../api/usage.ts'
import { configurationsQuery } from '../data/configurations.ts'
import { type Me, tokensQuery, useMe } from '../data/tokens.ts'
import { sumUsage, type UsageItem, usageQuery } from '../data/usage.ts'
import { day } from '../text/format.ts'
import { useText } from '../text/text.ts'
import { type Cap, CapBar, listCaps } from '../ui/cap-bar.tsx'

type Remaining = Pick<Me, 'monthly_cap' | 'monthly_images' | 'left' | 'left_images'>

interface Holder {
  id: string
  name: string
  caps: Cap[]
}

export function MonthCaps() {
  const t = useText()
  const me = useMe()
  const isAdmin = me?.role === 'admin'
  const tokens = useQuery({ ...tokensQuery, enabled: isAdmin })
  const configurations = useQuery({ ...configurationsQuery, enabled: isAdmin })
  const byToken = useQuery({ ...usageQuery({ group: 'token' }), enabled: isAdmin })
  const forAll = useQuery({
    ...usageQuery({ group: 'token' }),
    enabled: isAdmin,
    select: (list: UsageList) => list.for_all,
  }).data
  const byConfiguration = useQuery({ ...usageQuery({ group: 'configuration' }), enabled: isAdmin })
  const spentBy = (id: string, items: readonly UsageItem[]) => sumUsage(items.filter(({ key }) => key === id))

  const holders: Holder[] = []
  if (me && !isAdmin)
    holders.push({ id: 'own', name: t(me.user ? 'usage.you' : 'usage.own'), caps: listCaps(me, toSpent(me)) })
  if (forAll) holders.push({ id: 'all', name: t('usage.all'), caps: listCaps(forAll, toSpent(forAll)) })
  if (isAdmin && byToken.data && byConfiguration.data) {
    for (const token of tokens.data ?? []) {
      holders.push({ id: token.id, name: token.name, caps: listCaps(token, spentBy(token.id, byToken.data)) })
    }
    for (const configuration of configurations.data ?? []) {
      const caps = listCaps(configuration, spentBy(configuration.id, byConfiguration.data))
      holders.push({ id: configuration.id, name: t('usage.ofKey', { name: configuration.name }), caps })
    }
  }
  const shown = holders.filter(({ caps }) => caps.length > 0)
  if (shown.length === 0) return null
  return (
    <section
      aria-label={t('usage.caps')}
      className="flex flex-col gap-4 rounded-card border border-line bg-raised p-4 sm:p-5"
    >
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h2 className="text-lg">{t('usage.caps')}</h2>
        <p className="text-ink-faint text-sm">{t('usage.capsHint', { day: day(me?.renews_at ?? nextMonth()) })}</p>
      </div>
      <ul className="flex flex-col gap-4">
        {shown.map(({ id, name, caps }) => (
          <li key={id} className="grid gap-x-8 gap-y-3 sm:grid-cols-[12rem_1fr]">
            <span className="min-w-0 break-words">{name}</span>
            <div className="grid gap-x-8 gap-y-3 md:grid-cols-2">
              {caps.map(cap => (
                <CapBar key={cap.unit} cap={cap} name={name} />
              ))}
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** The used part of a cap. */
function toSpent({ monthly_cap: cap, monthly_images: images, left, left_images: leftImages }: Remaining) {
  const amounts =
    cap && left ? [{ amount: Math.round((cap.amount - left.amount) * 1e6) / 1e6, currency: cap.currency }] : []
  return { amounts, images: (images ?? 0) - (leftImages ?? 0) }
}

/** First day of the next month, in UTC. */
function nextMonth(now = new Date()) {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString()
}
