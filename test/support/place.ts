/**
 * Where a run of the tests keeps its files: in memory where there is room. The programs sync what they write all the same, thousands of
 * times in a run; only nobody has to wait for a disk.
 */
import { mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { freemem } from 'node:os'
import path from 'node:path'

const memory = '/dev/shm'
const prefix = 'webimgui-tests-'
/** In bytes: several times of what the largest test writes. */
const minFree = 4 * 2 ** 30

/** Variables for the processes of the tests. What they write there ends with this process. */
export function preparePlace(): Record<string, string> {
  if (process.env.TMPDIR !== undefined || !hasRoom()) return {}
  for (const name of readdirSync(memory)) {
    if (name.startsWith(prefix) && !isRunning(Number(name.slice(prefix.length)))) remove(path.join(memory, name))
  }
  const folder = path.join(memory, prefix + process.pid)
  mkdirSync(folder, { recursive: true })
  process.once('exit', () => remove(folder))
  return { TMPDIR: folder }
}

function hasRoom() {
  try {
    const { bavail, bsize } = statfsSync(memory)
    return Math.min(bavail * bsize, freemem()) > minFree
  } catch {
    return false
  }
}

function isRunning(pid: number) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** What somebody still writes to, after a run that was ended by force, is removed by the next one. */
function remove(folder: string) {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {}
}
