/** One import: how far it is, what came, what was left out and why. */
import { Pause, Play, Square } from 'lucide-react'
import { api } from '../data/client.ts'
import { type Import, useChangeImport } from '../data/imports.ts'
import { moment } from '../text/format.ts'
import { findText, useLanguage, useText } from '../text/text.ts'
import { Button, buttonClasses } from '../ui/button.tsx'
import { toastError } from '../ui/query.tsx'

export function ImportCard({ given, isBusy }: { given: Import; isBusy: boolean }) {
  const t = useText()
  const language = useLanguage()
  const change = useChangeImport(given.id)
  const { state, total, done, error } = given
  const isGoing = state === 'running' || state === 'paused'
  const share = total === null || total === 0 ? 0 : Math.min(1, done / total)
  const press = (next: 'running' | 'paused' | 'stopped') => () => change.mutate(next, { onError: toastError })
  return (
    <li className="flex flex-col gap-3 rounded-card border border-line bg-raised p-5">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="min-w-0 break-words font-medium">{given.name || t('moving.wholeFolder')}</h3>
        <p className="text-ink-faint text-sm">
          {t(`moving.${state === 'failed' ? 'broken' : state}`)} · {moment(given.started_at)}
        </p>
      </div>
      {isGoing && (
        <>
          <div
            role="progressbar"
            aria-label={t('moving.progress')}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.floor(share * 100)}
            className="h-2 overflow-hidden rounded-full bg-sunken"
          >
            <div className="h-full rounded-full bg-jade" style={{ width: `${share * 100}%` }} />
          </div>
          <p className="text-ink-soft text-sm tabular-nums">
            {total === null ? t('moving.doneSoFar', { done }) : t('moving.doneOf', { done, total })}
          </p>
        </>
      )}
      <p className="text-sm">
        {[
          t('moving.imported', { count: given.imported }),
          given.already > 0 && t('moving.already', { count: given.already }),
          given.differs > 0 && t('moving.differs', { count: given.differs }),
          given.left_out > 0 && t('moving.leftOut', { count: given.left_out }),
        ]
          .filter(Boolean)
          .join(t('moving.between'))}
      </p>
      {given.left_out > 0 && (
        <ul className="flex flex-col gap-0.5 text-ink-soft text-sm">
          {Object.entries(given.by_reason).map(([reason, count]) => (
            <li key={reason}>
              {count} × {findText('moving', `reason_${reason}`) ?? reason}
            </li>
          ))}
        </ul>
      )}
      {error && <p className="whitespace-pre-line text-seal-ink text-sm">{error[language]}</p>}
      <div className="flex flex-wrap gap-2">
        {state === 'running' && (
          <Button size="small" icon={<Pause aria-hidden className="size-4" />} onClick={press('paused')}>
            {t('moving.pause')}
          </Button>
        )}
        {(state === 'paused' || ((state === 'stopped' || state === 'failed') && !isBusy)) && (
          <Button size="small" icon={<Play aria-hidden className="size-4" />} onClick={press('running')}>
            {t('moving.continue')}
          </Button>
        )}
        {isGoing && (
          <Button size="small" icon={<Square aria-hidden className="size-4" />} onClick={press('stopped')}>
            {t('moving.stop')}
          </Button>
        )}
        <a
          href={api.imports.reportUrl(given.id, 'text')}
          download
          className={buttonClasses({ look: 'quiet', size: 'small' })}
        >
          {t('moving.report')}
        </a>
        <a
          href={api.imports.reportUrl(given.id, 'json')}
          download
          className={buttonClasses({ look: 'quiet', size: 'small' })}
        >
          {t('moving.reportJson')}
        </a>
      </div>
    </li>
  )
}
