/** One token: what it may do, how much of its month is used, and the button that revokes it. */

import { Ban, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { ApiError } from '../../client/errors.ts'
import { nameOfModel, useModels } from '../data/models.ts'
import { type Token, useRevokeToken } from '../data/tokens.ts'
import type { Sum } from '../data/usage.ts'
import { ago, moment } from '../text/format.ts'
import { explain } from '../text/problems.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { CapBar, listCaps } from '../ui/cap-bar.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { EditButton } from '../ui/edit-button.tsx'
import { Badge, Skeleton } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'
import { describeSpent } from './spent.ts'

export interface TokenCardProps {
  token: Token
  /** This month; undefined until it is known. */
  spent: Sum | undefined
  onChange(): void
}

export function TokenCard({ token, spent, onChange }: TokenCardProps) {
  const t = useText()
  const { name, role, models: allowed, created_at: createdAt, last_used_at: lastUsedAt } = token
  const [isAsking, setAsking] = useState(false)
  const models = useModels()
  const caps = spent && listCaps(token, spent)
  return (
    <li className="flex flex-col gap-3 rounded-card border border-line bg-raised p-4 sm:p-5">
      <div className="flex flex-col gap-3 sm:flex-row sm:items-start">
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <h2 className="break-words font-sans text-base">{name}</h2>
            {role === 'admin' ? (
              <Badge look="warning">
                <ShieldCheck aria-hidden className="size-3" />
                {t('team.admin')}
              </Badge>
            ) : (
              <Badge>{t('team.member')}</Badge>
            )}
            {token.user && <Badge>{t('team.of', { name: token.user.name })}</Badge>}
          </div>
          <p className="mt-1 flex flex-wrap gap-x-3 text-ink-soft text-sm">
            <span>{lastUsedAt === null ? t('team.neverUsed') : t('team.lastUsed', { when: ago(lastUsedAt) })}</span>
            <time dateTime={createdAt} title={moment(createdAt)}>
              {t('team.made', { when: ago(createdAt) })}
            </time>
          </p>
          <p className="mt-1 break-words text-ink-faint text-sm">
            {allowed === null
              ? t('team.allModels')
              : t('team.models', {
                  count: allowed.length,
                  names: allowed.map(id => nameOfModel(models, id)).join(t('team.between')),
                })}
          </p>
        </div>
        <div className="flex items-center justify-end gap-1">
          <EditButton name={name} onClick={onChange} />
          <Button
            size="small"
            look="danger"
            icon={<Ban aria-hidden className="size-4" />}
            aria-label={t('team.revokeNamed', { name })}
            onClick={() => setAsking(true)}
          >
            {t('team.revoke')}
          </Button>
        </div>
      </div>
      {!caps ? (
        <Skeleton className="h-8" />
      ) : caps.length === 0 ? (
        <p className="text-ink-soft text-sm tabular-nums">{t('team.uncapped', { used: describeSpent(t, spent) })}</p>
      ) : (
        <div className="grid gap-x-8 gap-y-3 sm:grid-cols-2">
          {caps.map(cap => (
            <CapBar key={cap.unit} cap={cap} name={name} />
          ))}
        </div>
      )}
      {isAsking && <RevokeDialog token={token} onClose={() => setAsking(false)} />}
    </li>
  )
}

function RevokeDialog({ token: { id, name }, onClose }: { token: Token; onClose(): void }) {
  const t = useText()
  const revoke = useRevokeToken()

  async function confirm() {
    try {
      await revoke.mutateAsync(id)
      toast(t('team.revoked', { name }))
    } catch (error) {
      // Somebody else was faster.
      const isGone = error instanceof ApiError && error.status === 404
      if (isGone) toast(t('team.revoked', { name }))
      else toast(explain(error), { look: 'bad' })
    }
    onClose()
  }

  return (
    <Confirm
      title={t('team.revokeTitle', { name })}
      hint={t('team.revokeHint')}
      action={t('team.revoke')}
      icon={<Ban aria-hidden className="size-4" />}
      isBusy={revoke.isPending}
      onConfirm={() => void confirm()}
      onClose={onClose}
    />
  )
}
