/** Paths of the data for backup and restore. */
import path from 'node:path'
import type { Settings } from '../settings.ts'
import type { Places } from '../storage/archive/backup.ts'

/** Undefined, after a message, where other tools do this. */
export function findPlaces({ database, storage, dataDir }: Settings): Places | undefined {
  if (database.kind === 'sqlite' && storage.kind === 'folder')
    return { database: database.path, images: storage.path, answers: path.join(dataDir, 'answers') }
  console.error(
    'This is for SQLite and a folder of pictures. Use pg_dump for PostgreSQL and the tools of your bucket for S3. 仅支持 SQLite 与本地文件夹。',
  )
  return undefined
}

export function showProgress(done: number, all?: number) {
  if (process.stdout.isTTY && done % 50 === 0) process.stdout.write(`\r${done}${all === undefined ? '' : ` / ${all}`}`)
}
