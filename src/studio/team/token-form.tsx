/** The form of a token, new or made: whose it is, what it may do, and how much it may spend. */

import { useId, useRef } from 'react'
import { type MadeToken, type Token, useChangeToken, useMakeToken, useMe } from '../data/tokens.ts'
import { capPaths } from '../forms/cap-draft.ts'
import { CapFields } from '../forms/cap-fields.tsx'
import { useForm } from '../forms/form.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { ChoiceCard } from '../ui/choice-card.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { ErrorNotice } from '../ui/query.tsx'
import { Switch } from '../ui/switch.tsx'
import { toast } from '../ui/toast.tsx'
import { findFaults, keptDraft, type TokenDraft, toBody, toDraft } from './draft.ts'
import { ModelsField } from './models-field.tsx'

export interface TokenFormProps {
  /** The one that is changed; without it a new one is made. */
  token?: Token
  onClose(): void
  onMade?(token: MadeToken): void
}

/** The path at which the server reports a fault of each field. */
const paths = { name: 'name', models: 'models', ...capPaths }

export function TokenForm({ token, onClose, onMade }: TokenFormProps) {
  const t = useText()
  const me = useMe()
  const nameField = useRef<HTMLInputElement>(null)
  const make = useMakeToken()
  const save = useChangeToken()
  const { isPending, error } = token ? save : make
  const { id, draft, change, errorOf, isExplained, submit } = useForm({
    start: token ? () => toDraft(token) : keptDraft.read,
    keep: token ? undefined : keptDraft.write,
    findFaults,
    paths,
    isBusy: isPending,
    error,
    forget() {
      make.reset()
      save.reset()
    },
  })

  function close() {
    if (!token) keptDraft.write(undefined)
    onClose()
  }

  async function send() {
    if (token) {
      const { role, own, ...body } = toBody(draft)
      const changed = await save.mutateAsync({ id: token.id, ...body })
      toast(t('configurations.saved', { name: changed.name }), { look: 'good' })
      close()
    } else {
      const made = await make.mutateAsync(toBody(draft))
      keptDraft.write(undefined)
      onMade?.(made)
    }
  }

  return (
    <Dialog
      onClose={close}
      initialFocus={nameField}
      title={token ? t('configurations.editTitle', { name: token.name }) : t('team.add')}
      actions={
        <>
          <Button onClick={close}>{t('shell.cancel')}</Button>
          <Button type="submit" form={id} look="primary" isBusy={isPending} disabled={isPending}>
            {t(token ? 'shell.save' : 'team.make')}
          </Button>
        </>
      }
    >
      <form id={id} noValidate onSubmit={submit(send)} className="flex flex-col gap-5 pt-1">
        <TextField
          ref={nameField}
          label={t('configurations.name')}
          hint={t('team.nameHint')}
          error={errorOf('name')}
          maxLength={200}
          value={draft.name}
          onChange={event => change({ name: event.target.value })}
        />
        {token ? (
          <p className="text-ink-soft text-sm">{t(`team.${token.role}Keeps`)}</p>
        ) : (
          me?.role === 'admin' && <RoleChoice role={draft.role} onChange={role => change({ role })} />
        )}
        {!token && me?.role === 'admin' && me.user && (
          <Switch
            label={t('team.ownToken')}
            hint={t('team.ownTokenHint')}
            isOn={draft.isOwn}
            onChange={isOwn => change({ isOwn })}
          />
        )}
        <CapFields draft={draft} hint={t('team.capsHint')} errorOf={errorOf} onChange={change} />
        <ModelsField chosen={draft.models} error={errorOf('models')} onChange={models => change({ models })} />
        {error && !isExplained && <ErrorNotice error={error} />}
      </form>
    </Dialog>
  )
}

function RoleChoice({ role, onChange }: { role: TokenDraft['role']; onChange(role: TokenDraft['role']): void }) {
  const t = useText()
  const name = useId()
  return (
    <fieldset>
      <legend className="mb-1.5 font-medium text-ink-soft text-sm">{t('team.role')}</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {(['member', 'admin'] as const).map(value => (
          <ChoiceCard key={value} name={name} value={value} isChosen={value === role} onChoose={() => onChange(value)}>
            <span className="font-medium">{t(`team.${value}`)}</span>
            <span className="text-ink-soft text-sm">{t(`team.${value}Hint`)}</span>
          </ChoiceCard>
        ))}
      </div>
    </fieldset>
  )
}
