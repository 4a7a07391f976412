/**
 * Writes everything into one archive, also while the server runs. The keys in it are sealed: SECRET_KEY is not part of it and must be
 * kept elsewhere.
 */
import path from 'node:path'
import { type Places, writeBackup } from '../storage/archive/backup.ts'
import { commandLine } from './arguments.ts'
import { attempt } from './explain.ts'
import { counted, showProgress, withPlaces } from './places.ts'

const { positionals } = commandLine('backup')

const [file = ''] = positionals
await attempt(() => withPlaces(places => write(places, path.resolve(file))))

async function write(places: Places, file: string) {
  const { pictures: images, answers, bytes, missing } = await writeBackup(places, file, showProgress)
  console.log(
    `\n${counted(images, 'picture')} 图片, ${counted(answers, 'answer')} 原始应答, ${Math.ceil(bytes / 2 ** 20)} MiB: ${file}`,
  )
  for (const name of missing) console.log(`missing 缺失: ${name}`)
  console.log(
    'Keys are sealed in it. Keep SECRET_KEY, or the file secret.key of the data folder, in another place: it is not part of it. 密钥已加密；SECRET_KEY（或数据目录中的 secret.key）不在备份中，请另行保存。',
  )
}
