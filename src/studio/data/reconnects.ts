/** Tells that the server can be reached again, so that whatever failed meanwhile is worth another try. */
const listeners = new Set<() => void>()

export function announceReconnect() {
  for (const listener of [...listeners]) listener()
}

export function onReconnect(listener: () => void) {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

addEventListener('online', announceReconnect)
