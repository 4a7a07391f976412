/** The form of a token, new or made: whose it is, what it may do, and how much it may spend. */
import { CircleAlert } from 'lucide-react'
import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { ApiError, explain, type MadeToken, type Token, useChangeToken, useMakeToken } from '../data/api.ts'
import { CapFields } from '../forms/cap-fields.tsx'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { ChoiceCard } from '../ui/choice-card.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { controlClasses, Field, focusFault } from '../ui/field.tsx'
import { Notice } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'
import { bodyOf, type DraftFault, draftOf, faultsOf, keepDraft, readDraft, type TokenDraft } from './draft.ts'
import { ModelsField } from './models-field.tsx'

export interface TokenFormProps {
  /** The one that is changed; without it a new one is made. */
  token?: Token
  onClose(): void
  onMade?(token: MadeToken): void
}

/** Where the server reports a fault of each field. */
const paths = { name: 'name', amount: 'monthly_cap', images: 'monthly_images', models: 'models' } as const

export function TokenForm({ token, onClose, onMade }: TokenFormProps) {
  const t = useText()
  const form = useId()
  const [draft, setDraft] = useState(() => (token ? draftOf(token) : readDraft()))
  const [areFaultsShown, setFaultsShown] = useState(false)
  const nameField = useRef<HTMLInputElement>(null)
  const make = useMakeToken()
  const save = useChangeToken()
  const { isPending, error } = token ? save : make
  const faults = faultsOf(draft)

  function change(next: Partial<TokenDraft>) {
    const changed = { ...draft, ...next }
    setDraft(changed)
    if (!token) keepDraft(changed)
    make.reset()
    save.reset()
  }

  function close() {
    if (!token) keepDraft(undefined)
    onClose()
  }

  async function submit(event: FormEvent) {
    event.preventDefault()
    flushSync(() => setFaultsShown(true))
    if (isPending) return
    if (faults.length > 0) {
      focusFault(form)
      return
    }
    // What goes wrong is shown beside its field, or below all of them.
    try {
      if (token) {
        const { role, ...body } = bodyOf(draft)
        const changed = await save.mutateAsync({ id: token.id, ...body })
        toast(t('team.changed', { name: changed.name }), { look: 'good' })
        close()
      } else {
        const made = await make.mutateAsync(bodyOf(draft))
        keepDraft(undefined)
        onMade?.(made)
      }
    } catch {
      return
    }
  }

  useEffect(() => {
    if (error) focusFault(form)
  }, [error, form])

  const refused = error instanceof ApiError ? (error.problem?.errors ?? []) : []
  const refusalOf = (field: DraftFault) => refused.find(({ path }) => path.split('.')[0] === paths[field])?.message
  const isExplained = refused.some(({ path }) => Object.values(paths).some(known => known === path.split('.')[0]))
  const errorOf = (field: DraftFault, text: 'nameNeeded' | 'amountFault' | 'imagesFault' | 'modelsNeeded') =>
    areFaultsShown && faults.includes(field) ? t(`team.${text}`) : refusalOf(field)

  return (
    <Dialog
      isOpen
      onClose={close}
      initialFocus={nameField}
      title={token ? t('team.changeTitle', { name: token.name }) : t('team.newTitle')}
      actions={
        <>
          <Button onClick={close}>{t('shell.cancel')}</Button>
          <Button type="submit" form={form} look="primary" isBusy={isPending} disabled={isPending}>
            {t(token ? 'shell.save' : 'team.make')}
          </Button>
        </>
      }
    >
      <form id={form} noValidate onSubmit={event => void submit(event)} className="flex flex-col gap-5 pt-1">
        <Field label={t('team.name')} hint={t('team.nameHint')} error={errorOf('name', 'nameNeeded')}>
          {control => (
            <input
              {...control}
              ref={nameField}
              type="text"
              autoComplete="off"
              maxLength={200}
              value={draft.name}
              onChange={event => change({ name: event.target.value })}
              className={controlClasses}
            />
          )}
        </Field>
        {token ? (
          <p className="text-ink-soft text-sm">{t(`team.${token.role}Keeps`)}</p>
        ) : (
          <RoleChoice role={draft.role} onChange={role => change({ role })} />
        )}
        <CapFields
          draft={draft}
          hint={t('team.capsHint')}
          errors={{ amount: errorOf('amount', 'amountFault'), images: errorOf('images', 'imagesFault') }}
          onChange={change}
        />
        <ModelsField
          chosen={draft.models}
          error={errorOf('models', 'modelsNeeded')}
          onChange={models => change({ models })}
        />
        {error && !isExplained && (
          <Notice look="bad" icon={<CircleAlert aria-hidden />}>
            {explain(error)}
          </Notice>
        )}
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
