/** Checkpoints: copy the journal into the database, in a thread of their own, so that no commit and no event loop waits for one. */
import { Worker } from 'node:worker_threads'

/**
 * - `copy`: as much as can be copied while commits go on
 * - `reset`: what is left, while commits are held; the journal begins anew then
 * - `truncate`: the same, and its room on the disk is given back
 */
export type Checkpoint = 'copy' | 'reset' | 'truncate'

export interface CheckpointResult {
  /** Frames in the journal; each is a page of the database. */
  frames: number
  /** How many of them are not yet in the database file. */
  left: number
}

export interface Checkpoints {
  /** Called with every commit. */
  written(): void
  close(): Promise<void>
}

/** After so many commits, each of a few pages. */
const commitsPerCopy = 250
/** 64 MiB: the journal begins anew when it is so long, also if commits never pause. */
const maxFrames = 16_384
/** The rest is copied while commits are held: a few milliseconds. */
const maxFramesHeld = 1_000
const maxCopies = 4
/** Without a commit for so long, the rest is copied. */
const quietMs = 1_000
/** 4 MiB */
const maxFramesQuiet = 1_024

/** `hold` runs work while nothing else is written; `fallBack` is called when the thread fails: checkpoints are made by commits then. */
export function createCheckpoints(
  file: string,
  parts: { hold<T>(work: () => Promise<T>): Promise<T>; fallBack(): void },
): Checkpoints {
  let worker: Worker | undefined
  let waiting: { resolve(result: CheckpointResult | undefined): void; reject(error: unknown): void } | undefined
  let commits = 0
  let commitsSinceLook = 0
  let isRunning = false
  let isOver = false
  let quiet: NodeJS.Timeout | undefined

  /** Undefined when it was not possible, such as on a full disk. */
  function ask(checkpoint: Checkpoint): Promise<CheckpointResult | undefined> {
    worker ??= start()
    const { promise, resolve, reject } = Promise.withResolvers<CheckpointResult | undefined>()
    waiting = { resolve, reject }
    worker.postMessage(checkpoint)
    return promise
  }

  function start(): Worker {
    const thread = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), {
      workerData: { file },
      stdin: false,
    })
    thread.unref()
    thread.on('message', (result: CheckpointResult | undefined) => waiting?.resolve(result))
    const failed = (error: unknown) => {
      if (!isOver) parts.fallBack()
      isOver = true
      waiting?.reject(error)
    }
    thread.on('error', failed)
    thread.on('exit', () => failed(new Error('the thread of the checkpoints has ended')))
    return thread
  }

  /** A reader that began long ago keeps the journal from beginning anew: then it grows until that has ended. */
  async function run(isQuiet: boolean) {
    if (isRunning || isOver) return
    isRunning = true
    commits = 0
    try {
      let copied = await ask('copy')
      const max = isQuiet ? maxFramesQuiet : maxFrames
      for (let tries = 1; copied && copied.left > maxFramesHeld && tries < maxCopies; tries++)
        copied = await ask('copy')
      if (copied && copied.frames > max && copied.left <= maxFramesHeld && !isOver)
        await parts.hold(() => ask(isQuiet ? 'truncate' : 'reset'))
    } catch {
      // The thread has ended: everything is in the journal still.
    } finally {
      isRunning = false
    }
  }

  function watchForQuiet() {
    quiet ??= setInterval(() => {
      const isQuiet = commitsSinceLook === 0
      commitsSinceLook = 0
      if (!isQuiet) return
      clearInterval(quiet)
      quiet = undefined
      void run(true)
    }, quietMs).unref()
  }

  return {
    written() {
      if (isOver) return
      commits++
      commitsSinceLook++
      watchForQuiet()
      if (commits >= commitsPerCopy) void run(false)
    },
    async close() {
      isOver = true
      clearInterval(quiet)
      await worker?.terminate()
    },
  }
}
