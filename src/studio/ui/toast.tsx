import { X } from 'lucide-react'
import { type ReactNode, useSyncExternalStore } from 'react'
import { useText } from '../text/text.ts'
import { IconButton } from './button.tsx'
import { classes } from './classes.ts'

export interface ToastOptions {
  look?: 'plain' | 'good' | 'bad'
  action?: { label: string; onSelect(): void }
  /** 6 seconds; 10 with an action or for trouble. */
  durationMs?: number
}

interface ShownToast extends ToastOptions {
  id: number
  text: ReactNode
}

let toasts: readonly ShownToast[] = []
let lastId = 0
const listeners = new Set<() => void>()

function change(next: readonly ShownToast[]) {
  toasts = next
  for (const listener of listeners) listener()
}

/** Says something for a while at the foot of the page. The returned function takes it away. */
export function toast(text: ReactNode, options: ToastOptions = {}) {
  const id = ++lastId
  const dismiss = () => change(toasts.filter(toast => toast.id !== id))
  change([...toasts.slice(-2), { ...options, id, text }])
  setTimeout(dismiss, options.durationMs ?? (options.action || options.look === 'bad' ? 10_000 : 6000))
  return dismiss
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Stands once in the page: at the foot of the widest column, clear of what is pressed there. */
export function Toasts() {
  const t = useText()
  const shown = useSyncExternalStore(subscribe, () => toasts)
  return (
    <section
      aria-live="polite"
      className="pointer-events-none fixed inset-x-0 top-3 z-60 flex flex-col items-center gap-2 px-4 lg:top-auto lg:right-8 lg:bottom-6 lg:left-auto lg:max-w-[calc(100vw-38rem)] lg:items-end lg:px-0 lg:[body:has([role=toolbar])_&]:bottom-24"
    >
      {shown.map(({ id, text, look, action }) => (
        <div
          key={id}
          className={classes(
            'pointer-events-auto flex max-w-lg animate-appear items-center gap-2 rounded-2xl border bg-raised py-1.5 pr-1.5 pl-4 shadow-float',
            look === 'bad' ? 'border-seal' : look === 'good' ? 'border-jade' : 'border-line',
          )}
        >
          <p className="min-w-0 flex-1 py-1.5">{text}</p>
          {action && (
            <button
              type="button"
              className="min-h-10 shrink-0 rounded-full px-3 font-medium text-seal-ink hover:bg-seal-wash"
              onClick={() => {
                change(toasts.filter(toast => toast.id !== id))
                action.onSelect()
              }}
            >
              {action.label}
            </button>
          )}
          <IconButton label={t('shell.close')} onClick={() => change(toasts.filter(toast => toast.id !== id))}>
            <X aria-hidden className="size-4" />
          </IconButton>
        </div>
      ))}
    </section>
  )
}
