/** State that outlives a component: for as long as the page is there, or kept by the browser. */
import { useSyncExternalStore } from 'react'

/** A value that any component may read and any code may change. */
export function createStore<Value>(initial: Value) {
  let value = initial
  const listeners = new Set<() => void>()
  function subscribe(listener: () => void) {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }
  return {
    get: () => value,
    set(next: Value) {
      value = next
      for (const listener of [...listeners]) listener()
    },
    subscribe,
    use: <Selected = Value>(select: (value: Value) => Selected = value => value as unknown as Selected) =>
      useSyncExternalStore(subscribe, () => select(value)),
  }
}

/**
 * What the browser keeps under a name, as JSON; a text of our own stands there as it is. `parse` gets what somebody may have changed by
 * hand, or undefined for nothing.
 */
export function createKept<Value>(
  name: string,
  parse: (json: unknown) => Value,
  /** In this tab alone, until it is closed. */
  { isOfTab = false } = {},
) {
  const storage = () => (isOfTab ? sessionStorage : localStorage)
  // Several servers may stand under paths of one origin, so every name holds the path.
  const key = () => {
    const { pathname } = new URL(document.baseURI)
    return pathname === '/' ? `webimgui.${name}` : `webimgui.${name}@${pathname}`
  }
  return {
    read: () => parse(parseJson(storage().getItem(key()))),
    /** `undefined` removes it. False where the storage is full or closed, which must not stand in the way of anything. */
    write(value: Value | undefined) {
      try {
        if (value === undefined) storage().removeItem(key())
        else storage().setItem(key(), typeof value === 'string' ? value : JSON.stringify(value))
        return true
      } catch {
        return false
      }
    },
  }
}

function parseJson(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}
