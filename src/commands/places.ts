/** What the commands share: paths of the data, and words of their output. */
import path from 'node:path'
import { loadSettings, readEnvironment } from '../settings.ts'
import type { Places } from '../storage/archive/backup.ts'

/** Calls `action` with the paths of the data; false, after a message, where other tools do this. */
export async function withPlaces(action: (places: Places) => Promise<void>): Promise<boolean> {
  const { database, storage, dataDir } = loadSettings(readEnvironment())
  if (database.kind !== 'sqlite' || storage.kind !== 'folder') {
    console.error(
      'This is for SQLite and a folder of pictures. Use pg_dump for PostgreSQL and the tools of your bucket for S3. 仅支持 SQLite 与本地文件夹。',
    )
    return false
  }
  await action({ database: database.path, images: storage.path, answers: path.join(dataDir, 'answers') })
  return true
}

export function showProgress(done: number, all?: number) {
  if (process.stdout.isTTY && done % 50 === 0) process.stdout.write(`\r${done}${all === undefined ? '' : ` / ${all}`}`)
}

/** `1 picture`, `2 pictures`. */
export function counted(count: number, word: string) {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
