/** People who log in at the issuer: what each spent this month, and how to cap or disable one. */

import { useQuery } from '@tanstack/react-query'
import { LogOut, ShieldCheck, UserCheck, UserX } from 'lucide-react'
import { useState } from 'react'
import { useMe } from '../data/tokens.ts'
import { type User, useChangeUser, useEndSessions, usersQuery } from '../data/users.ts'
import { ago, moment } from '../text/format.ts'
import { explain } from '../text/problems.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { CapBar, listCaps } from '../ui/cap-bar.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { EditButton } from '../ui/edit-button.tsx'
import { toastError } from '../ui/query.tsx'
import { Badge } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'
import { describeSpent } from './spent.ts'
import { UserForm } from './user-form.tsx'

/** Nothing where nobody has logged in so far. */
export function Users() {
  const t = useText()
  const { data: users = [] } = useQuery(usersQuery)
  const [changed, setChanged] = useState<User>()
  if (users.length === 0) return null
  return (
    <section aria-label={t('team.users')} className="mb-4 flex flex-col gap-3">
      <h2 className="text-lg">{t('team.users')}</h2>
      <ul className="flex flex-col gap-3">
        {users.map(user => (
          <UserCard key={user.id} user={user} onChange={() => setChanged(user)} />
        ))}
      </ul>
      {changed && <UserForm key={changed.id} user={changed} onClose={() => setChanged(undefined)} />}
      <h2 className="mt-4 text-lg">{t('team.tokens')}</h2>
    </section>
  )
}

function UserCard({ user, onChange }: { user: User; onChange(): void }) {
  const t = useText()
  const me = useMe()
  const { name, email, state, month, last_seen_at: lastSeenAt } = user
  const [isAsking, setAsking] = useState(false)
  const caps = listCaps(user, month)
  return (
    <li className="flex flex-col gap-3 rounded-card border border-line bg-raised p-4 sm:p-5">
      <div className="flex flex-col gap-3 sm:flex-row sm:items-start">
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <h3 className="break-words font-sans text-base">{name}</h3>
            <StateBadge user={user} />
          </div>
          <p className="mt-1 flex flex-wrap gap-x-3 text-ink-soft text-sm">
            {email !== null && <span className="break-all">{email}</span>}
            <time dateTime={lastSeenAt} title={moment(lastSeenAt)}>
              {t('team.lastSeen', { when: ago(lastSeenAt) })}
            </time>
            <span>{t('team.tokenCount', { count: user.tokens })}</span>
          </p>
        </div>
        <div className="flex flex-wrap items-center justify-end gap-1">
          <EditButton name={name} onClick={onChange} />
          {state === 'active' && <EndSessions user={user} />}
          {me?.user?.id !== user.id && (
            <Button
              size="small"
              look={state === 'disabled' ? 'quiet' : 'danger'}
              icon={
                state === 'disabled' ? (
                  <UserCheck aria-hidden className="size-4" />
                ) : (
                  <UserX aria-hidden className="size-4" />
                )
              }
              aria-label={t(state === 'disabled' ? 'team.enableNamed' : 'team.disableNamed', { name })}
              onClick={() => setAsking(true)}
            >
              {t(state === 'disabled' ? 'team.enable' : 'team.disable')}
            </Button>
          )}
        </div>
      </div>
      {caps.length === 0 ? (
        <p className="text-ink-soft text-sm tabular-nums">{t('team.uncapped', { used: describeSpent(t, month) })}</p>
      ) : (
        <div className="grid gap-x-8 gap-y-3 sm:grid-cols-2">
          {caps.map(cap => (
            <CapBar key={cap.unit} cap={cap} name={name} />
          ))}
        </div>
      )}
      {isAsking && <DisableDialog user={user} onClose={() => setAsking(false)} />}
    </li>
  )
}

function StateBadge({ user: { role, state } }: { user: User }) {
  const t = useText()
  if (state === 'disabled') return <Badge look="warning">{t('team.isDisabled')}</Badge>
  if (state === 'not_let_in') return <Badge look="warning">{t('team.notLetIn')}</Badge>
  if (role !== 'admin') return <Badge>{t('team.member')}</Badge>
  return (
    <Badge look="warning">
      <ShieldCheck aria-hidden className="size-3" />
      {t('team.admin')}
    </Badge>
  )
}

function EndSessions({ user: { id, name } }: { user: User }) {
  const t = useText()
  const end = useEndSessions()
  return (
    <Button
      size="small"
      look="quiet"
      icon={<LogOut aria-hidden className="size-4" />}
      aria-label={t('team.endSessionsNamed', { name })}
      isBusy={end.isPending}
      onClick={() =>
        void end.mutateAsync(id).then(() => toast(t('team.sessionsEnded', { name }), { look: 'good' }), toastError)
      }
    >
      {t('team.endSessions')}
    </Button>
  )
}

function DisableDialog({ user: { id, name, state }, onClose }: { user: User; onClose(): void }) {
  const t = useText()
  const change = useChangeUser()
  const isDisabled = state === 'disabled'

  async function confirm() {
    try {
      await change.mutateAsync({ id, disabled: !isDisabled })
      toast(t(isDisabled ? 'team.enabled' : 'team.disabled', { name }))
    } catch (error) {
      toast(explain(error), { look: 'bad' })
    }
    onClose()
  }

  return (
    <Confirm
      title={t(isDisabled ? 'team.enableTitle' : 'team.disableTitle', { name })}
      hint={t(isDisabled ? 'team.enableHint' : 'team.disableHint')}
      action={t(isDisabled ? 'team.enable' : 'team.disable')}
      icon={isDisabled ? <UserCheck aria-hidden className="size-4" /> : <UserX aria-hidden className="size-4" />}
      isBusy={change.isPending}
      onConfirm={() => void confirm()}
      onClose={onClose}
    />
  )
}
