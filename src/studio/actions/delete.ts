/**
 * Deleting with a way back: what is deleted vanishes at once, and the server hears of it when the time for second thoughts is over,
 * or when the page is left.
 */
import { ApiError } from '../../client/errors.ts'
import { api } from '../data/client.ts'
import { createStore } from '../data/store.ts'
import { t } from '../text/text.ts'
import { toastError } from '../ui/query.tsx'
import { toast } from '../ui/toast.tsx'
import { forEachSideBySide } from './side-by-side.ts'

const secondThoughtsMs = 10_000

/** Ids of generations that are to be shown nowhere. */
export const deleted = createStore<ReadonlySet<string>>(new Set())
/** Ids whose deletion has not been sent yet. */
const waiting = new Set<string>()

function show(ids: readonly string[]) {
  deleted.set(new Set([...deleted.get()].filter(id => !ids.includes(id))))
}

/** `message` is what was done, in the past tense. */
export function deleteWithUndo(ids: readonly string[], message: string) {
  deleted.set(new Set([...deleted.get(), ...ids]))
  for (const id of ids) waiting.add(id)
  const timer = setTimeout(commit, secondThoughtsMs)
  const dismiss = toast(message, {
    durationMs: secondThoughtsMs,
    action: {
      label: t('shell.undo'),
      onSelect() {
        settle()
        show(ids)
      },
    },
  })

  function settle() {
    clearTimeout(timer)
    for (const id of ids) waiting.delete(id)
  }

  async function commit() {
    settle()
    dismiss()
    const refused = await forEachSideBySide(ids, remove)
    const [first] = refused
    if (!first) return
    show(refused.map(({ item }) => item))
    toastError(first.error)
  }
}

async function remove(id: string) {
  try {
    await api.history.remove(id)
  } catch (error) {
    // Somebody else was faster.
    if (!(error instanceof ApiError && error.status === 404)) throw error
  }
}

// A page that is put aside and brought back has sent them; what it hides stays hidden.
addEventListener('pagehide', () => {
  for (const id of waiting) void api.history.remove(id, { keepalive: true }).catch(() => undefined)
  waiting.clear()
})
