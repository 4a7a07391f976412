/** Who else may use the server: users, named tokens, what each has spent of its month, and how to take it away. Users see their own tokens. */

import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { LockOpen, Plus, UsersRound } from 'lucide-react'
import { useState } from 'react'
import { type MadeToken, type Token, tokensQuery, useMe } from '../data/tokens.ts'
import { sumUsage, usageQuery } from '../data/usage.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { Page } from '../ui/page.tsx'
import { Loading, Query } from '../ui/query.tsx'
import { EmptyState, Notice } from '../ui/states.tsx'
import { MadeTokenDialog } from './made-token.tsx'
import { TokenCard } from './token-card.tsx'
import { TokenForm } from './token-form.tsx'
import { Users } from './users.tsx'
import { Webhooks } from './webhooks.tsx'

export function TeamScreen() {
  const t = useText()
  const navigate = useNavigate()
  // In the address, so that the form is still open after a reload.
  const { add } = useSearch({ from: '/team' })
  const tokens = useQuery(tokensQuery)
  const usage = useQuery(usageQuery({ group: 'token' }))
  const me = useMe()
  const isOwn = me?.manages_tokens === 'own'
  const [made, setMade] = useState<MadeToken>()
  const [changed, setChanged] = useState<Token>()

  function open(isOpen: boolean) {
    void navigate({ to: '/team', search: { add: isOpen ? 'token' : undefined }, replace: true })
  }

  const addButton = (
    <Button look="primary" icon={<Plus aria-hidden className="size-5" />} onClick={() => open(true)}>
      {t('team.add')}
    </Button>
  )
  return (
    <Page
      title={t(isOwn ? 'shell.ownTokens' : 'shell.team')}
      lead={t(isOwn ? 'team.leadOwn' : 'team.lead')}
      action={tokens.data && tokens.data.length > 0 && addButton}
    >
      {me && !me.needs_token && (
        <Notice look="warning" icon={<LockOpen aria-hidden className="self-start" />}>
          {t('team.open')}
        </Notice>
      )}
      {me?.role === 'admin' && <Users />}
      <Query
        query={tokens}
        failed={t('team.failed')}
        loading={<Loading className="flex flex-col gap-3" shapes={['h-32', 'h-32']} />}
      >
        {all =>
          all.length === 0 ? (
            <EmptyState
              icon={<UsersRound aria-hidden />}
              title={t(isOwn ? 'team.emptyOwn' : 'team.empty')}
              action={addButton}
            >
              {t(isOwn ? 'team.emptyOwnHint' : 'team.emptyHint')}
            </EmptyState>
          ) : (
            <ul className="flex flex-col gap-3">
              {all.map(token => (
                <TokenCard
                  key={token.id}
                  token={token}
                  spent={usage.data && sumUsage(usage.data.filter(({ key }) => key === token.id))}
                  onChange={() => setChanged(token)}
                />
              ))}
            </ul>
          )
        }
      </Query>
      <Webhooks tokens={tokens.data ?? []} />
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
    </Page>
  )
}
