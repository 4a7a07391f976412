/**
 * The database is cut off, in every way that there is, while every kind of call is under way. The program lives on, and in the end the
 * ledgers of the services and ours are laid side by side: whatever was paid is there, and nothing was paid twice.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { callKinds } from '../support/call-kinds.ts'
import { addOpenai, type Installation, openInstallation } from '../support/installation.ts'
import { type Program, until } from '../support/killable-program.ts'
import { maxWaitMs } from '../support/patience.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { startProxy, type TcpProxy } from '../support/proxy.ts'
import { findViolations, readPostgresRows } from '../support/stored.ts'

let postgres: Postgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

interface Scene {
  installation: Installation
  proxy: TcpProxy
  program: Program
  url: string
  /** Straight to the database. */
  sql(text: string): Promise<void>
}

/** Done again and again until everything has ended; whatever it leaves behind is put right by `heal`. */
interface Cut {
  name: string
  begin(scene: Scene): Promise<void> | void
  again?(scene: Scene): Promise<void> | void
  heal?(scene: Scene): Promise<void> | void
}

const terminateAll = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`
const becomeStandby = (is: boolean) => (scene: Scene) =>
  scene.sql(
    `do $$ begin execute format('alter database %I set default_transaction_read_only = ${is}', current_database()); end $$`,
  )

const cuts: Cut[] = [
  {
    name: 'the word of every third COMMIT is lost',
    begin: ({ proxy }) => proxy.cutCommits({ every: 3, when: 'after' }),
    heal: ({ proxy }) => proxy.cutCommits(null),
  },
  {
    name: 'the connection of every third transaction is cut before its COMMIT',
    begin: ({ proxy }) => proxy.cutCommits({ every: 3, when: 'before' }),
    heal: ({ proxy }) => proxy.cutCommits(null),
  },
  { name: 'all connections are cut again and again', begin: () => {}, again: ({ proxy }) => void proxy.cut() },
  {
    name: 'PostgreSQL ends all connections again and again',
    begin: () => {},
    again: ({ sql }) => sql(terminateAll),
  },
  {
    name: 'connections lead nowhere, and nobody is told',
    begin: ({ proxy }) => proxy.freeze(),
    again: async ({ proxy }) => {
      await pause(500)
      proxy.freeze()
    },
  },
  { name: 'PostgreSQL is restarted twice', begin: twice(() => postgres.restart('fast')) },
  { name: 'PostgreSQL crashes twice', begin: twice(() => postgres.restart('crash')) },
  {
    name: 'a failover leads to a standby that becomes the primary later',
    async begin(scene) {
      await becomeStandby(true)(scene)
      scene.proxy.cut()
      await pause(300)
      // Nobody cuts these connections: the program has to leave them by itself.
      await becomeStandby(false)(scene)
    },
  },
]

describe('while every kind of call is under way', () => {
  test.each(cuts)('$name', async cut => {
    const scene = await begin()
    const { program, installation } = scene
    const prompts = callKinds.map(kind => `${kind.name}, while ${cut.name}`)

    const taken = Promise.all(
      callKinds.map((kind, index) => retryUntilStored(program, { ...kind.request, prompt: prompts[index]! })),
    )
    await cut.begin(scene)
    let isOver = false
    const repeated = (async () => {
      for (let times = 0; !isOver && cut.again && times < 10; times++) {
        await cut.again(scene)
        await pause(50)
      }
    })()
    await taken
    await repeated
    isOver = true
    await cut.heal?.(scene)
    await ended(scene)

    const { generations, calls, images } = await readPostgresRows(scene.url)
    const { posts, billed } = installation.seen()
    expect(
      generations.map(({ prompt, status, charge }) => ({ prompt, status, charge })).sort(byPrompt),
      program.output(),
    ).toEqual(prompts.map(prompt => ({ prompt, status: 'succeeded', charge: 'charged' })).sort(byPrompt))
    expect(posts).toHaveLength(callKinds.reduce((sum, kind) => sum + kind.calls, 0))
    expect(calls).toHaveLength(posts.length)
    expect(images).toHaveLength(billed.length)
    // The last thumbnails are on their way yet.
    await vi.waitFor(
      async () => expect(findViolations(await readPostgresRows(scene.url), installation.dataDir)).toEqual([]),
      maxWaitMs,
    )
    expect((await program.end('SIGTERM')).code).toBe(0)
  })
})

test('a request whose COMMIT was done and not told is sent at once, and its client hears of it', async () => {
  const { program, proxy, installation, url } = await begin()
  proxy.cutCommits({ every: 1, when: 'after', times: 1 })

  const { status, body } = await program.call('POST', '/api/generate', callKinds[0]!.request, {
    prefer: 'respond-async',
  })
  const cut = proxy.cutCount()
  proxy.cutCommits(null)

  expect({ status, cut: cut > 0 }).toEqual({ status: 202, cut: true })
  await until(
    () => 'its end',
    async () => (await program.call('GET', `/api/history/${body.id}`)).body.status === 'succeeded',
  )
  expect(installation.seen().posts).toHaveLength(1)
  expect((await readPostgresRows(url)).generations).toHaveLength(1)
})

test('a request whose COMMIT was not done is refused with a sentence, and asking again makes one', async () => {
  const { program, proxy, installation, url } = await begin()
  proxy.cutCommits({ every: 1, when: 'before', times: 1 })
  const refused = await program.call('POST', '/api/generate', callKinds[0]!.request, { 'idempotency-key': 'k' })
  proxy.cutCommits(null)
  const made = await program.call('POST', '/api/generate', callKinds[0]!.request, { 'idempotency-key': 'k' })

  expect(refused).toMatchObject({
    status: 507,
    body: { code: 'storage_failed', detail: expect.stringMatching(/does not answer.*Idempotency-Key/) },
  })
  expect(made).toMatchObject({ status: 200, body: { status: 'succeeded', charge: 'charged' } })
  expect((await readPostgresRows(url)).generations).toHaveLength(1)
  expect(installation.seen().posts).toHaveLength(1)
})

test('a client that waits gets its picture, however often the database goes away meanwhile', async () => {
  const { program, proxy, installation } = await begin()
  installation.doubao.misbehave({ kind: 'slow', ms: 800 })
  const waiting = program.call('POST', '/api/generate', callKinds[0]!.request)
  await until(
    () => 'the request at the service',
    () => installation.seen().posts.length === 1,
  )
  for (let times = 0; times < 3; times++) {
    proxy.cut()
    await pause(100)
  }
  await postgres.restart('fast')

  // A client that was told to look again finds it there.
  const { body } = await waiting
  await until(
    () => 'the picture',
    async () => (await program.call('GET', `/api/history/${body.id}`)).body.status === 'succeeded',
  )
  expect(installation.seen().posts).toHaveLength(1)
})

// ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function begin(): Promise<Scene> {
  const url = await postgres.createDatabase(`cut${randomUUID().slice(0, 8)}`)
  const proxy = await startProxy(postgres)
  const installation = await openInstallation()
  onTestFinished(async () => {
    await installation.close()
    await proxy.close()
  })
  const sql = async (text: string) => {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    await client.query('set default_transaction_read_only = off')
    await client.query(text).finally(() => client.end())
  }
  // A crash of PostgreSQL forgets what was committed less than a moment before, unless a program asks for more.
  await sql(`do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`)
  const program = await installation.start([], { DATABASE_URL: `${proxy.through(url)}?query_timeout=2000` })
  await addOpenai(program, installation)
  return { installation, proxy, program, url, sql }
}

/** As a client should: asks again with the same key until it hears that the server has it. */
async function retryUntilStored(program: Program, request: object & { prompt: string }) {
  for (let tries = 1; tries <= 300; tries++) {
    const { status, body } = await program.call('POST', '/api/generate', request, {
      ...{ prefer: 'respond-async', 'idempotency-key': request.prompt },
    })
    if (status === 200 || status === 202) return
    expect({ status, body }).toMatchObject({ status: 507, body: { code: 'storage_failed' } })
    await pause(100)
  }
  throw new Error(`never taken: ${request.prompt}`)
}

function twice(work: () => Promise<void>) {
  return async () => {
    await work()
    await pause(200)
    await work()
  }
}

async function ended({ url, program }: Scene) {
  let left: unknown[] = []
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  await until(
    () => `${JSON.stringify(left)} ${program.output()}`,
    async () => {
      const { rows } = await client.query(`select id, status from chat_history where status in ('queued', 'running')`)
      left = rows
      return left.length === 0
    },
  ).finally(() => client.end())
}

function byPrompt(one: { prompt: string }, other: { prompt: string }) {
  return one.prompt < other.prompt ? -1 : 1
}
