/** What was sent to a webhook: each message with its tries, and the button that sends it again. */

import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { RotateCw } from 'lucide-react'
import { type Delivery, deliveriesQuery, useResend, type Webhook } from '../data/webhooks.ts'
import { ago, moment } from '../text/format.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Loading, Query, toastError } from '../ui/query.tsx'
import { Badge, Detail } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'

export interface DeliveriesDialogProps {
  webhook: Webhook
  name: string
  onClose(): void
}

export function DeliveriesDialog({ webhook, name, onClose }: DeliveriesDialogProps) {
  const t = useText()
  const query = useInfiniteQuery(deliveriesQuery(webhook.id))
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query
  return (
    <Dialog
      size="large"
      onClose={onClose}
      title={t('webhooks.sentTitle', { name })}
      description={t('webhooks.sentHint')}
    >
      <Query
        query={query}
        failed={t('webhooks.sentFailed')}
        loading={<Loading className="flex flex-col gap-3" shapes={['h-16', 'h-16']} />}
      >
        {({ pages }) => {
          const items = pages.flatMap(page => page.items)
          if (items.length === 0) return <p className="py-6 text-center text-ink-soft">{t('webhooks.nothingSent')}</p>
          return (
            <>
              <ol className="flex flex-col divide-y divide-line">
                {items.map(delivery => (
                  <DeliveryRow key={delivery.id} delivery={delivery} isActive={webhook.state === 'active'} />
                ))}
              </ol>
              {hasNextPage && (
                <Button
                  className="mt-3"
                  isBusy={isFetchingNextPage}
                  disabled={isFetchingNextPage}
                  onClick={() => void fetchNextPage()}
                >
                  {t('webhooks.loadMore')}
                </Button>
              )}
            </>
          )
        }}
      </Query>
    </Dialog>
  )
}

const types = {
  'generation.succeeded': 'webhooks.allThere',
  'generation.partially_succeeded': 'webhooks.someThere',
  'generation.failed': 'webhooks.noneThere',
  'generation.cancelled': 'webhooks.cancelled',
  'webhook.test': 'webhooks.test',
} as const

const states = {
  pending: { look: 'warning', text: 'webhooks.pending' },
  delivered: { look: 'good', text: 'webhooks.delivered' },
  failed: { look: 'bad', text: 'webhooks.givenUp' },
  dropped: { look: 'plain', text: 'webhooks.dropped' },
} as const

function DeliveryRow({ delivery, isActive }: { delivery: Delivery; isActive: boolean }) {
  const t = useText()
  const { id, type, state, url, tries, created_at: createdAt, next_try_at: nextTryAt } = delivery
  const resend = useResend(delivery.webhook_id)
  const { look, text } = states[state]
  return (
    <li className="flex flex-col gap-1.5 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium">{t(types[type])}</span>
        <Badge look={look}>{t(text)}</Badge>
        <time dateTime={createdAt} title={moment(createdAt)} className="text-ink-faint text-sm">
          {ago(createdAt)}
        </time>
        <span className="flex-1" />
        <Button
          size="small"
          icon={<RotateCw aria-hidden className="size-4" />}
          isBusy={resend.isPending}
          disabled={!isActive || resend.isPending}
          onClick={() => void resend.mutateAsync(id).then(() => toast(t('webhooks.resent')), toastError)}
        >
          {t('webhooks.resend')}
        </Button>
      </div>
      <p className="break-all text-ink-faint text-sm">{url}</p>
      {delivery.generation_id && (
        <Link
          to="/picture/$generationId"
          params={{ generationId: delivery.generation_id }}
          className="inline-flex min-h-10 items-center self-start text-seal-ink text-sm underline underline-offset-4"
        >
          {t('status.generation')}
        </Link>
      )}
      {nextTryAt && tries.length > 0 && (
        <p className="text-ink-soft text-sm">{t('webhooks.nextTry', { when: moment(nextTryAt) })}</p>
      )}
      {tries.length > 0 && <Tries tries={tries} />}
    </li>
  )
}

function Tries({ tries }: Pick<Delivery, 'tries'>) {
  const t = useText()
  return (
    <details>
      <summary className="min-h-10 cursor-pointer py-2 text-ink-soft text-sm">
        {t('webhooks.tries', { count: tries.length })}
      </summary>
      <ol className="flex flex-col gap-2 pb-1">
        {tries.map(({ at, status, duration_ms: durationMs, error, answer }) => (
          <li key={at} className="rounded-xl bg-sunken px-3 py-2 text-sm tabular-nums">
            <p className="flex flex-wrap gap-x-3">
              <span className="font-medium">{status ?? t('webhooks.noAnswer')}</span>
              <time dateTime={at}>{moment(at)}</time>
              <span>{durationMs} ms</span>
            </p>
            <Detail>{error}</Detail>
            {answer && <p className="break-all text-ink-soft text-xs">{t('webhooks.answer', { text: answer })}</p>}
          </li>
        ))}
      </ol>
    </details>
  )
}
