/** Raw answers that are too large for a row, and streams while they come: one file a call. */
import { mkdirSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'

export interface Answers {
  /** The whole text, safe on disk before this returns; the name to keep in the row. */
  write(callId: string, text: string): Promise<string>
  /** A file that grows; every `append` is safe on disk before it returns. */
  begin(callId: string): Promise<GrowingAnswer>
  read(name: string): Promise<string>
  remove(name: string): Promise<void>
}

export interface GrowingAnswer {
  name: string
  append(text: string): Promise<void>
  close(): Promise<void>
}

export function createAnswers(folder: string): Answers {
  mkdirSync(folder, { recursive: true })
  const at = (name: string) => path.join(folder, path.basename(name))
  return {
    async write(callId, text) {
      const name = `${callId}.txt`
      const temporary = at(`${name}.part`)
      const file = await open(temporary, 'w', 0o600)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, at(name))
      await syncFolder(folder)
      return name
    },
    async begin(callId) {
      const name = `${callId}.stream.txt`
      const file = await open(at(name), 'w', 0o600)
      await syncFolder(folder)
      return {
        name,
        async append(text) {
          await file.appendFile(text)
          await file.datasync()
        },
        close: () => file.close(),
      }
    },
    read: name => readFile(at(name), 'utf8'),
    remove: name => rm(at(name), { force: true }),
  }
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
