import type { ReactNode } from 'react'
import { useLanguage } from '../text/text.ts'
import { classes } from './classes.ts'

/** Takes the place of what is being loaded; give it that size. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={classes('animate-breathe rounded-2xl bg-sunken', className)} />
}

export interface EmptyStateProps {
  icon?: ReactNode
  title: ReactNode
  children?: ReactNode
  /** What to do next. */
  action?: ReactNode
  isTrouble?: boolean
  /** Nothing else is on the page, so the title is that of the page. */
  isPage?: boolean
}

/** Nothing here, or not yet, or not now, and what to do about it. */
export function EmptyState({ icon, title, children, action, isTrouble, isPage }: EmptyStateProps) {
  const Title = isPage ? 'h1' : 'h2'
  return (
    <div
      role={isTrouble ? 'alert' : undefined}
      className="mx-auto flex max-w-md flex-col items-center gap-3 px-4 py-14 text-center"
    >
      {icon && (
        <div
          className={classes(
            'grid size-14 place-items-center rounded-2xl [&>svg]:size-7',
            isTrouble ? 'bg-seal-wash text-seal-ink' : 'bg-sunken text-ink-faint',
          )}
        >
          {icon}
        </div>
      )}
      <Title className="text-xl">{title}</Title>
      {children && <div className="text-ink-soft">{children}</div>}
      {action && <div className="mt-2 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  )
}

const looks = {
  plain: 'bg-sunken text-ink-soft',
  good: 'bg-jade-wash text-jade',
  warning: 'bg-amber-wash text-amber',
  bad: 'bg-seal-wash text-seal-ink',
}

interface NoticeProps {
  look?: keyof typeof looks
  icon?: ReactNode
  children: ReactNode
  action?: ReactNode
  className?: string
}

export function Notice({ look = 'plain', icon, children, action, className }: NoticeProps) {
  return (
    <div
      role={look === 'bad' ? 'alert' : undefined}
      className={classes(
        'flex items-center gap-3 rounded-2xl px-4 py-2.5 text-sm [&>svg]:size-5 [&>svg]:shrink-0',
        looks[look],
        className,
      )}
    >
      {icon}
      <div className="min-w-0 flex-1 break-words">{children}</div>
      {action}
    </div>
  )
}

export function Badge({ look = 'plain', children }: Pick<NoticeProps, 'look' | 'children'>) {
  return (
    <span
      className={classes(
        'inline-flex items-center gap-1 whitespace-nowrap rounded-full px-2 py-0.5 text-xs',
        looks[look],
      )}
    >
      {children}
    </span>
  )
}

/** The server's own sentence, which is in English and names hosts, models and what a service said. */
export function Detail({ children, className }: { children: string | number | null | undefined; className?: string }) {
  const language = useLanguage()
  if (!children) return null
  return (
    <p lang={language === 'en' ? undefined : 'en'} className={classes('break-words text-ink-soft text-xs', className)}>
      {children}
    </p>
  )
}

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-grid min-w-6 place-items-center rounded-md border border-line border-b-2 bg-raised px-1.5 font-sans text-ink-soft text-xs leading-5">
      {children}
    </kbd>
  )
}
