/** Files that were dropped on another part of the page, on their way to the form of creating. */
let waiting: File[] = []
const listeners = new Set<() => void>()

/** They become references as soon as the form is there. */
export function giveReferences(files: readonly File[]) {
  waiting = [...waiting, ...files]
  for (const listener of listeners) listener()
}

/** Calls back for what waits, and for all that comes. The returned function ends it. */
export function takeReferences(onFiles: (files: File[]) => void) {
  function listener() {
    const files = waiting
    waiting = []
    if (files.length > 0) onFiles(files)
  }
  listeners.add(listener)
  listener()
  return () => {
    listeners.delete(listener)
  }
}
