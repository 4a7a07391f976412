import type { ReactNode } from 'react'
import { classes } from './classes.ts'

export interface PageProps {
  title: string
  lead?: string
  /** Beside the title. */
  action?: ReactNode
  actionAt?: 'start' | 'end'
  isWide?: boolean
  /** Sections stand further apart. */
  isLoose?: boolean
  children: ReactNode
}

/** The frame of a screen that is read from top to bottom. */
export function Page({ title, lead, action, actionAt = 'start', isWide, isLoose, children }: PageProps) {
  const aligned = actionAt === 'end' ? 'items-end' : lead === undefined ? 'items-center' : 'items-start'
  return (
    <div
      className={classes(
        'mx-auto flex flex-col px-4 py-6 lg:py-10',
        isWide ? 'max-w-5xl' : 'max-w-3xl',
        isLoose ? 'gap-8' : 'gap-6',
      )}
    >
      <header className={classes('flex flex-wrap justify-between gap-4', aligned)}>
        <div className="min-w-0 flex-1 basis-64">
          <h1 className="text-2xl sm:text-3xl">{title}</h1>
          {lead !== undefined && <p className="mt-2 max-w-prose text-ink-soft">{lead}</p>}
        </div>
        {action}
      </header>
      {children}
    </div>
  )
}
