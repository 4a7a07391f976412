/** What lies there: a folder, a ZIP or a single picture, and which program has laid it out. */
import { open, stat } from 'node:fs/promises'
import type { Format } from './formats/format.ts'
import { openGptImagePlayground } from './formats/gpt-image-playground.ts'
import { openInvokeai } from './formats/invokeai.ts'
import { openNovaImageStudio } from './formats/nova-image-studio.ts'
import { openPictures } from './formats/pictures.ts'
import { openFolder, openSingleFile } from './trees/folder.ts'
import { type Tree, TreeError } from './trees/tree.ts'
import { openZip } from './trees/zip.ts'

const zipName = /\.zip$/i
const otherArchiveName = /\.(?:7z|rar|tar|t?gz)$/i

/** @throws TreeError */
export async function openTree(place: string): Promise<Tree> {
  const found = await stat(place).catch(error => {
    throw notThere(place, error)
  })
  if (found.isDirectory()) return openFolder(place)
  if (!found.isFile()) throw notThere(place, new Error('not a file'))
  if (otherArchiveName.test(place)) throw unreadArchive(place)
  // What is called a ZIP and is none is told by whoever opens it.
  return zipName.test(place) || (await isZip(place)) ? openZip(place) : openSingleFile(place)
}

/** @throws TreeError when its format is known and cannot be read */
export async function openFormat(tree: Tree): Promise<Format> {
  for (const openKnown of [openGptImagePlayground, openNovaImageStudio, openInvokeai]) {
    const format = await openKnown(tree)
    if (format) return format
  }
  return openPictures(tree)
}

async function isZip(file: string) {
  await using handle = await open(file, 'r')
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
  // An empty archive has only its end.
  return bytesRead === 4 && ['PK\x03\x04', 'PK\x05\x06'].includes(buffer.toString('latin1'))
}

function unreadArchive(place: string) {
  return new TreeError(
    `${place} is an archive of another kind than ZIP. Unpack it, and import its folder.`,
    `${place} 不是 ZIP 格式的压缩包。请解压后导入文件夹。`,
  )
}

function notThere(place: string, error: unknown) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return new TreeError(
    `${place} cannot be opened (${code}). Check the path.`,
    `无法打开 ${place}（${code}）。请检查路径。`,
    { cause: error },
  )
}
