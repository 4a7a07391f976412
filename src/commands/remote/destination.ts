/** Where pictures are saved. */
import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { isPictureName } from '../../client/local-files.ts'
import { Refusal } from './end.ts'

export interface Destination {
  folder: string
  /** Of a picture, where one was named. */
  file?: string
  name?: string
  ending?: string
}

/** A folder, or the name of a picture where there is one request. @throws Refusal */
export function readDestination(out: string, requests: number): Destination {
  const file = path.resolve(out)
  if (!isPictureName(out) || out.endsWith('/')) return { folder: file }
  if (requests > 1) {
    throw new Refusal(
      '--out has to name a folder where there are several prompts or ids. Nothing was sent.',
      '有多条提示词或多个 id 时，--out 必须是文件夹。未发送任何请求。',
    )
  }
  const { dir, name, ext } = path.parse(file)
  return { folder: dir, file, name, ending: ext.slice(1) }
}

/** Before anything is sent: what was paid for needs a place. @throws the error of the system, which names the folder */
export async function openOutputFolder(folder: string) {
  await mkdir(folder, { recursive: true })
  await access(folder, constants.W_OK)
}
