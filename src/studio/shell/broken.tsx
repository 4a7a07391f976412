import { useMutation } from '@tanstack/react-query'
import type { ErrorComponentProps } from '@tanstack/react-router'
import { CircleAlert } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { api } from '../data/client.ts'
import { connection } from '../data/connection.ts'
import { explain } from '../text/problems.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { Failed, isOffline } from '../ui/query.tsx'
import { EmptyState } from '../ui/states.tsx'

/** In place of a screen that could not be drawn or loaded; the rest of the page stays. */
export function BrokenPage({ error }: ErrorComponentProps) {
  const t = useText()
  if (isOffline(error)) return <Unreached error={error} />
  return (
    <EmptyState
      isPage
      isTrouble
      icon={<CircleAlert aria-hidden />}
      title={t('shell.broken')}
      action={
        <Button look="primary" onClick={() => location.reload()}>
          {t('shell.reload')}
        </Button>
      }
    >
      <p>{t('shell.brokenHint')}</p>
      <pre className="mt-3 overflow-x-auto rounded-xl bg-sunken p-3 text-left text-xs">{explain(error)}</pre>
    </EmptyState>
  )
}

/** A screen whose file could not be loaded. A browser may remember the failure, so the page is loaded anew once the server is back. */
function Unreached({ error }: { error: unknown }) {
  const t = useText()
  const now = connection.use()
  const again = useMutation({ mutationFn: () => api.status(), onSuccess: () => location.reload() })
  const wasLost = useRef(false)
  useEffect(() => {
    if (now === 'lost') wasLost.current = true
    else if (now === 'open' && wasLost.current) location.reload()
  }, [now])
  return (
    <Failed isPage title={t('shell.unreached')} error={error} isBusy={again.isPending} onRetry={() => again.mutate()} />
  )
}
