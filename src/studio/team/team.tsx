/** Who else may use the server: named tokens, what each has spent of its month, and the way to take one back. */
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { CircleAlert, LockOpen, Plus, UsersRound } from 'lucide-react'
import { useState } from 'react'
import { explain, type MadeToken, type Token, tokensQuery, usageQuery, useMe, useModels } from '../data/api.ts'
import { groupsOf } from '../data/spending.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { EmptyState, Notice, Skeleton } from '../ui/states.tsx'
import { MadeTokenDialog } from './made-token.tsx'
import { TokenCard } from './token-card.tsx'
import { TokenForm } from './token-form.tsx'

export function TeamScreen() {
  const t = useText()
  const navigate = useNavigate()
  // In the address, so that the form is still open after a reload.
  const { add } = useSearch({ from: '/team' })
  const tokens = useQuery(tokensQuery)
  const usage = useQuery(usageQuery({ group: 'token' }))
  const { data: models = [] } = useModels()
  const me = useMe()
  const [made, setMade] = useState<MadeToken>()
  const [changed, setChanged] = useState<Token>()

  function open(isOpen: boolean) {
    void navigate({ to: '/team', search: { add: isOpen ? 'token' : undefined }, replace: true })
  }

  const groups = groupsOf(usage.data ?? [], 'images')
  const addButton = (
    <Button look="primary" icon={<Plus aria-hidden className="size-5" />} onClick={() => open(true)}>
      {t('team.add')}
    </Button>
  )
  return (
    <div className="mx-auto flex max-w-3xl flex-col gap-6 px-4 py-6 lg:py-10">
      <header className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0 flex-1 basis-72">
          <h1 className="text-2xl sm:text-3xl">{t('team.title')}</h1>
          <p className="mt-2 max-w-prose text-ink-soft">{t('team.lead')}</p>
        </div>
        {tokens.data && tokens.data.length > 0 && addButton}
      </header>
      {me && !me.needs_token && (
        <Notice look="warning" icon={<LockOpen aria-hidden className="self-start" />}>
          {t('team.open')}
        </Notice>
      )}
      {tokens.isPending ? (
        <Loading />
      ) : tokens.data === undefined ? (
        <EmptyState
          isTrouble
          icon={<CircleAlert aria-hidden />}
          title={t('team.failed')}
          action={
            <Button look="primary" onClick={() => void tokens.refetch()}>
              {t('shell.retry')}
            </Button>
          }
        >
          {explain(tokens.error)}
        </EmptyState>
      ) : tokens.data.length === 0 ? (
        <EmptyState icon={<UsersRound aria-hidden />} title={t('team.empty')} action={addButton}>
          {t('team.emptyHint')}
        </EmptyState>
      ) : (
        <ul className="flex flex-col gap-3">
          {tokens.data.map(token => (
            <TokenCard
              key={token.id}
              token={token}
              spent={usage.data && groups.find(({ key }) => key === token.id)}
              isSpentKnown={usage.data !== undefined}
              models={models}
              onChange={() => setChanged(token)}
            />
          ))}
        </ul>
      )}
      {made ? (
        <MadeTokenDialog made={made} onClose={() => setMade(undefined)} />
      ) : changed ? (
        <TokenForm key={changed.id} token={changed} onClose={() => setChanged(undefined)} />
      ) : (
        add !== undefined && (
          <TokenForm
            onClose={() => open(false)}
            onMade={token => {
              setMade(token)
              open(false)
            }}
          />
        )
      )}
    </div>
  )
}

function Loading() {
  const t = useText()
  return (
    <div role="status" aria-label={t('shell.loading')} className="flex flex-col gap-3">
      <Skeleton className="h-32" />
      <Skeleton className="h-32" />
    </div>
  )
}
