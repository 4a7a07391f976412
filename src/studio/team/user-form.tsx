/** What a user may spend, and with which models. */
import { type User, useChangeUser } from '../data/users.ts'
import { type CapDraft, capPaths, capsToBody, findCapFaults, toCapDraft } from '../forms/cap-draft.ts'
import { CapFields } from '../forms/cap-fields.tsx'
import { useForm } from '../forms/form.ts'
import { t as text, useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { ErrorNotice } from '../ui/query.tsx'
import { toast } from '../ui/toast.tsx'
import { ModelsField } from './models-field.tsx'

interface UserDraft extends CapDraft {
  /** Undefined: all. */
  models: readonly string[] | undefined
}

const paths = { models: 'models', ...capPaths }

export function UserForm({ user, onClose }: { user: User; onClose(): void }) {
  const t = useText()
  const save = useChangeUser()
  const { isPending, error } = save
  const { id, draft, change, errorOf, isExplained, submit } = useForm({
    start: (): UserDraft => ({ ...toCapDraft(user), models: user.models ?? undefined }),
    findFaults: draft => ({
      models: draft.models?.length === 0 && text('team.modelsNeeded'),
      ...findCapFaults(draft),
    }),
    paths,
    isBusy: isPending,
    error,
    forget: save.reset,
  })

  async function send() {
    const models = draft.models ? [...draft.models] : null
    await save.mutateAsync({ id: user.id, ...capsToBody(draft), models })
    toast(t('configurations.saved', { name: user.name }), { look: 'good' })
    onClose()
  }

  return (
    <Dialog
      onClose={onClose}
      title={t('configurations.editTitle', { name: user.name })}
      actions={
        <>
          <Button onClick={onClose}>{t('shell.cancel')}</Button>
          <Button type="submit" form={id} look="primary" isBusy={isPending} disabled={isPending}>
            {t('shell.save')}
          </Button>
        </>
      }
    >
      <form id={id} noValidate onSubmit={submit(send)} className="flex flex-col gap-5 pt-1">
        <p className="text-ink-soft text-sm">{t('team.userKeeps')}</p>
        <CapFields draft={draft} hint={t('team.userCapsHint')} errorOf={errorOf} onChange={change} />
        <ModelsField chosen={draft.models} error={errorOf('models')} onChange={models => change({ models })} />
        {error && !isExplained && <ErrorNotice error={error} />}
      </form>
    </Dialog>
  )
}
