/** Is the server there? */
import { createStore } from './store.ts'

export const connection = createStore<'connecting' | 'open' | 'lost'>('connecting')

const reconnects = createStore(0)

/** The server can be reached again, so whatever failed meanwhile is worth another try. */
export function announceReconnect() {
  reconnects.set(reconnects.get() + 1)
}

/** The returned function ends it. */
export const onReconnect = reconnects.subscribe

addEventListener('online', announceReconnect)
