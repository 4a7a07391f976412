// glibc keeps the memory of large pictures for later unless its variables say otherwise, and it reads them when a process begins.
// So this process begins anew with them: the same process for whoever started it, with its number, its signals and its exit code.
import { closeSync, openSync, readSync } from 'node:fs'

const variables = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
}

/** Other words end soon. Without a word it is the server, too. */
const isServer = ['start', 'demo', undefined].includes(process.argv[2])
/** Whoever sets one of them knows better; and so nothing begins a third time. */
const isChosen = Object.keys(variables).some(name => process.env[name] !== undefined)

// A channel to the parent would be lost.
if (isServer && !isChosen && process.platform === 'linux' && process.execve && !process.channel && usesGlibc()) {
  const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  process.execve(process.execPath, words, { ...process.env, ...variables })
}

/** The loader that a program names stands at its beginning. */
function usesGlibc() {
  try {
    const head = Buffer.alloc(4096)
    const file = openSync(process.execPath, 'r')
    readSync(file, head, 0, head.length, 0)
    closeSync(file)
    return head.includes('/ld-linux')
  } catch {
    return false
  }
}
