/** How the server is: each part with its state, what to do where one is in trouble, and the last errors of its log. */

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import {
  BookOpen,
  CalendarX,
  CircleAlert,
  CircleCheck,
  Database,
  HardDrive,
  Hourglass,
  KeyRound,
  RefreshCw,
  Server,
  Sparkles,
} from 'lucide-react'
import type { ReactNode } from 'react'
import { api } from '../data/client.ts'
import { useGenerationEvents } from '../data/events.ts'
import { useModels } from '../data/models.ts'
import { recentErrorsQuery, type Status, statusQuery } from '../data/status.ts'
import { bytes, duration, moment } from '../text/format.ts'
import { describeLife } from '../text/life.ts'
import { explainWaiting } from '../text/messages.ts'
import { useProviderName } from '../text/providers.ts'
import { useText } from '../text/text.ts'
import { buttonClasses, IconButton, LinkButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Page } from '../ui/page.tsx'
import { Loading, Query } from '../ui/query.tsx'
import { Badge, Detail, Notice } from '../ui/states.tsx'
import { RecentErrors } from './recent-errors.tsx'

const refreshEveryMs = 5000
const shapes = ['mb-2 h-20 sm:col-span-2', 'h-52', 'h-52', 'h-26', 'h-26', 'h-40 sm:col-span-2']

export function StatusScreen() {
  const t = useText()
  const status = useQuery({ ...statusQuery, refetchInterval: refreshEveryMs })
  const errors = useQuery({ ...recentErrorsQuery, refetchInterval: refreshEveryMs })

  function refresh() {
    // Whoever asks while an answer is on its way gets that one.
    void status.refetch({ cancelRefetch: false })
    void errors.refetch({ cancelRefetch: false })
  }
  useGenerationEvents(refresh)

  return (
    <Page
      isWide
      title={t('shell.status')}
      action={
        <IconButton label={t('status.refresh')} onClick={refresh}>
          <RefreshCw aria-hidden className={classes('size-5', status.isFetching && 'motion-safe:animate-spin')} />
        </IconButton>
      }
    >
      <Query
        query={status}
        failed={t('status.failed')}
        loading={<Loading className="grid gap-4 sm:grid-cols-2" shapes={shapes} />}
      >
        {data => (
          <>
            <Summary
              status={data}
              note={
                status.isError ? t('status.stale', { when: moment(new Date(status.dataUpdatedAt).toISOString()) }) : ''
              }
            />
            <Parts status={data} />
          </>
        )}
      </Query>
      {(errors.data || !status.isError) && <RecentErrors errors={errors.data} isFailed={errors.isError} />}
    </Page>
  )
}

function Summary({ status, note }: { status: Status; note: string }) {
  const t = useText()
  const looks = { ok: 'good', failing: 'bad', draining: 'warning' } as const
  const isOk = status.status === 'ok'
  return (
    <Notice
      look={looks[status.status]}
      icon={isOk ? <CircleCheck aria-hidden /> : <CircleAlert aria-hidden />}
      className="py-4 [&>svg]:size-7"
    >
      <p className="font-display text-lg">{t(`status.${status.status}`)}</p>
      <p>
        {t(`status.${status.status}Hint`)} {note}
      </p>
    </Notice>
  )
}

