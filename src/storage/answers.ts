/** Raw answers that are too large for a row, and streams as they arrive: one file per call. */
import { isAscii } from 'node:buffer'
import { mkdirSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { type ByteRange, Condenser } from './condense.ts'
import { createFolderSync } from './files/sync-folder.ts'

export interface AnswerHead {
  status: number
  contentType?: string
  requestId?: string
  retryAfterMs?: number
  complete: boolean
}

/** An answer with all that is needed to understand it without its row. */
export interface WholeAnswer extends AnswerHead {
  body: string
}

export interface GrowingAnswer {
  name: string
  append(bytes: Uint8Array): Promise<void>
  /** Everything that was appended is safe on disk when this returns. */
  sync(): Promise<void>
  /** Everything is safe under the name that it returns. Nothing is appended afterwards. */
  finish(): Promise<string>
  close(): Promise<void>
}

/** Where the body begins in a file with this head. */
export function measureHead(head: AnswerHead): number {
  return Buffer.byteLength(formatHead(head))
}

/** The first line holds status and headers; the rest is the body as received. */
function formatHead(head: AnswerHead): string {
  return `${JSON.stringify(head)}\n`
}

/** Bytes of a file that are read at once. Small enough that V8 frees what is made of them with the young generation. */
const pieceBytes = 64 * 1024

const wholeEnding = '.answer.txt'
const streamEnding = '.stream.txt'

export type Answers = ReturnType<typeof createAnswers>

export function createAnswers(folder: string) {
  mkdirSync(folder, { recursive: true })
  const syncFolders = createFolderSync(path.dirname(folder))
  const at = (name: string) => path.join(folder, path.basename(name))

  /** Opens a new file. The folder is created again if somebody removed it as a cache. */
  async function opened(name: string) {
    const firstMade = await mkdir(folder, { recursive: true })
    if (firstMade !== undefined) await syncFolders(folder, firstMade)
    return open(at(name), 'w+', 0o600)
  }

  /** Undefined only when it is certain that there is no such file: a folder that cannot be read may hold it. */
  async function reading<T>(name: string, work: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
    await using file = await open(at(name), 'r').catch(unlessMissing)
    if (!file) return undefined
    return await work(file)
  }

  return {
    /** The whole answer, safe on disk before this returns; the name to keep in the row. */
    async write(callId: string, { body, ...head }: WholeAnswer) {
      const name = `${callId}${wholeEnding}`
      const temporary = `${name}.part`
      const file = await opened(temporary)
      try {
        await file.writeFile(formatHead(head) + body)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(at(temporary), at(name))
      await syncFolders(folder)
      return name
    },

    /** A file that grows: a stream whose head stands in its row, or, with `head`, what `write` would store, which `find` finds once it is finished. */
    async begin(callId: string, head?: AnswerHead): Promise<GrowingAnswer> {
      const finalName = `${callId}${head ? wholeEnding : streamEnding}`
      const name = head ? `${finalName}.part` : finalName
      let isNamed = !head
      let file = await opened(name)
      await syncFolders(folder)
      let end = 0
      if (head) end = await writeAt(file, Buffer.from(formatHead(head)), end)
      const growing: GrowingAnswer = {
        name,
        async append(bytes) {
          // Always at the same position, so that a failed write leaves no gap before the next part.
          end = await writeAt(file, bytes, end)
        },
        async sync() {
          await file.datasync()
          if (await isThere(at(name))) return
          // The file was removed, perhaps with its folder. It stays readable while it is open.
          const next = await opened(name)
          for await (const piece of readFrom(file, 0, end)) await next.writeFile(piece)
          await next.sync()
          await syncFolders(folder)
          await file.close()
          file = next
        },
        async finish() {
          if (!isNamed) {
            await growing.sync()
            await rename(at(name), at(finalName))
            isNamed = true
          }
          await syncFolders(folder)
          return finalName
        },
        close: () => file.close(),
      }
      return growing
    },

    /** The body alone, condensed; undefined when there is no such file. */
    read: (name: string) => reading(name, async file => (await condensed(file, name)).body),

    /** A string that was taken out of a condensed body, in pieces; undefined when there is no such file. Whoever opens it must read it. */
    async openString(name: string, { start, end }: ByteRange) {
      const file = await open(at(name), 'r').catch(unlessMissing)
      return file && readStringAt(file, start, end)
    },

    /** What `write` stored for a call, whether or not its row already names it; its body condensed. */
    find(callId: string) {
      const name = `${callId}${wholeEnding}`
      return reading(name, async file => {
        const { head, body } = await condensed(file, name)
        return { ...(JSON.parse(head) as Omit<WholeAnswer, 'body'>), body, name }
      })
    },

    remove: (name: string) => rm(at(name), { force: true }),

    /** Each file, the call that it belongs to, undefined for one that was not finished, and ms since 1970. */
    async list() {
      const names = (await readdir(folder)).filter(name => /\.(answer|stream)\.txt(\.part)?$/.test(name))
      const found = await Promise.all(
        names.map(async name => {
          const ending = [wholeEnding, streamEnding].find(ending => name.endsWith(ending))
          // A running server may remove those that it no longer needs.
          const writtenAt = await stat(at(name)).then(({ mtimeMs }) => mtimeMs, unlessMissing)
          return writtenAt === undefined ? [] : [{ name, callId: ending && name.slice(0, -ending.length), writtenAt }]
        }),
      )
      return found.flat()
    },
  }
}

async function condensed(file: FileHandle, name: string): Promise<{ head: string; body: string }> {
  const head = name.endsWith(wholeEnding) ? await firstLine(file) : undefined
  const start = head === undefined ? 0 : head.length + 1
  const condenser = new Condenser(start)
  const pieces: Buffer[] = []
  for await (const piece of readFrom(file, start)) pieces.push(condenser.push(piece))
  pieces.push(condenser.end())
  return { head: head?.toString() ?? '', body: Buffer.concat(pieces).toString() }
}

/** Closes the file. */
async function* readStringAt(file: FileHandle, start: number, end: number): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  let isPlain = true
  /** An incomplete escape. */
  let carried = ''
  try {
    for await (const piece of readFrom(file, start, end, Buffer.allocUnsafe(pieceBytes))) {
      isPlain &&= isAscii(piece)
      const text = carried + (isPlain ? piece.toString('latin1') : decoder.decode(piece, { stream: true }))
      carried = text.slice(text.length - countOpenEscape(text))
      yield unescapeJson(text.slice(0, text.length - carried.length))
    }
    yield unescapeJson(carried + decoder.decode())
  } finally {
    await file.close()
  }
}

/** How many characters at the end are the beginning of an escape. */
function countOpenEscape(text: string): number {
  const found = /\\(?:u[0-9a-f]{0,3})?$/i.exec(text.slice(-5))
  if (!found) return 0
  const end = text.length - found[0].length
  let slashes = 1
  while (text[end - slashes] === '\\') slashes++
  return slashes % 2 === 1 ? found[0].length : 0
}

const controls: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

/** Some services write every slash of base64 with a backslash before it. */
function unescapeJson(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(?:u([0-9a-f]{4})|([\s\S]))/gi, (_, code: string | undefined, letter = '') =>
    code === undefined ? (controls[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
  )
}

async function firstLine(file: FileHandle): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of readFrom(file, 0)) {
    const end = piece.indexOf('\n')
    pieces.push(end < 0 ? piece : piece.subarray(0, end))
    if (end >= 0) break
  }
  return Buffer.concat(pieces)
}

/** With `reused`, a piece is valid until the next one is read. */
async function* readFrom(
  file: FileHandle,
  start: number,
  end = Number.POSITIVE_INFINITY,
  reused?: Buffer,
): AsyncGenerator<Buffer> {
  for (let position = start; position < end; ) {
    const buffer = reused ?? Buffer.allocUnsafe(pieceBytes)
    const length = Math.min(buffer.length, end - position)
    const { bytesRead } = await file.read({ buffer, length, position })
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    position += bytesRead
  }
}

async function isThere(file: string) {
  return (await stat(file).then(() => true, unlessMissing)) ?? false
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

async function writeAt(file: FileHandle, bytes: Uint8Array, start: number) {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written, start + written)).bytesWritten
  }
  return start + bytes.length
}
