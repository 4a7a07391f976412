/** What is selected, by key, so that it stays while the list grows. */
import { useMemo, useState } from 'react'
import type { Item } from './items.ts'

export type Selection = ReturnType<typeof useSelection>

export function useSelection(items: readonly Item[]) {
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set())
  const [anchor, setAnchor] = useState<string>()
  const selected = useMemo(() => (keys.size === 0 ? [] : items.filter(item => keys.has(item.key))), [items, keys])

  return {
    keys,
    /** In the order of the gallery. */
    items: selected,
    has: (key: string) => keys.has(key),
    toggle(index: number) {
      const key = items[index]?.key
      if (key === undefined) return
      const next = new Set(keys)
      if (!next.delete(key)) next.add(key)
      setKeys(next)
      setAnchor(key)
    },
    /** From where the last one was selected up to here. */
    extend(index: number) {
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