function Parts({ status }: { status: Status }) {
  const t = useText()
  const providerName = useProviderName()
  const models = useModels()
  const { queue, storage, database, check, providers } = status
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Part icon={<Hourglass aria-hidden />} title={t('status.queue')}>
        {queue.queued + queue.running === 0 ? (
          <p className="text-ink-soft">{t('status.idle')}</p>
        ) : (
          <p className="flex gap-6">
            <Figure value={queue.running} label={t('status.running')} />
            <Figure value={queue.queued} label={t('status.queued')} />
          </p>
        )}
        {queue.waiting.length > 0 && (
          <div className="flex flex-col gap-1 text-sm">
            <p className="text-amber">{t('status.stuck', { count: queue.waiting.length })}</p>
            <ul className="flex flex-col gap-1">
              {queue.waiting.map(({ id, ...why }) => (
                <li key={id} className="flex items-start justify-between gap-3">
                  <Reason {...explainWaiting(why)} />
                  <LinkButton
                    to="/picture/$generationId"
                    params={{ generationId: id }}
                    look="quiet"
                    size="small"
                    className="shrink-0"
                  >
                    {t('status.see')}
                  </LinkButton>
                </li>
              ))}
            </ul>
          </div>
        )}
      </Part>
      <Part icon={<Sparkles aria-hidden />} title={t('status.services')}>
        <ul className="flex flex-col gap-1">
          {providers.map(({ id, name, state, active_configurations: count, ready_configurations: ready }) => (
            <li key={id} className="flex min-h-10 flex-wrap items-center justify-between gap-x-3">
              <span>{providerName(id, name)}</span>
              {state === 'configured' ? (
                <KeysBadge count={count} ready={ready} />
              ) : (
                <LinkButton
                  to="/configurations"
                  search={{ add: id }}
                  aria-label={`${t('configurations.add')}: ${providerName(id, name)}`}
                  look="quiet"
                  size="small"
                >
                  <KeyRound aria-hidden className="size-4" />
                  {t('configurations.add')}
                </LinkButton>
              )}
            </li>
          ))}
        </ul>
      </Part>
      <Part icon={<HardDrive aria-hidden />} title={t('status.storage')} state={storage.state}>
        <p className="text-ink-soft">
          {t(`status.${storage.kind}`)}
          {storage.free_bytes !== null && ` · ${t('status.free', { amount: bytes(storage.free_bytes) })}`}
        </p>
        {check.state === 'running' && (
          <p className="text-ink-soft">{t('status.checking', { checked: check.checked, images: check.images })}</p>
        )}
        {check.missing > 0 && <Trouble detail={null}>{t('status.missingFiles', { count: check.missing })}</Trouble>}
        {storage.state === 'failing' && <Trouble detail={storage.detail}>{t('status.storageTrouble')}</Trouble>}
      </Part>
      <Part icon={<Database aria-hidden />} title={t('status.database')} state={database.state}>
        <p className="text-ink-soft">{t(`status.${database.kind}`)}</p>
        {database.state === 'failing' && <Trouble detail={database.detail}>{t('status.databaseTrouble')}</Trouble>}
      </Part>
      {status.ending.length > 0 && (
        <Part icon={<CalendarX aria-hidden />} title={t('status.ending')} className="sm:col-span-2">
          <ul className="flex flex-col gap-2">
            {status.ending.map(({ provider, id, name, life }) => (
              <li key={`${provider} ${id}`}>
                <p>{describeLife(name, life, models)}</p>
                <p className="text-ink-faint text-xs">
                  {[providerName(provider), id, life.learned_at && t('life.listed', { when: moment(life.learned_at) })]
                    .filter(Boolean)
                    .join(' · ')}
                </p>
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Part icon={<Server aria-hidden />} title={t('status.server')} className="sm:col-span-2">
        <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1 sm:grid-cols-[auto_1fr_auto_1fr_auto_1fr]">
          <Fact name={t('status.version')}>{status.version}</Fact>
          <Fact name={t('status.since')}>{duration(wholeUnits(status.uptime_seconds) * 1000)}</Fact>
          <Fact name={t('status.startedAt')}>{moment(status.started_at)}</Fact>
        </dl>
        <a href={api.url('docs/')} className={classes(buttonClasses({ size: 'small' }), 'self-start')}>
          <BookOpen aria-hidden className="size-4" />
          {t('status.api')}
        </a>
      </Part>
    </div>
  )
}

function Reason({ text, detail }: ReturnType<typeof explainWaiting>) {
  return (
    <div className="min-w-0 break-words pt-2 text-ink-soft">
      <p>{text}</p>
      <Detail>{detail}</Detail>
    </div>
  )
}

/** If one is in cooldown or suspended, it leads to the page that says why. */
function KeysBadge({ count, ready }: { count: number; ready: number }) {
  const t = useText()
  if (ready === count) return <Badge look="good">{t('status.keysOn', { count })}</Badge>
  return (
    <Link to="/configurations" className="inline-flex min-h-10 items-center underline-offset-4 hover:underline">
      <Badge look={ready === 0 ? 'bad' : 'warning'}>{t('status.keysReady', { count, ready })}</Badge>
    </Link>
  )
}

/** Seconds say nothing once there are minutes of them. */
function wholeUnits(seconds: number) {
  return seconds < 60 ? seconds : Math.floor(seconds / 60) * 60
}

interface PartProps {
  icon: ReactNode
  title: string
  state?: 'ok' | 'failing'
  className?: string
  children: ReactNode
}

function Part({ icon, title, state, className, children }: PartProps) {
  const t = useText()
  return (
    <section className={classes('flex flex-col gap-3 rounded-card border border-line bg-raised p-5', className)}>
      <div className="flex items-center gap-2.5 [&>svg]:size-5 [&>svg]:text-ink-faint">
        {icon}
        <h2 className="flex-1 text-lg">{title}</h2>
        {state && (
          <Badge look={state === 'ok' ? 'good' : 'bad'}>{t(state === 'ok' ? 'status.works' : 'status.trouble')}</Badge>
        )}
      </div>
      {children}
    </section>
  )
}

function Figure({ value, label }: { value: number; label: string }) {
  return (
    <span className="flex items-baseline gap-2">
      <span className="font-display text-3xl tabular-nums">{value}</span>
      <span className="text-ink-soft">{label}</span>
    </span>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-faint">{name}</dt>
      <dd className="tabular-nums">{children}</dd>
    </>
  )
}

function Trouble({ detail, children }: { detail: string | null; children: ReactNode }) {
  return (
    <div className="text-seal-ink text-sm">
      <p>{children}</p>
      <Detail className="mt-1">{detail}</Detail>
    </div>
  )
}
