/** What is selected, by key, so that it stays while the list grows. */
import { useMemo, useState } from 'react'
import type { Item } from './items.ts'

export interface Selection {
  keys: ReadonlySet<string>
  /** In the order of the gallery. */
  items: readonly Item[]
  has(key: string): boolean
  toggle(index: number): void
  /** From where the last one was selected up to here. */
  extend(index: number): void
  all(): void
  clear(): void
  set(keys: ReadonlySet<string>): void
}

export function useSelection(items: readonly Item[]): Selection {
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set())
  const [anchor, setAnchor] = useState<string>()
  const selected = useMemo(() => (keys.size === 0 ? [] : items.filter(item => keys.has(item.key))), [items, keys])

  return {
    keys,
    items: selected,
    has: key => keys.has(key),
    toggle(index) {
      const key = items[index]?.key
      if (key === undefined) return
      const next = new Set(keys)
      if (!next.delete(key)) next.add(key)
      setKeys(next)
      setAnchor(key)
    },
    extend(index) {
      const from = items.findIndex(item => item.key === anchor)
      const [first, last] = from < 0 ? [index, index] : [Math.min(from, index), Math.max(from, index)]
      setKeys(new Set([...keys, ...items.slice(first, last + 1).map(item => item.key)]))
      if (from < 0) setAnchor(items[index]?.key)
    },
    all: () => setKeys(new Set(items.map(item => item.key))),
    clear() {
      setKeys(new Set())
      setAnchor(undefined)
    },
    set: setKeys,
  }
}
