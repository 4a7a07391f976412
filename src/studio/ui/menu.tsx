import { Menu as Base } from '@base-ui/react/menu'
import type { ReactElement, ReactNode } from 'react'
import { classes } from './classes.ts'
import { itemClasses, popupClasses } from './select.tsx'

export type MenuEntry =
  | { label: ReactNode; icon?: ReactNode; onSelect(): void; isDanger?: boolean; isDisabled?: boolean }
  | { label: ReactNode; icon?: ReactNode; href: string; download?: boolean }
  | 'line'

export interface MenuProps {
  /** The button that opens it, such as an `IconButton`. */
  trigger: ReactElement<Record<string, unknown>>
  entries: readonly MenuEntry[]
  align?: 'start' | 'center' | 'end'
}

export function Menu({ trigger, entries, align = 'end' }: MenuProps) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} align={align} className="z-50">
          <Base.Popup className={classes(popupClasses, 'min-w-48')}>
            {entries.map((entry, index) => {
              // Entries never change their places while the menu is open.
              const key = index
              if (entry === 'line') return <Base.Separator key={key} className="mx-2 my-1 border-line border-t" />
              const content = (
                <>
                  <span className="grid size-5 shrink-0 place-items-center text-ink-faint">{entry.icon}</span>
                  {entry.label}
                </>
              )
              if ('href' in entry) {
                return (
                  <Base.Item
                    key={key}
                    render={props => <a {...props} href={entry.href} download={entry.download} />}
                    className={itemClasses}
                  >
                    {content}
                  </Base.Item>
                )
              }
              return (
                <Base.Item
                  key={key}
                  disabled={entry.isDisabled}
                  onClick={entry.onSelect}
                  className={classes(itemClasses, entry.isDanger && 'text-seal-ink')}
                >
                  {content}
                </Base.Item>
              )
            })}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
