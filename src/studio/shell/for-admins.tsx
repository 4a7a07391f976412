/** In place of a screen that a member has no use for, when one comes by an old link. */
import { Link } from '@tanstack/react-router'
import { ShieldCheck } from 'lucide-react'
import { useText } from '../text/text.ts'
import { buttonClasses } from '../ui/button.tsx'
import { EmptyState } from '../ui/states.tsx'

export function ForAdmins() {
  const t = useText()
  return (
    <EmptyState
      isPage
      icon={<ShieldCheck aria-hidden />}
      title={t('shell.forAdmins')}
      action={
        <Link to="/" className={buttonClasses('primary')}>
          {t('shell.create')}
        </Link>
      }
    >
      {t('shell.forAdminsHint')}
    </EmptyState>
  )
}
