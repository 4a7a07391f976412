/** The form of a new webhook: what is told, where, and of whose results. */

import { useId, useRef } from 'react'
import { type Token, useMe } from '../data/tokens.ts'
import { type MadeWebhook, useMakeWebhook } from '../data/webhooks.ts'
import { useForm } from '../forms/form.ts'
import { t, useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { ChoiceCard } from '../ui/choice-card.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { ErrorNotice } from '../ui/query.tsx'
import { Select } from '../ui/select.tsx'

interface WebhookDraft {
  kind: 'all' | 'callbacks'
  url: string
  name: string
  /** Empty: the own one. */
  token: string
}

const paths = { url: 'url', name: 'name', token: 'token_id' }

function findFaults({ kind, url }: WebhookDraft) {
  return { url: kind === 'all' && !/^https?:\/\/[^/\s]+/.test(url.trim()) && t('webhooks.urlFault') }
}

export interface WebhookFormProps {
  tokens: readonly Token[]
  onClose(): void
  onMade(webhook: MadeWebhook): void
}

export function WebhookForm({ tokens, onClose, onMade }: WebhookFormProps) {
  const t = useText()
  const me = useMe()
  const first = useRef<HTMLInputElement>(null)
  const make = useMakeWebhook()
  const { id, draft, change, errorOf, isExplained, submit } = useForm({
    start: (): WebhookDraft => ({ kind: 'all', url: '', name: '', token: '' }),
    findFaults,
    paths,
    isBusy: make.isPending,
    error: make.error,
    forget: make.reset,
  })

  async function send() {
    const { kind, url, name, token } = draft
    const body = { url: kind === 'all' ? url.trim() : null, name: name.trim() || undefined }
    onMade(await make.mutateAsync({ ...body, token_id: token || undefined }))
  }

  return (
    <Dialog
      onClose={onClose}
      initialFocus={first}
      title={t('webhooks.add')}
      actions={
        <>
          <Button onClick={onClose}>{t('shell.cancel')}</Button>
          <Button type="submit" form={id} look="primary" isBusy={make.isPending} disabled={make.isPending}>
            {t('webhooks.make')}
          </Button>
        </>
      }
    >
      <form id={id} noValidate onSubmit={submit(send)} className="flex flex-col gap-5 pt-1">
        <KindChoice kind={draft.kind} onChange={kind => change({ kind })} />
        {draft.kind === 'all' && (
          <TextField
            ref={first}
            label={t('webhooks.url')}
            hint={t('webhooks.urlHint')}
            error={errorOf('url')}
            inputMode="url"
            spellCheck={false}
            placeholder="https://example.org/hook"
            value={draft.url}
            onChange={event => change({ url: event.target.value })}
          />
        )}
        <TextField
          label={t('webhooks.name')}
          hint={t('webhooks.nameHint')}
          error={errorOf('name')}
          maxLength={200}
          value={draft.name}
          onChange={event => change({ name: event.target.value })}
        />
        {tokens.length > 0 && (
          <Select
            label={t('webhooks.whose')}
            error={errorOf('token')}
            value={draft.token}
            choices={[
              { value: '', label: t(me?.needs_token === false ? 'webhooks.whoseOpen' : 'webhooks.whoseOwn') },
              ...tokens.map(token => ({ value: token.id, label: token.name })),
            ]}
            onChange={token => change({ token })}
          />
        )}
        {make.error && !isExplained && <ErrorNotice error={make.error} />}
      </form>
    </Dialog>
  )
}

const kinds = [
  { kind: 'all', label: 'webhooks.kindAll', hint: 'webhooks.kindAllHint' },
  { kind: 'callbacks', label: 'webhooks.kindCallbacks', hint: 'webhooks.kindCallbacksHint' },
] as const

function KindChoice({ kind, onChange }: { kind: WebhookDraft['kind']; onChange(kind: WebhookDraft['kind']): void }) {
  const t = useText()
  const name = useId()
  return (
    <fieldset>
      <legend className="mb-1.5 font-medium text-ink-soft text-sm">{t('webhooks.kind')}</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {kinds.map(({ kind: value, label, hint }) => (
          <ChoiceCard key={value} name={name} value={value} isChosen={value === kind} onChoose={() => onChange(value)}>
            <span className="font-medium">{t(label)}</span>
            <span className="text-ink-soft text-sm">{t(hint)}</span>
          </ChoiceCard>
        ))}
      </div>
    </fieldset>
  )
}
