/** How a key is at the moment: what keeps it from its work, what it does, and what it may do. */

import { CirclePause, Hourglass } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Configuration } from '../data/configurations.ts'
import { useProvider } from '../data/providers.ts'
import { clock, moment, money } from '../text/format.ts'
import { findConsole } from '../text/providers.ts'
import { findText, useLanguage, useText } from '../text/text.ts'
import { Detail, Notice } from '../ui/states.tsx'
import { ConsoleLink } from './console-link.tsx'

/** A key that its service refused: it is tried again by itself, or can be tested at once. */
export function Suspension({ configuration, action }: { configuration: Configuration; action: ReactNode }) {
  const t = useText()
  const language = useLanguage()
  const { provider, base_url: baseUrl, state } = configuration
  const { code, detail, since, until } = state
  const isDue = until === null || Date.parse(until) <= Date.now()
  const reason = code && (findText('configurations', code) ?? findText('problems', code))
  const remedy = code && findText('configurations', `do_${code}`)
  const page = findConsole(useProvider(provider), baseUrl)
  return (
    <Notice look="bad" icon={<CirclePause aria-hidden className="self-start" />}>
      <p>
        <strong className="font-medium">
          {since === null ? t('configurations.suspension') : t('configurations.takenOutAt', { when: moment(since) })}
        </strong>
        {[reason, remedy].map(sentence => sentence && `${language === 'zh' ? '' : ' '}${sentence}`)}
      </p>
      <Detail className="mt-1">{detail}</Detail>
      <p className="mt-1 text-ink-soft tabular-nums">
        {isDue ? t('configurations.takenOutDue') : t('configurations.takenOutUntil', { time: clock(until) })}
      </p>
      <div className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-1">
        {action}
        <ConsoleLink page={page} />
      </div>
    </Notice>
  )
}

/** A key whose service asked to slow down. */
export function Resting({ until }: { until: string }) {
  const t = useText()
  return (
    <p role="status" className="flex items-center gap-2 text-amber text-sm tabular-nums">
      <Hourglass aria-hidden className="size-4 shrink-0" />
      {t('configurations.resting', { time: clock(until) })}
    </p>
  )
}

/** A quiet line: ready or at work, and the limits that are set. */
export function Limits({ configuration }: { configuration: Configuration }) {
  const t = useText()
  const { state, weight, most_running: maxRunning, requests_per_minute: perMinute } = configuration
  const { monthly_cap: cap, monthly_images: images } = configuration
  const facts = [
    state.status === 'ready' && t('configurations.ready'),
    state.running > 0 && t('configurations.underWay', { count: state.running }),
    weight !== 1 && t('configurations.weightIs', { weight }),
    maxRunning !== null && t('configurations.atATime', { count: maxRunning }),
    perMinute !== null && t('configurations.aMinute', { count: perMinute }),
    cap && t('configurations.aMonth', { amount: money(cap.amount, cap.currency) }),
    images !== null && t('configurations.aMonth', { amount: t('usage.capPictures', { count: images }) }),
  ].filter(fact => typeof fact === 'string')
  if (facts.length === 0) return null
  return <p className="mt-1 text-ink-faint text-sm tabular-nums">{facts.join(' · ')}</p>
}
