/**
 * `npm run backup -- FILE` writes everything into one archive, also while the server runs; `npm run restore -- FILE` puts it into an empty
 * data folder, checked by hashes. The keys in it are sealed: SECRET_KEY is not part of it and must be kept elsewhere.
 */
import path from 'node:path'
import { loadSettings, readEnvironment } from '../settings.ts'
import { type Places, restoreBackup, writeBackup } from '../storage/archive/backup.ts'
import { commandLine } from './arguments.ts'
import { explain } from './explain.ts'

const usage = `Usage 用法: npm run backup -- FILE    npm run restore -- FILE

backup writes database, pictures and kept answers of DATA_DIR into one archive, also while the server runs.
restore puts them into an empty DATA_DIR and checks every hash; the server must be stopped.
backup 把 DATA_DIR 中的数据库、图片和原始应答写入一个归档，可在服务器运行时执行；
restore 恢复到空的 DATA_DIR 并逐一校验，须先停止服务器。`

const { positionals } = commandLine(usage, { words: ['write | restore', 'FILE'] })

try {
  const [word, file = ''] = positionals
  const places = placesOf(readEnvironment())
  if (!places) process.exitCode = 1
  else if (word === 'restore') await restore(places, path.resolve(file))
  else await write(places, path.resolve(file))
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}

async function write(places: Places, file: string) {
  const { pictures, answers, bytes, missing } = await writeBackup(places, file, progress)
  console.log(`\n${pictures} pictures 图片, ${answers} answers 原始应答, ${Math.ceil(bytes / 2 ** 20)} MiB: ${file}`)
  for (const name of missing) console.log(`missing 缺失: ${name}`)
  console.log(
    'Keys are sealed in it. Keep SECRET_KEY, or the file secret.key of the data folder, in another place: it is not part of it. 密钥已加密；SECRET_KEY（或数据目录中的 secret.key）不在备份中，请另行保存。',
  )
}

async function restore(places: Places, file: string) {
  const { files, dropped, missing } = await restoreBackup(file, places, done => progress(done))
  console.log(`\n${files} files restored and checked 已恢复并校验`)
  if (dropped > 0)
    console.log(`${dropped} requests that were waiting then are not sent from here 备份时等待中的请求不会再发送`)
  for (const name of missing) console.log(`missing since before 备份时已缺失: ${name}`)
  console.log(
    'Start with the SECRET_KEY of then, or give up the sealed keys with `npm run rotate-secret -- --lost`. 请使用原来的 SECRET_KEY 启动，或放弃已加密的密钥。',
  )
}

function placesOf(environment: Record<string, string | undefined>): Places | undefined {
  const { database, storage, dataDir } = loadSettings(environment)
  if (database.kind === 'sqlite' && storage.kind === 'folder')
    return { database: database.path, images: storage.path, answers: path.join(dataDir, 'answers') }
  console.error(
    'This is for SQLite and a folder of pictures. Use pg_dump for PostgreSQL and the tools of your bucket for S3. 仅支持 SQLite 与本地文件夹。',
  )
  return undefined
}

function progress(done: number, all?: number) {
  if (process.stdout.isTTY && done % 50 === 0) process.stdout.write(`\r${done}${all === undefined ? '' : ` / ${all}`}`)
}
