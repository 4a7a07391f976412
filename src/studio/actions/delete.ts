/**
 * Deleting with a way back: what is deleted vanishes at once, and the server hears of it when the time for second thoughts is over,
 * or when the page is left.
 */
import { useSyncExternalStore } from 'react'
import { ApiError, address, explain, removeGeneration } from '../data/api.ts'
import { t } from '../text/text.ts'
import { toast } from '../ui/toast.tsx'

const secondThoughtsMs = 10_000
const atOnce = 4

let hidden: ReadonlySet<string> = new Set()
/** Those that the server has not heard of. */
const waiting = new Map<string, () => void>()
const listeners = new Set<() => void>()

function hide(change: (ids: Set<string>) => void) {
  const next = new Set(hidden)
  change(next)
  hidden = next
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Ids of generations that are to be shown nowhere. */
export function useDeleted(): ReadonlySet<string> {
  return useSyncExternalStore(subscribe, () => hidden)
}

/** `message` is what was done, in the past tense. */
export function deleteWithUndo(ids: readonly string[], message: string) {
  hide(next => {
    for (const id of ids) next.add(id)
  })
  const timer = setTimeout(commit, secondThoughtsMs)
  for (const id of ids) waiting.set(id, commit)
  const dismiss = toast(message, {
    durationMs: secondThoughtsMs,
    action: { label: t('shell.undo'), onSelect: undo },
  })

  function settle() {
    clearTimeout(timer)
    for (const id of ids) waiting.delete(id)
  }

  function undo() {
    settle()
    hide(next => {
      for (const id of ids) next.delete(id)
    })
  }

  function commit() {
    settle()
    dismiss()
    void removeAll(ids)
  }
}

async function removeAll(ids: readonly string[]) {
  const queue = [...ids]
  const refused: { id: string; error: unknown }[] = []
  async function work() {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      try {
        await removeGeneration(id)
      } catch (error) {
        // Somebody else was faster.
        if (!(error instanceof ApiError && error.status === 404)) refused.push({ id, error })
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  if (refused.length === 0) return
  hide(next => {
    for (const { id } of refused) next.delete(id)
  })
  toast(explain(refused[0]!.error), { look: 'bad' })
}

/** The page goes away: these requests outlive it. */
function commitNow() {
  for (const id of waiting.keys()) {
    void fetch(address(`api/history/${encodeURIComponent(id)}`), { method: 'DELETE', keepalive: true })
  }
  waiting.clear()
}

// A page that is put aside and brought back has sent them; what it hides stays hidden.
addEventListener('pagehide', commitNow)
