import type { ReactNode } from 'react'
import { classes } from './classes.ts'

export interface ChoiceCardProps {
  /** Shared by those of which one is chosen. */
  name: string
  value: string
  isChosen: boolean
  onChoose(): void
  size?: keyof typeof sizes
  children: ReactNode
}

const sizes = {
  usual: 'rounded-xl px-3 py-2',
  large: 'gap-1 rounded-2xl p-4',
  shape:
    'h-17 items-center justify-end gap-1 rounded-xl pb-1 text-ink-soft text-xs has-checked:font-medium has-checked:text-seal-ink',
}

/** A choice among a few that need a word of explanation: a radio button underneath, the whole card to press. */
export function ChoiceCard({ name, value, isChosen, onChoose, size = 'usual', children }: ChoiceCardProps) {
  return (
    <label
      className={classes(
        'flex cursor-pointer flex-col border transition-colors',
        'has-focus-visible:outline-2 has-focus-visible:outline-seal-ink has-focus-visible:outline-offset-2',
        sizes[size],
        isChosen ? 'border-seal bg-seal-wash' : 'border-line bg-raised hover:border-line-strong',
      )}
    >
      <input type="radio" name={name} value={value} className="sr-only" checked={isChosen} onChange={onChoose} />
      {children}
    </label>
  )
}
