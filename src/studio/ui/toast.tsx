import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { createStore } from '../data/store.ts'
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

const toasts = createStore<readonly ShownToast[]>([])
let lastId = 0

/** Says something for a while at the foot of the page. The returned function takes it away. */
export function toast(text: ReactNode, options: ToastOptions = {}) {
  const id = ++lastId
  toasts.set([...toasts.get().slice(-2), { ...options, id, text }])
  setTimeout(() => dismiss(id), options.durationMs ?? (options.action || options.look === 'bad' ? 10_000 : 6000))
  return () => dismiss(id)
}

function dismiss(id: number) {
  toasts.set(toasts.get().filter(toast => toast.id !== id))
}

/** Stands once in the page: above all of it on a phone, which makes room; else at the foot of the widest column, clear of what is pressed there. */
export function Toasts() {
  const t = useText()
  const shown = toasts.use()
  return (
    <section
      aria-live="polite"
      className="pointer-events-none sticky top-0 z-60 flex flex-col items-center gap-2 px-4 not-empty:pt-3 lg:fixed lg:inset-x-0 lg:top-auto lg:right-8 lg:bottom-6 lg:left-auto lg:max-w-[calc(100vw-38rem)] lg:items-end lg:px-0 lg:[body:has([role=toolbar])_&]:bottom-24"
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
                dismiss(id)
                action.onSelect()
              }}
            >
              {action.label}
            </button>
          )}
          <IconButton icon={X} iconSize={4} label={t('shell.close')} onClick={() => dismiss(id)} />
        </div>
      ))}
    </section>
  )
}
