import type { ErrorComponentProps } from '@tanstack/react-router'
import { CircleAlert } from 'lucide-react'
import { explain } from './api.ts'
import { useText } from './text/text.ts'
import { Button } from './ui/button.tsx'
import { EmptyState } from './ui/states.tsx'

/** In place of a screen that could not be drawn or loaded; the rest of the page stays. */
export function BrokenPage({ error }: ErrorComponentProps) {
  const t = useText()
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
