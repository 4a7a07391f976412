/** Writes the body of an answer to disk as it arrives. Its reader gets it condensed, so that no answer is in memory whole. */
import { ExchangeError } from '../../outgoing/failure.ts'
import type { GrowingAnswer } from '../../storage/answers.ts'
import { Condenser } from '../../storage/condense.ts'

/** Limit of an answer: more than sixteen images of the largest size, in base64. */
const largestAnswer = 1536 * 1024 * 1024
/** Limit of its condensed form. Answers of the services have a few kilobytes. */
const largestCondensed = 8 * 1024 * 1024

export interface AnswerWriterParts {
  /** Up to so many bytes nothing is written unless `commit` asks for it; such an answer fits in its row. */
  smallBytes: number
  /** Opens the file, and tells the ledger of it. */
  begin(): Promise<GrowingAnswer>
  /** Retries a step that must not be skipped until it succeeds. */
  retryUntilStored(work: () => Promise<void>): Promise<void>
  /** Called when something could not be written yet. */
  failed(error: unknown): void
}

/** Limit of what is held in memory while nothing can be written. */
const maxPending = 128 * 1024 * 1024

export class AnswerWriter {
  private readonly parts: AnswerWriterParts
  private file: GrowingAnswer | undefined
  /** Given on, and not in the file yet. */
  private pending: Buffer[] = []
  private pendingBytes = 0
  /** By the clock of `performance`. */
  private nextTryAt = 0
  private isFinished = false

  constructor(parts: AnswerWriterParts) {
    this.parts = parts
  }

  /** Only a file can hold it, whether there is one yet or not: what its reader gets may lack its pictures. */
  get needsFile(): boolean {
    return this.file !== undefined || this.pendingBytes > this.parts.smallBytes
  }

  /** Undefined while nothing is on disk. */
  get name(): string | undefined {
    return this.file?.name
  }

  /**
   * Event by event, where they are events: whoever commits after one has on disk what came up to it. `start`: where the first byte lies
   * in the file.
   */
  async *through(pieces: AsyncIterable<Uint8Array>, start = 0): AsyncGenerator<Uint8Array> {
    const condenser = new Condenser(start)
    let taken = 0
    let given = 0
    for await (const piece of pieces) {
      for (const bytes of splitBehindBlankLines(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))) {
        taken += bytes.length
        if (taken > largestAnswer) throw tooLarge('1.5 GiB', 'is larger than')
        this.pending.push(bytes)
        this.pendingBytes += bytes.length
        if (this.pendingBytes > this.parts.smallBytes) await this.makeRoom()
        const condensed = condenser.push(bytes)
        given += condensed.length
        if (given > largestCondensed) throw tooLarge('8 MiB', 'holds, beside pictures, more than')
        if (condensed.length > 0) yield condensed
      }
    }
    const rest = condenser.end()
    if (rest.length > 0) yield rest
  }

  /** Everything passed on so far is safe on disk when this resolves. */
  async commit() {
    await this.parts.retryUntilStored(async () => {
      await this.write()
      await this.file?.sync()
    })
  }

  /** All of it is safe on disk when this returns the name of its file. */
  async finish(): Promise<string> {
    let name = ''
    await this.parts.retryUntilStored(async () => {
      await this.write()
      name = await this.file!.finish()
    })
    this.isFinished = true
    return name
  }

  /** The name of a file that was begun and will not be finished. */
  get unfinished(): string | undefined {
    return this.isFinished ? undefined : this.name
  }

  async close() {
    await this.file?.close()
  }

  /** The sender does not wait until the disk has room again, so the body is held in memory for a while. */
  private async makeRoom() {
    if (this.pendingBytes > maxPending) return this.parts.retryUntilStored(() => this.write())
    if (performance.now() < this.nextTryAt) return
    try {
      await this.write()
    } catch (error) {
      this.nextTryAt = performance.now() + 1000
      this.parts.failed(error)
    }
  }

  private async write() {
    this.file ??= await this.parts.begin()
    // Events are small; what waited for a disk is not, and is not held twice.
    if (this.pending.length > 4 && this.pendingBytes < 1024 * 1024) this.pending = [Buffer.concat(this.pending)]
    for (let bytes = this.pending[0]; bytes; bytes = this.pending[0]) {
      await this.file.append(bytes)
      this.pending.shift()
      this.pendingBytes -= bytes.length
    }
  }
}

function splitBehindBlankLines(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  let start = 0
  for (let found = bytes.indexOf('\n'); found >= 0; found = bytes.indexOf('\n', found + 1)) {
    const next = bytes[found + 1] === 0x0d ? found + 2 : found + 1
    if (bytes[next] !== 0x0a) continue
    parts.push(bytes.subarray(start, next + 1))
    start = next + 1
    found = next
  }
  if (start < bytes.length) parts.push(bytes.subarray(start))
  return parts
}

function tooLarge(limit: string, what: string): ExchangeError {
  const message = `The answer of the service ${what} ${limit}, more than this server accepts. What arrived of it is kept.`
  return new ExchangeError({ code: 'outcome_unknown', disposition: 'maybe_billed', message })
}
