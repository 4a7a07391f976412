/** One import from its beginning to its end: several pictures at a time, with pauses, a progress and a report. */
import PQueue from 'p-queue'
import { SentenceError } from '../operator/sentence-error.ts'
import type { FoundPicture } from './formats/format.ts'
import { type ImportParts, importPicture } from './import-picture.ts'
import { openFormat, openTree } from './open-format.ts'
import { createReport, type ImportCounts } from './report.ts'
import type { Tree } from './trees/tree.ts'

export type ImportState = 'running' | 'paused' | 'done' | 'stopped' | 'failed'

export interface ImportProgress {
  state: ImportState
  /** The place that is read at the moment. */
  place: string
  /** How the program that wrote it lays out its exports. */
  format: string
  /** How many pictures there are; null until they are counted. */
  total: number | null
  done: number
  counts: ImportCounts
  startedAt: string
  finishedAt: string | null
  /** Why it failed. */
  error: { en: string; zh: string } | null
}

export interface ImportRun {
  progress(): ImportProgress
  pause(): void
  continue(): void
  /** What was imported stays. */
  stop(): void
  /** Resolves when it has ended, however it did. */
  ended: Promise<ImportProgress>
}

export interface ImportRequest {
  /** Folders, ZIPs and pictures. */
  places: readonly string[]
  tags?: readonly string[]
  /** Where its lines are written to. */
  reportFile: string
}

/** Enough to keep a disk busy, and few enough that generations go on beside it. */
const workers = 6

export function startImport(
  request: ImportRequest,
  parts: ImportParts & { changed?(generationId: string): void },
): ImportRun {
  const counts: ImportCounts = { imported: 0, already: 0, differs: 0, left_out: 0, by_source: {}, by_reason: {} }
  const progress: ImportProgress = {
    state: 'running',
    place: request.places[0] ?? '',
    format: '',
    total: null,
    done: 0,
    counts,
    startedAt: new Date().toISOString(),
    finishedAt: null,
    error: null,
  }
  let gate = Promise.withResolvers<void>()
  gate.resolve()
  const hasStopped = () => progress.state === 'stopped'
  const options = {
    tags: request.tags ?? [],
    changed: parts.changed ?? (() => {}),
    inTurn: createTurns(),
    inTurnOf: createKeyedTurns(),
  }

  async function run() {
    const report = await createReport(request.reportFile, counts, parts.store.whenDurable)
    try {
      for (const place of request.places) {
        if (hasStopped()) break
        progress.place = place
        await importTree(await openTree(place))
      }
    } finally {
      await report.close()
    }

    async function importTree(tree: Tree) {
      try {
        const format = await openFormat(tree)
        progress.format = format.name
        // Counted beside the work: a large folder is walked in the time of some hundred pictures.
        const counting = format.count().then(count => {
          progress.total = (progress.total ?? 0) + count
        })
        try {
          const pictures = format.read((path, reason, detail) => {
            report.add(path, { status: 'left_out', reason, detail })
          })
          await takeAll(pictures, tree)
          await counting
        } finally {
          await counting.catch(() => {})
          format.close?.()
        }
      } finally {
        await tree.close()
      }
    }

    async function takeAll(pictures: AsyncIterable<FoundPicture>, tree: Tree) {
      const iterator = pictures[Symbol.asyncIterator]()
      let failure: unknown
      const work = async () => {
        for (;;) {
          await gate.promise
          if (hasStopped() || failure !== undefined) return
          const next = await iterator.next()
          if (next.done) return
          try {
            report.add(next.value.path, await importPicture(next.value, tree, parts, options))
            progress.done++
          } catch (error) {
            failure ??= error
          }
        }
      }
      await Promise.all(Array.from({ length: workers }, work))
      await iterator.return?.()
      if (failure !== undefined) throw failure
    }
  }

  async function toTheEnd() {
    try {
      await run()
      if (progress.state !== 'stopped') progress.state = 'done'
    } catch (error) {
      progress.state = 'failed'
      progress.error = describe(error)
    }
    progress.finishedAt = new Date().toISOString()
    return progress
  }

  return {
    progress: () => progress,
    pause() {
      if (progress.state !== 'running') return
      progress.state = 'paused'
      gate = Promise.withResolvers()
    },
    continue() {
      if (progress.state !== 'paused') return
      progress.state = 'running'
      gate.resolve()
    },
    stop() {
      if (progress.state !== 'running' && progress.state !== 'paused') return
      progress.state = 'stopped'
      gate.resolve()
    },
    ended: toTheEnd(),
  }
}

function createTurns() {
  const turns = new PQueue({ concurrency: 1 })
  return <Result>(work: () => Promise<Result>) => turns.add(work)
}

function createKeyedTurns() {
  const last = new Map<string, Promise<unknown>>()
  return async <Result>(key: string, work: () => Promise<Result>): Promise<Result> => {
    const before = last.get(key)
    const done = before ? before.then(work, work) : work()
    last.set(key, done)
    try {
      return await done
    } finally {
      if (last.get(key) === done) last.delete(key)
    }
  }
}

function describe(error: unknown) {
  if (error instanceof SentenceError) return { en: error.message, zh: error.zh }
  const message = error instanceof Error ? error.message : String(error)
  return { en: message, zh: message }
}
