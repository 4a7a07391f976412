/**
 * Compares the picture store with the database and mends what can be mended: `npm run doctor`, while the server is stopped. Files that
 * can be made again are removed, pictures whose file is gone are fetched again while their address lives, and files that no row names
 * are listed and left. Ends with 1 when something is still missing.
 */
import path from 'node:path'
import { commandLine } from './command-line.ts'
import { clearAway, compare } from './generation/reconcile.ts'
import { refetch } from './generation/refetch.ts'
import { createHttp } from './providers/http.ts'
import { loadSettings, readEnvironment } from './settings.ts'
import { createAnswers } from './storage/answers.ts'
import { openDatabase } from './storage/database.ts'
import { createFolderFiles } from './storage/files.ts'
import { createSeal, type Secret, secretsOf } from './storage/seal.ts'
import { createStore } from './storage/store.ts'

commandLine(`Usage 用法: npm run doctor

Compares the pictures with the database of DATA_DIR, and mends what can be mended. Stop the server first.
对照数据库检查图片文件，并修复能修复的。请先停止服务器。`)

try {
  process.exitCode = (await examine(readEnvironment())) ? 0 : 1
} catch (error) {
  const known = ['SettingsError', 'DatabaseError', 'StorageError', 'SealError']
  console.error(error instanceof Error && known.includes(error.name) ? error.message : error)
  process.exitCode = 1
}

/** True when nothing is missing in the end. */
async function examine(environment: Record<string, string | undefined>) {
  const settings = loadSettings(environment)
  const { storage, dataDir, providerUrls } = settings
  if (storage.kind !== 'folder') {
    console.log('Pictures in a bucket are looked after by its own tools. 对象存储请使用其自带工具检查。')
    return true
  }
  const [first, ...others] = secretsOf(dataDir, settings.secretKey)
  const candidate = ({ text, keep }: Secret) => ({ seal: createSeal(text), keep })
  const candidates = [candidate(first), ...others.map(candidate)] as const
  const database = await openDatabase(settings.database, candidates, { isTool: true })
  const http = createHttp({
    allowedHosts: settings.allowedHosts,
    proxy: settings.proxy,
    allowedOrigins: [providerUrls.doubao, providerUrls.qwen].map(url => new URL(url).origin),
  })
  try {
    const parts = {
      store: createStore(database),
      files: createFolderFiles(storage.path),
      answers: createAnswers(path.join(dataDir, 'answers')),
      http,
    }
    const comparison = await compare(parts)
    if (comparison.rows === 0 && comparison.withoutRow.size > 0) {
      console.error(
        `This database knows none of the ${comparison.withoutRow.size} pictures in ${storage.path}, so nothing was changed. Are DATA_DIR and DATABASE_URL those of the server? 数据库中没有这些图片的记录，未做任何更改；请检查 DATA_DIR 和 DATABASE_URL。`,
      )
      return false
    }
    await clearAway(comparison, parts)
    const { rows, files, waste, wasteAnswers, strangeAnswers, withoutRow, missing } = comparison
    console.log(`${rows} pictures in the database 数据库图片, ${files} files 文件`)
    if (waste.length + wasteAnswers.length > 0)
      console.log(`${waste.length + wasteAnswers.length} left-over files removed 已清理残留文件`)
    for (const file of withoutRow.values()) console.log(`no row 无记录: ${path.join(storage.path, file)}`)
    if (withoutRow.size > 0)
      console.log(
        'A generation that still runs takes up its own at the next start; the others are yours to keep or delete.',
      )
    for (const name of strangeAnswers) console.log(`no call 无对应请求: ${path.join(dataDir, 'answers', name)}`)
    if (strangeAnswers.length > 0)
      console.log(
        'Answers of requests that this database does not know: of another database, or of generations that were deleted. They are removed after a week. 不属于本数据库的原始应答，一周后自动清理。',
      )
    let stillMissing = 0
    for (const image of missing) {
      const reason = await refetch(image, parts)
      if (reason !== undefined) stillMissing++
      const owner = image.generationId ? ` of generation ${image.generationId}` : ''
      console.log(
        `${reason === undefined ? 'fetched again 已重新下载' : 'missing 缺失'}: ${image.file}${owner}${reason ? ` — ${reason}` : ''}`,
      )
    }
    if (stillMissing === 0) console.log('Every picture has its file. 所有图片均完整。')
    return stillMissing === 0
  } finally {
    await http.close()
    await database.close()
  }
}
