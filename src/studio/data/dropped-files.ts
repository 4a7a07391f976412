/** Files that were dropped on another part of the page, on their way to the form of creating. */
import { createStore } from './store.ts'

const waiting = createStore<readonly File[]>([])

/** Dropped files, which become references as soon as the form is there. */
export function giveReferences(files: readonly File[]) {
  waiting.set([...waiting.get(), ...files])
}

/** Calls back for what waits, and for all that comes. The returned function ends it. */
export function takeReferences(onFiles: (files: readonly File[]) => void) {
  function take() {
    const files = waiting.get()
    if (files.length === 0) return
    waiting.set([])
    onFiles(files)
  }
  take()
  return waiting.subscribe(take)
}
