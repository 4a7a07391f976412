/** Raw answers that are too large for a row, and streams while they come: one file a call. */
import { mkdirSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

export interface Answers {
  /** The whole answer, safe on disk before this returns; the name to keep in the row. */
  write(callId: string, answer: WholeAnswer): Promise<string>
  /** A file that grows; every `append` is safe on disk before it returns. */
  begin(callId: string): Promise<GrowingAnswer>
  /** The body alone; undefined when there is no such file. */
  read(name: string): Promise<string | undefined>
  /** What `write` brought to disk for a call, whether or not its row ever got to tell of it. */
  find(callId: string): Promise<(WholeAnswer & { name: string }) | undefined>
  remove(name: string): Promise<void>
  /** Each file, the call that it belongs to, undefined for one that was not finished, and ms since 1970. */
  list(): Promise<{ name: string; callId: string | undefined; writtenAt: number }[]>
}

/** An answer with all that is needed to understand it without its row. */
export interface WholeAnswer {
  status: number
  contentType?: string
  requestId?: string
  retryAfterMs?: number
  complete: boolean
  body: string
}

export interface GrowingAnswer {
  name: string
  append(text: string): Promise<void>
  close(): Promise<void>
}

const wholeEnding = '.answer.txt'
const streamEnding = '.stream.txt'

export function createAnswers(folder: string): Answers {
  mkdirSync(folder, { recursive: true })
  const at = (name: string) => path.join(folder, path.basename(name))

  /** Opens a new file. The folder may have been removed by somebody who took it for a cache. */
  async function opened(name: string) {
    await mkdir(folder, { recursive: true })
    return open(at(name), 'w+', 0o600)
  }

  return {
    async write(callId, { body, ...head }) {
      const name = `${callId}${wholeEnding}`
      const temporary = `${name}.part`
      const file = await opened(temporary)
      try {
        // One line tells what stands in no body; the rest is the answer as it came.
        await file.writeFile(`${JSON.stringify(head)}\n${body}`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(at(temporary), at(name))
      await syncFolder(folder)
      return name
    },

    async begin(callId) {
      const name = `${callId}${streamEnding}`
      let file = await opened(name)
      await syncFolder(folder)
      let end = 0
      return {
        name,
        async append(text) {
          // Always at the same place, so that a try that failed half way leaves nothing between this part and the one before.
          end = await writeAt(file, Buffer.from(text), end)
          if (await isThere(at(name))) return
          // It was removed, with its folder perhaps. What came so far can be read from it for as long as it is open.
          const next = await opened(name)
          await writeAt(next, (await file.readFile()).subarray(0, end), 0)
          await syncFolder(folder)
          await file.close()
          file = next
        },
        close: () => file.close(),
      }
    },

    async read(name) {
      const text = await textOf(at(name))
      return text !== undefined && name.endsWith(wholeEnding) ? split(text).body : text
    },

    async find(callId) {
      const name = `${callId}${wholeEnding}`
      const text = await textOf(at(name))
      if (text === undefined) return undefined
      const { head, body } = split(text)
      return { ...(JSON.parse(head) as Omit<WholeAnswer, 'body'>), body, name }
    },

    remove: name => rm(at(name), { force: true }),

    async list() {
      const names = (await readdir(folder)).filter(name => /\.(answer|stream)\.txt(\.part)?$/.test(name))
      const found = await Promise.all(
        names.map(async name => {
          const ending = [wholeEnding, streamEnding].find(ending => name.endsWith(ending))
          // A server that works meanwhile removes those that it does not need any more.
          const writtenAt = await stat(at(name)).then(({ mtimeMs }) => mtimeMs, unlessMissing)
          return writtenAt === undefined ? [] : [{ name, callId: ending && name.slice(0, -ending.length), writtenAt }]
        }),
      )
      return found.flat()
    },
  }
}

/** Undefined only when it is certain that there is none: a folder that cannot be read may hold it. */
async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    return unlessMissing(error)
  }
}

async function isThere(file: string) {
  return (await stat(file).then(() => true, unlessMissing)) ?? false
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

function split(text: string) {
  const line = text.indexOf('\n')
  return { head: text.slice(0, line), body: text.slice(line + 1) }
}

async function writeAt(file: FileHandle, bytes: Buffer, start: number) {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written, start + written)).bytesWritten
  }
  await file.datasync()
  return start + bytes.length
}

/** After a rename or a creation, so that the name survives a power cut too. Windows cannot open folders and needs no such step. */
async function syncFolder(folder: string) {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
