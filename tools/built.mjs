// Whether what `npm run build` made is still that of the sources. JavaScript, because it runs before each start.
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')

/** What is built: a file of it, and all that it is built from. */
export const built = {
  server: {
    file: 'dist/server/main.mjs',
    sources: ['src', 'package.json', 'package-lock.json', 'vite.server.config.ts'],
    except: ['src/studio', 'src/client'],
  },
  studio: {
    file: 'dist/studio/index.html',
    sources: ['src/studio', 'src/client', 'src/catalogue', 'src/api', 'package-lock.json', 'vite.config.ts'],
    except: [],
  },
}

/**
 * False when it was not built, or something that it was built from is younger.
 * @param {{ file: string, sources: string[], except: string[] }} what
 */
export function isUpToDate({ file, sources, except }, folder = root) {
  const at = name => path.join(folder, name)
  const builtAt = statSync(at(file), { throwIfNoEntry: false })?.mtimeMs
  if (builtAt === undefined) return false
  // Only what was built is installed, as from a package: there is nothing to compare, and an installation dates its files as it likes.
  if (!existsSync(at('src'))) return true
  const waiting = [...sources]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (except.includes(name)) continue
    const found = statSync(at(name), { throwIfNoEntry: false })
    // A folder is younger when something in it was removed.
    if (found && found.mtimeMs > builtAt) return false
    if (found?.isDirectory()) waiting.push(...readdirSync(at(name)).map(entry => `${name}/${entry}`))
  }
  return true
}
