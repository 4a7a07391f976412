/**
 * Why generations do not progress. The reason is in the row and in memory: the obstacle may be the database, which then
 * cannot store it.
 */
import type { Message } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'
import type { Notifier } from './events.ts'

/** Each has a text of the studio in every language, and a row in docs/api.md. */
export type WaitingCode =
  | 'nothing_can_be_stored'
  | 'sent_again'
  | 'result_out_of_reach'
  | 'answer_file_gone'
  | 'picture_not_stored'
  | 'not_recorded'
  | 'server_fault'

export interface Reason extends Message {
  code: WaitingCode
}

export type Waiting = ReturnType<typeof createWaiting>

export function createWaiting(store: Store, notifier: Notifier) {
  const notes = new Map<string, { reason: Message | null; isWritten: boolean; isBounded: boolean }>()

  return {
    /**
     * Null: it progresses again. A reason that the database did not take is written the next time. `isBounded`: it continues before
     * long, whatever happens.
     */
    async note(id: string, reason: Reason | null, { isBounded = false }: { isBounded?: boolean } = {}) {
      const before = notes.get(id) ?? { reason: null, isWritten: true }
      if (before.reason?.message === reason?.message && before.isWritten) return
      const note = { reason, isWritten: false, isBounded }
      notes.set(id, note)
      // If another server owns the database, the row is that server's.
      note.isWritten =
        store.isOurs() &&
        (await store.ledger.note({ id, reason }).then(
          () => true,
          () => false,
        ))
      if (note.isWritten && reason === null && notes.get(id) === note) notes.delete(id)
      notifier.notify(id)
    },

    /** Restores the reason of a generation that an earlier process left unfinished. */
    remember(id: string, reason: Message | null) {
      if (reason !== null && !notes.has(id)) notes.set(id, { reason, isWritten: true, isBounded: false })
    },

    /** Does it wait for something that may never happen? */
    isStuck: ({ id, waiting }: { id: string; waiting: Message | null }) =>
      waiting !== null && !notes.get(id)?.isBounded,

    reasonOf: (id: string): Message | undefined => notes.get(id)?.reason ?? undefined,

    list: () => [...notes].flatMap(([id, { reason }]) => (reason === null ? [] : [{ id, reason }])),

    /** Forgets an ended generation, whose row is already final. */
    forget: (id: string) => void notes.delete(id),
  }
}
