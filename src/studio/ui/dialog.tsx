import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import type { ReactNode, RefObject } from 'react'
import { useText } from '../text/text.ts'
import { IconButton } from './button.tsx'
import { classes } from './classes.ts'

export interface DialogProps {
  onClose(): void
  title: ReactNode
  description?: ReactNode
  children?: ReactNode
  /** Buttons at the foot, the main one last. */
  actions?: ReactNode
  size?: 'small' | 'medium' | 'large'
  initialFocus?: RefObject<HTMLElement | null>
}

const widths = { small: 'sm:max-w-md', medium: 'sm:max-w-xl', large: 'sm:max-w-4xl' }

/** Holds the focus until it is closed; on a phone it comes up from the foot of the screen. */
export function Dialog(props: DialogProps) {
  const { onClose, title, description, children, actions, size = 'medium', initialFocus } = props
  const t = useText()
  return (
    <Base.Root open onOpenChange={open => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-black/40" />
        <Base.Viewport className="fixed inset-0 z-40 flex items-end justify-center sm:items-center sm:p-6">
          <Base.Popup
            initialFocus={initialFocus}
            className={classes(
              'flex max-h-[92dvh] w-full animate-appear flex-col rounded-t-3xl bg-sheet shadow-float outline-none sm:rounded-3xl',
              widths[size],
            )}
          >
            <div className="flex items-start gap-4 p-5 pb-3 sm:p-6 sm:pb-3">
              <div className="min-w-0 flex-1">
                <Base.Title className="text-xl">{title}</Base.Title>
                {description && <Base.Description className="mt-1 text-ink-soft">{description}</Base.Description>}
              </div>
              <Base.Close render={<IconButton label={t('shell.close')} className="-mt-1 -mr-2" />}>
                <X aria-hidden className="size-5" />
              </Base.Close>
            </div>
            {/* So that arrow keys scroll what is too long for the screen. */}
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: as above */}
            <div tabIndex={0} className="min-h-0 flex-1 overflow-y-auto px-5 pb-5 -outline-offset-2 sm:px-6">
              {children}
            </div>
            {actions && (
              <div className="flex flex-wrap justify-end gap-2 border-line border-t p-4 sm:px-6">{actions}</div>
            )}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  )
}
