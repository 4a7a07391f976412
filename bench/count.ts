/** Statements, commits and waits for the disk of one generation, counted where they are made. */
import fs from 'node:fs'
import { open } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import { pino } from 'pino'
import { createFolder } from './programs.ts'

export async function countSteps(service: string) {
  const dataDir = createFolder()
  const seen = { statements: 0, commits: 0, syncs: 0 }
  await countSyncs(dataDir, () => seen.syncs++)
  const { createApp } = await import('../src/app.ts')
  const { loadSettings } = await import('../src/settings.ts')
  const environment = { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent', LOG_FILE: 'off' }
  const access = { DOUBAO_API_URL: `${service}/api/v3`, DOUBAO_API_KEY: 'bench-0123456789' }
  const app = await createApp(loadSettings({ ...environment, ...access }), pino({ level: 'silent' }), {
    onStatement(text) {
      if (text === 'commit') seen.commits++
      else if (text !== 'begin') seen.statements++
    },
  })
  const { address } = await app.listen()
  const body = JSON.stringify({
    prompt: 'a boat sim(bytes=65536,ms=0)',
    model: 'doubao-seedream-4-0-20260415',
    parameters: { size: '2K' },
  })
  const make = async () => {
    const response = await fetch(`${address}/api/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    await response.text()
    if (!response.ok) throw new Error(`answered ${response.status}`)
  }
  // What is read or prepared once is no part of it.
  await make()
  Object.assign(seen, { statements: 0, commits: 0, syncs: 0 })
  await make()
  const counted = { ...seen }
  await app.close()
  return counted
}

async function countSyncs(folder: string, count: () => void) {
  const names = ['fsync', 'fdatasync', 'fsyncSync', 'fdatasyncSync'] as const
  const all = fs as unknown as Record<string, (...values: unknown[]) => unknown>
  for (const name of names) wrap(all, name, count)
  syncBuiltinESMExports()
  const handle = await open(path.join(folder, 'probe'), 'w')
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  for (const name of ['sync', 'datasync']) wrap(prototype, name, count)
}

function wrap(object: Record<string, (...values: unknown[]) => unknown>, name: string, count: () => void) {
  const original = object[name]!
  object[name] = function (this: unknown, ...values: unknown[]) {
    count()
    return original.apply(this, values)
  }
}
