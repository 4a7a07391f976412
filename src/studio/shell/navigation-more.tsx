/** What the bar of a phone has no room for, in a sheet above it. */
import { Ellipsis } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import { useKeys } from '../ui/use-keys.ts'

export interface NavigationMoreProps {
  className: string
  /** One of the places in the sheet is shown now. */
  isActive: boolean
  /** What it holds; any press in it closes it. */
  children: ReactNode
}

export function NavigationMore({ className, isActive, children }: NavigationMoreProps) {
  const t = useText()
  const [isOpen, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)

  useKeys(
    isOpen
      ? {
          Escape() {
            button.current?.focus()
            setOpen(false)
          },
        }
      : {},
  )
  useEffect(() => {
    if (!isOpen) return undefined
    const leave = ({ target }: Event) => root.current?.contains(target as Node) || setOpen(false)
    const left = new AbortController()
    for (const type of ['pointerdown', 'focusin']) document.addEventListener(type, leave, left)
    return () => left.abort()
  }, [isOpen])

  return (
    <div ref={root} className="lg:hidden">
      <button
        ref={button}
        type="button"
        aria-expanded={isOpen}
        data-status={isActive ? 'active' : undefined}
        onClick={() => setOpen(!isOpen)}
        className={className}
      >
        <Ellipsis aria-hidden />
        {t('shell.more')}
      </button>
      {/* The links and buttons in it are what is operated; this only notices that one was. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: as above */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above */}
      <div
        onClick={() => setOpen(false)}
        className={classes(
          'absolute right-3 bottom-full mb-3 flex min-w-48 animate-appear flex-col rounded-2xl border border-line bg-raised p-1.5 shadow-float',
          !isOpen && 'hidden',
        )}
      >
        {children}
      </div>
    </div>
  )
}
