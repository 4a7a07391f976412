/** What a run of the tests has once: each is made when a test file asks for it first, and removed when the run ends. */
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { build } from 'vite'
import type { Once } from './ask-once.ts'

interface Made {
  value: string
  remove(): Promise<void>
}

const root = path.join(import.meta.dirname, '../..')
const makers: Record<Once, () => Promise<Made>> = { programs: bundlePrograms, postgres: startSharedPostgres }

/** Test files run in processes of their own, so they ask over HTTP (`askOnce`). */
export default async function prepare() {
  const made = new Map<Once, Promise<Made>>()
  const server = createServer(async (request, response) => {
    const name = request.url?.slice(1) as Once
    const thing = made.get(name) ?? makers[name]()
    made.set(name, thing)
    // A test file asks again much later; a kept connection might be closed while it does.
    response.setHeader('connection', 'close')
    try {
      response.end((await thing).value)
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.stack : String(error))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.env.TEST_ONCE = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return async () => {
    server.closeAllConnections()
    server.close()
    const things = await Promise.allSettled(made.values())
    await Promise.all(things.map(thing => (thing.status === 'fulfilled' ? thing.value.remove() : undefined)))
  }
}

/** The server as `npm run build` makes it, of the sources as they are now, and what the tests of recovery kill. */
async function bundlePrograms(): Promise<Made> {
  const cache = path.join(root, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  // Here packages are in reach.
  const folder = await mkdtemp(path.join(cache, 'webimgui-programs-'))
  await build({
    configFile: path.join(root, 'vite.server.config.ts'),
    logLevel: 'warn',
    build: {
      outDir: folder,
      rolldownOptions: { input: { killable: path.join(root, 'test/support/killable.ts') } },
    },
  })
  return { value: folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) }
}

async function startSharedPostgres(): Promise<Made> {
  const { startPostgres } = await import('./postgres.ts')
  const postgres = await startPostgres()
  return { value: postgres.url, remove: () => postgres.stop() }
}
