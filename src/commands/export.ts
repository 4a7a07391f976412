/** Writes pictures of the data folder into a plain folder or a ZIP, each with a file that says how it was made; also beside a server. */
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { HistoryCountQuery } from '../api/history.ts'
import { toFilter } from '../generation/history.ts'
import { type ExportCounts, emptyCounts, listExport } from '../moving/export/entries.ts'
import { writeFolder } from '../moving/export/folder.ts'
import { writeZip } from '../moving/export/zip.ts'
import { loadSettings, readEnvironment } from '../settings.ts'
import { readDatabase } from '../storage/database.ts'
import { createFolderFiles } from '../storage/files/folder.ts'
import type { HistoryFilter } from '../storage/history-filter.ts'
import { createStore } from '../storage/store.ts'
import { commandLine, refuseArguments } from './arguments.ts'
import { attempt } from './explain.ts'
import { counted, showProgress } from './places.ts'

const { values } = commandLine('export')
const { out, favorite, ...words } = values
if (out === undefined) refuseArguments('export', '--out is missing. 缺少 --out。')
const query = HistoryCountQuery.safeParse({ ...words, ...(favorite ? { favorite: 'true' } : {}) })
if (!query.success) {
  const [issue] = query.error.issues
  refuseArguments('export', `--${issue?.path.join('.')}: ${issue?.message}`)
}

await attempt(() => exportHere(path.resolve(out), toFilter(query.data)))

async function exportHere(target: string, filter: Omit<HistoryFilter, 'limit' | 'before'>) {
  const { database: location, storage } = loadSettings(readEnvironment())
  if (storage.kind !== 'folder') {
    console.error('Pictures can be exported from a folder only. 目前只能从本地文件夹导出。')
    return false
  }
  const database = await readDatabase(location)
  try {
    const counts = emptyCounts()
    const files = listExport(
      { filter },
      { store: createStore(database), files: createFolderFiles(storage.path) },
      counts,
    )
    await write(files, target, () => showProgress(counts.pictures))
    tell(counts, target)
    return counts.missing.length === 0
  } finally {
    await database.close()
  }
}

async function write(files: ReturnType<typeof listExport>, target: string, progress: () => void) {
  if (!target.endsWith('.zip')) return writeFolder(files, target, progress)
  const temporary = `${target}.part`
  try {
    await pipeline(Readable.from(writeZip(files)), createWriteStream(temporary))
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
}

function tell({ pictures, bytes, missing }: ExportCounts, target: string) {
  console.log(`${counted(pictures, 'picture')} 图片, ${Math.ceil(bytes / 2 ** 20)} MiB: ${target}`)
  for (const { image_id, generation_id } of missing)
    console.log(`missing 缺失: ${image_id} of generation ${generation_id}`)
}
