/** Once in a process, before the program is loaded: from now on its time, chance, disk and database are those of the present world. */
import { registerHooks } from 'node:module'
import { installDatabase } from './database.ts'
import { installDisk } from './disk.ts'
import { installTime } from './time.ts'

const sharp = new URL('./sharp.ts', import.meta.url).href

export function install() {
  registerHooks({
    resolve: (name, context, next) => (name === 'sharp' ? { url: sharp, shortCircuit: true } : next(name, context)),
  })
  installTime()
  installDisk()
  installDatabase()
}
