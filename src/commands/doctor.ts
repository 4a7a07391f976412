/**
 * Compares the image store with the database and repairs what it can. Files that can be regenerated are removed,
 * images whose file is missing are fetched again while their address is valid, and files that no row names are listed and left. Beside a
 * running server it changes nothing. Exits with 1 if something is still missing at the end.
 */
import path from 'node:path'
import { type Comparison, clearAway, compare } from '../generation/repair/reconcile.ts'
import { type RefetchParts, refetch } from '../generation/repair/refetch.ts'
import { createHttp } from '../outgoing/client.ts'
import { shipped } from '../providers/index.ts'
import { loadSettings, readEnvironment, type Settings } from '../settings.ts'
import { createAnswers } from '../storage/answers.ts'
import type { ReadDatabase } from '../storage/connection.ts'
import { readDatabase } from '../storage/database.ts'
import { createFolderFiles } from '../storage/files/folder.ts'
import { createSeal, findSecrets, type Secret } from '../storage/secrets/seal.ts'
import { provenSeal } from '../storage/secrets/seal-check.ts'
import { createStore, type Store } from '../storage/store.ts'
import { commandLine } from './arguments.ts'
import { attempt, explain } from './explain.ts'
import { counted } from './places.ts'

commandLine('doctor')

await attempt(() => examine(readEnvironment()))

/** True when nothing is missing in the end. */
async function examine(environment: Record<string, string | undefined>) {
  const settings = loadSettings(environment)
  const { storage, dataDir, providerUrls } = settings
  if (storage.kind !== 'folder') {
    console.log('Pictures in a bucket are looked after by its own tools. 对象存储请使用其自带工具检查。')
    return true
  }
  const database = await readDatabase(settings.database)
  const http = createHttp({
    allowedHosts: settings.allowedHosts,
    proxy: settings.proxy,
    allowedOrigins: Object.values(providerUrls).map(url => new URL(url).origin),
  })
  try {
    await warnOfKeys(database, settings)
    const parts = {
      store: createStore(database),
      files: createFolderFiles(storage.path),
      answers: createAnswers(path.join(dataDir, 'answers')),
      http,
      catalogue: shipped,
    }
    const comparison = await compare(parts)
    await compareSums(parts.store)
    const { rows, orphanedFiles } = comparison
    if (rows.images + rows.references === 0 && orphanedFiles.size > 0) {
      console.error(
        `This database knows none of the ${orphanedFiles.size} pictures in ${storage.path}, so nothing was changed. Are DATA_DIR and DATABASE_URL those of the server? 数据库中没有这些图片的记录，未做任何更改；请检查 DATA_DIR 和 DATABASE_URL。`,
      )
      return false
    }
    report(comparison, { images: storage.path, answers: path.join(dataDir, 'answers') })
    const missing = database.isAlone ? await mend(comparison, parts) : onlyTell(comparison)
    if (missing === 0) console.log('Every picture has its file. 所有图片均完整。')
    return missing === 0
  } finally {
    await http.close()
    await database.close()
  }
}

/** Files can be checked without the secret, as after a restore. */
async function warnOfKeys({ kysely }: ReadDatabase, { dataDir, secretKey }: Settings) {
  try {
    const candidate = ({ text }: Secret) => ({ seal: createSeal(text), keep() {} })
    const [first, ...others] = findSecrets(dataDir, secretKey)
    await provenSeal(kysely, [candidate(first), ...others.map(candidate)])
  } catch (error) {
    console.error(`${explain(error)}\nThe files are looked at all the same. 仍会检查文件。`)
  }
}

/** The server counts them anew when it looks itself over, so they are only told. */
async function compareSums({ spending }: Store) {
  const wrong = await spending.countWrongSums()
  if (wrong === 0) return
  console.log(
    `What was spent in ${wrong} days or months is summed up wrongly; the server counts it anew half a minute after its next start. ${wrong} 个日/月用量汇总与明细不符，服务器下次启动约半分钟后会重新统计。`,
  )
}

function report(
  { rows, files, orphanedFiles, orphanedAnswers }: Comparison,
  folders: { images: string; answers: string },
) {
  console.log(
    `In the database 数据库: ${counted(rows.images, 'picture')} 图片, ${counted(rows.references, 'reference')} 参考图`,
  )
  const more = [
    ...(files.prepared > 0 ? [`${counted(files.prepared, 'prepared reference')} 待发送的参考图`] : []),
    ...(files.orphanedFiles > 0 ? [`${files.orphanedFiles} without a row 无记录`] : []),
  ]
  const found = [
    `${counted(files.images, 'picture')} 图片`,
    `${counted(files.references, 'reference')} 参考图`,
    `${counted(files.thumbnails, 'thumbnail')} 缩略图`,
    ...more,
  ]
  console.log(`On the disk 磁盘: ${found.join(', ')}`)
  for (const file of orphanedFiles.values()) console.log(`no row 无记录: ${path.join(folders.images, file)}`)
  if (orphanedFiles.size > 0) {
    console.log(
      'A generation that still runs takes up its own at the next start; the others are yours to keep or delete. 仍在进行的生成会在下次启动时认领自己的文件；其余由您决定保留或删除。',
    )
  }
  for (const name of orphanedAnswers) console.log(`no call 无对应请求: ${path.join(folders.answers, name)}`)
  if (orphanedAnswers.length > 0) {
    console.log(
      'Answers of requests that this database does not know: of another database, or of generations that were deleted. They are removed after a week. 不属于本数据库的原始应答，一周后自动清理。',
    )
  }
}

/** How many are still missing. */
async function mend(comparison: Comparison, parts: RefetchParts) {
  await clearAway(comparison, parts)
  const cleared = comparison.stale.length + comparison.staleAnswers.length
  if (cleared > 0) console.log(`${cleared} left-over files removed 已清理残留文件`)
  let stillMissing = 0
  for (const image of comparison.missing) {
    const reason = await refetch(image, parts)
    if (reason !== undefined) stillMissing++
    tell(reason === undefined ? 'fetched again 已重新下载' : 'missing 缺失', image, reason)
  }
  return stillMissing
}

function onlyTell({ missing }: Comparison) {
  console.log(
    'The server is running, so nothing was changed; stop it and run this again to mend. 服务器正在运行，未做任何更改；如需修复，请停止服务器后重新执行。',
  )
  for (const image of missing) tell('missing 缺失', image)
  return missing.length
}

function tell(what: string, { file, generationId }: Comparison['missing'][number], reason?: string) {
  console.log(`${what}: ${file}${generationId ? ` of generation ${generationId}` : ''}${reason ? ` — ${reason}` : ''}`)
}
