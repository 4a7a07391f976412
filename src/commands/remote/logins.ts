/** The servers that this user logged in to, with their tokens: one file that nobody else may read. */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { SentenceError } from '../../operator/sentence-error.ts'

export interface Logins {
  /** The address that is meant where none is given. */
  current: string | null
  /** By address: a token goes to the server that it was entered for alone. */
  servers: Record<string, { token: string | null }>
}

export function readLogins(folder: string): Logins {
  const file = path.join(folder, 'logins.json')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { current: null, servers: {} }
    throw error
  }
  try {
    const { current = null, servers = {} } = JSON.parse(text) as Partial<Logins>
    return { current, servers }
  } catch (error) {
    throw new SentenceError(`${file} is damaged. Delete it and log in again.`, `${file} 已损坏，请删除后重新登录。`, {
      cause: error,
    })
  }
}

export function writeLogins(folder: string, logins: Logins) {
  writePrivateFile(path.join(folder, 'logins.json'), `${JSON.stringify(logins, null, 2)}\n`)
}

/** Whole or not at all, with mode 0600, in a folder of mode 0700. */
export function writePrivateFile(file: string, text: string) {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(temporary, text, { mode: 0o600, flush: true })
  // The mask of the user may take rights away, and never adds any.
  chmodSync(temporary, 0o600)
  renameSync(temporary, file)
}
