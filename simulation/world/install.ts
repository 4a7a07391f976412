/** Once in a process, before the program is loaded: from now on its time, chance, disk and database are those of the present world. */
import { registerHooks } from 'node:module'
import { installDatabase } from './database.ts'
import { installDisk } from './files.ts'
import { installTime } from './time.ts'

const sharp = new URL('./sharp.ts', import.meta.url).href

export function install({ isTold = false } = {}) {
  registerHooks({
    resolve: (name, context, next) => (name === 'sharp' ? { url: sharp, shortCircuit: true } : next(name, context)),
  })
  // Errors belong to the life of a program, and to trace each takes as long as a statement.
  if (!isTold) Error.stackTraceLimit = 0
  installTime()
  installDisk()
  installDatabase()
}
