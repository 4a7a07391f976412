/** How long it has taken, measured against what this model usually takes. */

import { useEffect, useState } from 'react'
import { countAhead } from '../../data/events.ts'
import type { Generation } from '../../data/generations.ts'
import { duration } from '../../text/format.ts'
import { explainWaiting } from '../../text/messages.ts'
import { useText } from '../../text/text.ts'
import { Detail } from '../../ui/states.tsx'

export interface ProgressProps {
  generation: Generation
  /** Fast and slow. */
  typicalSeconds: readonly [number, number] | undefined
}

export function Progress({ generation, typicalSeconds }: ProgressProps) {
  const t = useText()
  const now = useNow(1000)
  const isRunning = generation.status === 'running'
  const since = Date.parse((isRunning && generation.started_at) || generation.timestamp)
  const elapsedMs = Math.max(0, now - since)
  const elapsed = duration(Math.floor(elapsedMs / 1000) * 1000)
  const [fast, slow] = typicalSeconds ?? [10, 60]
  const isSlower = elapsedMs > slow * 1000
  // Fast at first and never quite there, because nobody knows the end.
  const ahead = isRunning ? 0 : countAhead(generation)
  const share = isRunning ? 1 - Math.exp((-1.6 * elapsedMs) / 1000 / ((fast + slow) / 2)) : 0
  return (
    <div className="px-(--inset) pt-3 pb-2">
      <div
        role="progressbar"
        aria-label={t(isRunning ? 'live.running' : 'live.queued')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={isRunning ? Math.round(share * 100) : undefined}
        className="h-1.5 overflow-hidden rounded-full bg-sunken"
      >
        <div
          className="h-full origin-left rounded-full bg-seal transition-transform duration-1000 ease-linear"
          style={{ transform: `scaleX(${Math.max(share, 0.02)})` }}
        />
      </div>
      <p className="mt-2 text-ink-soft text-sm tabular-nums">
        <span className="font-medium">{t(isRunning ? 'live.running' : 'live.queued')}</span>
        {' · '}
        {ahead > 0 && `${t('live.ahead', { count: ahead })} · `}
        {!isRunning ? elapsed : isSlower ? t('live.slower', { elapsed }) : t('live.usual', { elapsed, fast, slow })}
      </p>
      <Waiting generation={generation} />
    </div>
  )
}

function Waiting({
  generation: { waiting: reason, waiting_code: code, waiting_values: values },
}: {
  generation: Generation
}) {
  const t = useText()
  if (reason === null) return null
  const { text, detail } = explainWaiting({ reason, code, values })
  return (
    <div className="text-amber text-sm">
      <p>{t('live.waiting', { reason: text })}</p>
      <Detail>{detail}</Detail>
    </div>
  )
}

/** The time, again every so often. */
export function useNow(everyMs: number) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
