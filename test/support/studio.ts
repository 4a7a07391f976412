/** What browser tests need once: the studio as it is in the tree now, and a browser that can be started. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import chromium from '@sparticuz/chromium'
import { build } from 'vite'
import type { TestProject } from 'vitest/node'
import { built, isUpToDate } from '../../tools/built.mjs'

declare module 'vitest' {
  interface ProvidedContext {
    /** The executable of Chromium. */
    chromium: string
    /** The folder of the built studio. */
    studio: string
  }
}

const root = path.join(import.meta.dirname, '../..')

export default async function prepare(project: TestProject) {
  // Unpacks it from its package at the first time. The package is for Linux; elsewhere name a Chromium or Chrome.
  project.provide('chromium', process.env.CHROMIUM_PATH ?? (await chromium.executablePath()))
  if (isUpToDate(built.studio)) return project.provide('studio', path.join(root, 'dist/studio'))
  const folder = await mkdtemp(path.join(tmpdir(), 'webimgui-studio-'))
  const { NODE_ENV } = process.env
  // As it is released: the test runner says "test", which would put the development form of React into it.
  process.env.NODE_ENV = 'production'
  await build({
    configFile: path.join(root, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: folder },
  })
  process.env.NODE_ENV = NODE_ENV
  project.provide('studio', folder)
  return () => rm(folder, { recursive: true, force: true })
}
