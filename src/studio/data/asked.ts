/** Which generations were asked for in this browser: a server may draw for a whole team, and an administrator sees all of it. */
import { createKept, createStore } from './store.ts'

const maxAsked = 200
const kept = createKept('asked', json =>
  Array.isArray(json) ? json.filter((id): id is string => typeof id === 'string') : [],
)

/** Changes when something was asked for in this tab. */
export const lastAsked = createStore<string | undefined>(undefined)

export function rememberAsked(id: string) {
  const ids = kept.read()
  if (!ids.includes(id)) kept.write([...ids, id].slice(-maxAsked))
  lastAsked.set(id)
}

/** Those asked for in another tab as well. */
export function askedHere(): ReadonlySet<string> {
  return new Set(kept.read())
}
