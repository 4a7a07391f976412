/** What became of each picture of an import: a line each in a file while it goes on, and as JSON or text when somebody asks. */
import { createWriteStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import path from 'node:path'
import { finished } from 'node:stream/promises'
import type { Outcome } from './import-picture.ts'
import { asObject, parseJson } from './recipe.ts'
import type { LeftOutReason } from './trees/tree.ts'

export interface ReportLine {
  path: string
  status: Outcome['status']
  /** Of the generation that it became, or that was there. */
  generation_id?: string
  /** The program that made it. */
  source?: string
  reason?: LeftOutReason
  detail?: string
}

export interface ImportCounts {
  imported: number
  already: number
  differs: number
  left_out: number
  /** Imported ones by the program that made them. */
  by_source: Record<string, number>
  /** Left-out ones by reason. */
  by_reason: Partial<Record<LeftOutReason, number>>
}

export interface Report {
  add(path: string, outcome: Outcome): void
  /** @throws file system errors, also of lines before */
  close(): Promise<void>
}

/** So many ms a line waits for others, so that they share a sync of the database. */
const lineWaitMs = 500

/**
 * @param counts are counted up
 * @param whenDurable what a line tells survives a power cut before the line is written
 */
export async function createReport(
  file: string,
  counts: ImportCounts,
  whenDurable: () => Promise<void>,
): Promise<Report> {
  await mkdir(path.dirname(file), { recursive: true })
  const stream = createWriteStream(file, { flags: 'w', mode: 0o600 })
  let failure: unknown
  stream.on('error', error => {
    failure = error
  })
  let lines: string[] = []
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()

  function write() {
    clearTimeout(timer)
    timer = undefined
    const text = lines.join('')
    lines = []
    writing = writing.then(async () => {
      await whenDurable()
      stream.write(text)
    })
    writing.catch(error => {
      failure ??= error
    })
    return writing
  }

  return {
    add(path, outcome) {
      counts[outcome.status]++
      if (outcome.status === 'imported') counts.by_source[outcome.source] = (counts.by_source[outcome.source] ?? 0) + 1
      if (outcome.status === 'left_out') counts.by_reason[outcome.reason] = (counts.by_reason[outcome.reason] ?? 0) + 1
      lines.push(`${JSON.stringify(toLine(path, outcome))}\n`)
      timer ??= setTimeout(write, lineWaitMs)
    },
    async close() {
      await write().catch(() => {})
      stream.end()
      await finished(stream).catch(error => {
        failure ??= error
      })
      if (failure) throw failure
    },
  }
}

function toLine(path: string, outcome: Outcome): ReportLine {
  const base = { path: path.toWellFormed(), status: outcome.status }
  if (outcome.status === 'left_out') return { ...base, reason: outcome.reason, detail: outcome.detail }
  return {
    ...base,
    generation_id: outcome.generationId,
    ...(outcome.status === 'imported' ? { source: outcome.source } : {}),
  }
}

/** One after the other: a report may have more lines than fit into memory. One that was removed is empty. */
async function* readReport(file: string): AsyncGenerator<ReportLine> {
  const handle = await open(file).catch(() => undefined)
  if (!handle) return
  await using _ = handle
  for await (const line of handle.readLines()) {
    // A process that died has left half of its last line.
    const parsed = asObject(parseJson(line))
    if (parsed) yield parsed as unknown as ReportLine
  }
}

/** The report as one JSON document, in pieces. */
export async function* reportAsJson(file: string, head: Record<string, unknown>): AsyncGenerator<string> {
  const opening = JSON.stringify(head, null, 2).replace(/\n\}$/, '')
  yield `${opening},\n  "items": [`
  let isFirst = true
  for await (const line of readReport(file)) {
    yield `${isFirst ? '' : ','}\n    ${JSON.stringify(line)}`
    isFirst = false
  }
  yield `${isFirst ? '' : '\n  '}]\n}\n`
}

/** The same for people, a line each; control characters of names are shown. */
export async function* reportAsText(file: string, counts: ImportCounts): AsyncGenerator<string> {
  yield `${counts.imported} imported, ${counts.already} already here, ${counts.differs} already here with another recipe, ${counts.left_out} left out\n`
  for await (const { path, status, reason, detail, source, generation_id } of readReport(file)) {
    const about = status === 'left_out' ? `${reason}${detail ? `: ${detail}` : ''}` : (source ?? generation_id ?? '')
    yield `${status}\t${path.replace(/[\x00-\x1f\x7f]/g, '�')}\t${about.replace(/\s+/g, ' ')}\n`
  }
}
