/** Where the file of a database is, whatever name it was given by. */
import { lstatSync, mkdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { DatabaseError } from '../trouble.ts'

/** Resolves a name through every link, even if no file exists yet. */
export function resolveDatabasePath(name: string): string {
  try {
    return realpathSync(name)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  const link = lstatSync(name, { throwIfNoEntry: false })
  if (link?.isSymbolicLink()) return resolveDatabasePath(path.resolve(path.dirname(name), readlinkSync(name)))
  mkdirSync(path.dirname(name), { recursive: true })
  return path.join(realpathSync(path.dirname(name)), path.basename(name))
}

/**
 * SQLite keeps its journal beside the file, under the name that it was opened with: by two names it has two, and they destroy it
 * (sqlite.org/howtocorrupt.html §2.5).
 */
export function mustHaveOneName(file: string) {
  const names = statSync(file, { throwIfNoEntry: false })?.nlink ?? 1
  if (names > 1) {
    throw new DatabaseError(
      `The database ${file} has ${names} names (hard links), and two programs that use two of them would destroy it. Keep one name: find the others with find -samefile, and remove or copy them.`,
      `数据库 ${file} 有 ${names} 个名字（硬链接），两个程序用不同的名字打开会损坏它。请只保留一个名字：用 find -samefile 找出其余的，删除或改为复制。`,
    )
  }
  if (isMountedAlone(file)) {
    throw new DatabaseError(
      `The file ${file} is mounted without its folder, so its journal would be left behind with the container. Mount the folder that it lies in.`,
      `只挂载了文件 ${file} 而没有挂载它所在的文件夹，日志文件会留在容器里。请改为挂载整个文件夹。`,
    )
  }
}

function isMountedAlone(file: string) {
  try {
    const written = file.replace(/[ \t\n\\]/g, sign => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`)
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .some(line => line.split(' ')[4] === written)
  } catch {
    // Only Linux can tell.
    return false
  }
}

function isMissing(error: unknown) {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
