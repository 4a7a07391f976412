/** Who is told when pictures are ready: webhooks with what was sent to each. */

import { useQuery } from '@tanstack/react-query'
import { EllipsisVertical, KeyRound, ListChecks, Plus, Power, Send, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { type Token, useMe } from '../data/tokens.ts'
import {
  type MadeWebhook,
  useChangeWebhook,
  useRemoveWebhook,
  useRenewSecret,
  useTestWebhook,
  type Webhook,
  webhooksQuery,
} from '../data/webhooks.ts'
import { CopyField, ShownOnce } from '../forms/shown-once.tsx'
import { moment } from '../text/format.ts'
import { type Text, useText } from '../text/text.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { Menu } from '../ui/menu.tsx'
import { Loading, Query, toastError } from '../ui/query.tsx'
import { Badge } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'
import { DeliveriesDialog } from './deliveries.tsx'
import { WebhookForm } from './webhook-form.tsx'

export function Webhooks({ tokens }: { tokens: readonly Token[] }) {
  const t = useText()
  const webhooks = useQuery(webhooksQuery)
  const [isAdding, setAdding] = useState(false)
  const [made, setMade] = useState<MadeWebhook>()
  return (
    <section aria-label={t('webhooks.title')} className="mt-4 flex flex-col gap-3">
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0 flex-1 basis-64">
          <h2 className="text-lg">{t('webhooks.title')}</h2>
          <p className="text-ink-faint text-sm">{t('webhooks.lead')}</p>
        </div>
        <Button icon={<Plus aria-hidden className="size-5" />} onClick={() => setAdding(true)}>
          {t('webhooks.add')}
        </Button>
      </div>
      <Query
        query={webhooks}
        failed={t('webhooks.failed')}
        loading={<Loading className="flex flex-col gap-3" shapes={['h-20']} />}
      >
        {all =>
          all.length === 0 ? (
            <p className="rounded-card border border-line border-dashed px-4 py-3 text-ink-soft text-sm">
              {t('webhooks.empty')}
            </p>
          ) : (
            <ul className="flex flex-col gap-3">
              {all.map(webhook => (
                <WebhookCard key={webhook.id} webhook={webhook} tokens={tokens} onSecret={setMade} />
              ))}
            </ul>
          )
        }
      </Query>
      {made ? (
        <SecretDialog made={made} onClose={() => setMade(undefined)} />
      ) : (
        isAdding && (
          <WebhookForm
            tokens={tokens}
            onClose={() => setAdding(false)}
            onMade={webhook => {
              setMade(webhook)
              setAdding(false)
            }}
          />
        )
      )}
    </section>
  )
}

interface WebhookCardProps {
  webhook: Webhook
  tokens: readonly Token[]
  onSecret(made: MadeWebhook): void
}

const looks = { active: 'good', off: 'plain', gone: 'bad' } as const

function WebhookCard({ webhook, tokens, onSecret }: WebhookCardProps) {
  const t = useText()
  const me = useMe()
  const { id, url, state } = webhook
  const [open, setOpen] = useState<'sent' | 'renew' | 'remove'>()
  const change = useChangeWebhook()
  const remove = useRemoveWebhook()
  const renew = useRenewSecret()
  const test = useTestWebhook()
  const name = nameOfWebhook(webhook, t)
  const close = () => setOpen(undefined)

  function describeOwner() {
    if (webhook.token_id === null) return t(me?.needs_token === false ? 'webhooks.whoseOpen' : 'webhooks.whoseOwn')
    const owner = webhook.token_id
    const users = tokens.flatMap(({ user }) => user ?? [])
    return [...tokens, ...users].find(({ id }) => id === owner)?.name ?? t('webhooks.whoseGone')
  }

  async function doIt(work: () => Promise<unknown>) {
    await work().then(close, error => {
      toastError(error)
      close()
    })
  }

  return (
    <li className="flex flex-wrap items-center gap-3 rounded-card border border-line bg-raised p-4">
      <div className="min-w-0 flex-1 basis-56">
        <div className="flex flex-wrap items-center gap-2">
          <h3 className="break-words font-sans text-base">{name}</h3>
          <Badge look={looks[state]}>{t(`webhooks.${state}`)}</Badge>
        </div>
        <p className="mt-1 break-all text-ink-soft text-sm">{url ?? 'callback_url'}</p>
        <p className="text-ink-faint text-sm">{t('webhooks.ofWhom', { name: describeOwner() })}</p>
      </div>
      <div className="flex items-center gap-1">
        <Button
          size="small"
          icon={<ListChecks aria-hidden className="size-4" />}
          aria-label={t('webhooks.sentTitle', { name })}
          onClick={() => setOpen('sent')}
        >
          {t('webhooks.sent')}
        </Button>
        <Menu
          trigger={<IconButton label={t('webhooks.more', { name })} icon={EllipsisVertical} />}
          entries={[
            {
              label: t('webhooks.sendTest'),
              icon: <Send aria-hidden className="size-4" />,
              isDisabled: url === null || state !== 'active',
              onSelect: () => void test.mutateAsync(id).then(() => toast(t('webhooks.testSent')), toastError),
            },
            {
              label: t(state === 'active' ? 'webhooks.turnOff' : 'webhooks.turnOn'),
              icon: <Power aria-hidden className="size-4" />,
              onSelect: () => void change.mutateAsync({ id, is_active: state !== 'active' }).catch(toastError),
            },
            {
              label: t('webhooks.renew'),
              icon: <KeyRound aria-hidden className="size-4" />,
              onSelect: () => setOpen('renew'),
            },
            'line',
            {
              label: t('webhooks.remove'),
              icon: <Trash2 aria-hidden className="size-4" />,
              isDanger: true,
              onSelect: () => setOpen('remove'),
            },
          ]}
        />
      </div>
      {open === 'sent' && <DeliveriesDialog webhook={webhook} name={name} onClose={close} />}
      {open === 'renew' && (
        <Confirm
          title={t('webhooks.renewTitle')}
          hint={t('webhooks.renewHint')}
          action={t('webhooks.renew')}
          icon={<KeyRound aria-hidden className="size-4" />}
          isBusy={renew.isPending}
          onConfirm={() => void doIt(async () => onSecret(await renew.mutateAsync(id)))}
          onClose={close}
        />
      )}
      {open === 'remove' && (
        <Confirm
          title={t('webhooks.removeTitle')}
          hint={t('webhooks.removeHint')}
          action={t('webhooks.remove')}
          icon={<Trash2 aria-hidden className="size-4" />}
          isBusy={remove.isPending}
          onConfirm={() => void doIt(() => remove.mutateAsync(id))}
          onClose={close}
        />
      )}
    </li>
  )
}

function SecretDialog({ made, onClose }: { made: MadeWebhook; onClose(): void }) {
  const t = useText()
  const until = made.former_secret_until
  return (
    <ShownOnce title={t('webhooks.secretTitle')} notice={t('webhooks.secretOnce')} onClose={onClose}>
      {copied => (
        <CopyField
          label={t('webhooks.secret')}
          hint={until && t('webhooks.secretFormer', { when: moment(until) })}
          text={made.secret}
          onCopied={copied}
        />
      )}
    </ShownOnce>
  )
}

function nameOfWebhook({ name, url }: Webhook, t: Text) {
  return name || (url === null ? t('webhooks.callbacks') : new URL(url).host)
}
