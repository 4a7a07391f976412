/** One connection to the events of the server, which is opened again whenever it ends. Runs in a page or in the worker of all pages. */

export type StreamMessage =
  /** `isFresh`: it begins with all that is unfinished, and does not go on where it was interrupted. */
  | { type: 'open'; isFresh: boolean }
  /** It is tried again; `isRefused`: the answer was no stream, such as that of a proxy or after the end of a session. */
  | { type: 'interrupted'; isRefused: boolean }
  /** As the server sends it: a generation, or the id of one that was removed. */
  | { type: 'generation' | 'removed'; data: string }

const firstPauseMs = 1000
const maxPauseMs = 15_000

/** Tells until the returned function is called. */
export function openStream(address: string, tell: (message: StreamMessage) => void) {
  let source: EventSource
  let timer: ReturnType<typeof setTimeout> | undefined
  let pauseMs = firstPauseMs

  function open() {
    let isFresh = true
    source = new EventSource(address)
    source.addEventListener('open', () => {
      pauseMs = firstPauseMs
      tell({ type: 'open', isFresh })
      isFresh = false
    })
    for (const type of ['generation', 'removed'] as const) {
      source.addEventListener(type, event => tell({ type, data: event.data as string }))
    }
    source.addEventListener('error', () => {
      // While it is only interrupted it comes back by itself, with its Last-Event-ID.
      const isRefused = source.readyState === EventSource.CLOSED
      if (isRefused) {
        timer = setTimeout(open, pauseMs)
        pauseMs = Math.min(pauseMs * 2, maxPauseMs)
      }
      tell({ type: 'interrupted', isRefused })
    })
  }

  open()
  return () => {
    clearTimeout(timer)
    source.close()
  }
}
