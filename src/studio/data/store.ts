/** What this browser keeps for the page. Several servers may stand under paths of one origin, so every name holds the path. */

/** For whatever is shared by all pages of an origin: storage, channels, locks. */
export function ownName(name: string) {
  const { pathname } = new URL(document.baseURI)
  return pathname === '/' ? `webimgui.${name}` : `webimgui.${name}@${pathname}`
}

export function readKept(name: string, storage: Storage = localStorage): string | null {
  return storage.getItem(ownName(name))
}

/** Null removes it. @throws DOMException where the storage is full or closed */
export function keep(name: string, value: string | null, storage: Storage = localStorage) {
  if (value === null) storage.removeItem(ownName(name))
  else storage.setItem(ownName(name), value)
}

/** JSON of a form that only the caller knows; `undefined` when there is none, or when somebody changed it by hand. */
export function readKeptJson(name: string, storage: Storage = localStorage): unknown {
  try {
    return JSON.parse(readKept(name, storage) ?? '')
  } catch {
    return undefined
  }
}

/** `undefined` removes it. False where the storage is full or closed, which must not stand in the way of anything. */
export function keepJson(name: string, value: unknown, storage: Storage = localStorage): boolean {
  try {
    keep(name, value === undefined ? null : JSON.stringify(value), storage)
    return true
  } catch {
    return false
  }
}
