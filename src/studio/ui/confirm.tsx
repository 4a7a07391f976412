import type { ReactNode } from 'react'
import { useText } from '../text/text.ts'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'

export interface ConfirmProps {
  title: ReactNode
  /** What happens then, and what stays. */
  hint: ReactNode
  /** Label of the button that does it. */
  action: string
  icon: ReactNode
  isBusy: boolean
  onConfirm(): void
  onClose(): void
}

/** Asks once before something that cannot be taken back. */
export function Confirm({ title, hint, action, icon, isBusy, onConfirm, onClose }: ConfirmProps) {
  const t = useText()
  return (
    <Dialog
      size="small"
      onClose={onClose}
      title={title}
      description={hint}
      actions={
        <>
          <Button onClick={onClose}>{t('shell.cancel')}</Button>
          <Button look="primary" icon={icon} isBusy={isBusy} disabled={isBusy} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    />
  )
}
