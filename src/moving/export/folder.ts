/** An export as a plain folder. What is there already in full is left, so that one which broke off goes on. */
import { mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises'
import path from 'node:path'
import { type ExportFile, isGone } from './entries.ts'

/** @param progress is called after each file */
export async function writeFolder(
  files: AsyncIterable<ExportFile>,
  folder: string,
  progress: () => void = () => {},
): Promise<void> {
  await mkdir(folder, { recursive: true })
  for await (const file of files) {
    const place = path.join(folder, ...file.name.split('/'))
    if (!(await isWhole(place, file))) await write(file, place)
    progress()
  }
}

/** Sidecars are written again: marks may have changed since. */
async function isWhole(place: string, { bytes, name }: ExportFile) {
  if (name.endsWith('.json')) return false
  return (await stat(place).catch(() => undefined))?.size === bytes
}

async function write(file: ExportFile, place: string) {
  await mkdir(path.dirname(place), { recursive: true })
  const temporary = `${place}.part`
  try {
    const pieces = await file.open()
    await using handle = await open(temporary, 'w')
    for await (const piece of pieces) await handle.writeFile(piece)
    await handle.sync()
  } catch (error) {
    await rm(temporary, { force: true })
    if (isGone(error)) return
    throw error
  }
  const time = new Date(file.modifiedAt)
  if (!Number.isNaN(time.getTime())) await utimes(temporary, time, time)
  await rename(temporary, place)
}
