/** Puts a backup into an empty data folder, checked by hashes. */
import path from 'node:path'
import { type Places, restoreBackup } from '../storage/archive/backup.ts'
import { commandLine } from './arguments.ts'
import { attempt } from './explain.ts'
import { showProgress, withPlaces } from './places.ts'

const { positionals } = commandLine('restore')

const [file = ''] = positionals
await attempt(() => withPlaces(places => restore(places, path.resolve(file))))

async function restore(places: Places, file: string) {
  const { files, dropped, missing } = await restoreBackup(file, places, done => showProgress(done))
  console.log(`\n${files} files restored and checked 已恢复并校验`)
  if (dropped > 0)
    console.log(`${dropped} requests that were waiting then are not sent from here 备份时等待中的请求不会再发送`)
  for (const name of missing) console.log(`missing since before 备份时已缺失: ${name}`)
  console.log(
    'Start with the SECRET_KEY of then, or give up the sealed keys with `webimgui rotate-secret --lost`. 请使用原来的 SECRET_KEY 启动，或放弃已加密的密钥。',
  )
}
