/**
 * Random load, random trouble, random ends, then the books: `npm run soak -- --kills 500`. Every kind of call runs while services cut,
 * stall, refuse and break, and the program is killed with SIGKILL at random moments. In the end the ledgers of the services are laid
 * beside ours. Ends with 1 when a picture was paid for twice or lost, or when files and rows do not match.
 *
 * With `--postgres` it works on a PostgreSQL of its own, on a free port of this machine, whose connections are cut in every way that
 * there is and which is restarted and crashes: `npm run soak -- --postgres --cuts 100 --restarts 20`. The program has to live through it.
 *
 * `--kills` how many (50; with `--postgres` 0), `--cuts` (100), `--restarts` (20), `--seed` repeats the same choices (not the same
 * timing), `--minutes` ends it early.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import type { Fault } from '../src/simulators/faults.ts'
import type { FaultOptions, Simulator } from '../src/simulators/server.ts'
import { type CallKind, callKinds } from '../test/support/call-kinds.ts'
import { addOpenai, openInstallation } from '../test/support/installation.ts'
import { type Program, until } from '../test/support/killable-program.ts'
import { type Postgres, startPostgres } from '../test/support/postgres.ts'
import { startProxy } from '../test/support/proxy.ts'
import { findViolations, type Rows, readPostgresRows, readRows } from '../test/support/stored.ts'

const { values } = parseArgs({
  options: {
    postgres: { type: 'boolean', default: false },
    kills: { type: 'string' },
    cuts: { type: 'string' },
    restarts: { type: 'string' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
  },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const deadline = Date.now() + Number(values.minutes ?? 600) * 60_000
const random = generator(seed)

interface Order {
  kind: CallKind
  prompt: string
  posts: number
  billed: number
}

const installation = await openInstallation({ timeScale: 0.005 })
const database = values.postgres ? await openPostgres() : undefined
const simulators: Simulator[] = [installation.doubao, installation.qwen, installation.openai]
const orders = new Map<string, Order>()
const done = { kills: 0, cuts: 0, restarts: 0 }
let adopted = 0
let latecomers: Order[] = []
const startedAt = Date.now()

let isRight = false
try {
  let program = await start()
  await addOpenai(program, installation)
  for (const event of events()) {
    if (Date.now() > deadline) break
    makeTrouble()
    for (let left = 1 + below(6); left > 0; left--) latecomers.push(newOrder())
    const answered = new Set<Order>()
    const sending = latecomers.map(order => send(program, order).then(isTaken => isTaken && answered.add(order)))
    await pause(below(event === 'kills' ? 1500 : 500))
    if (event === 'kills') await program.end('SIGKILL')
    else if (event === 'cuts') await database?.cut()
    else await database?.restart()
    done[event]++
    await Promise.all(sending)
    // Who got no answer asks again with the same key, as a client should.
    latecomers = latecomers.filter(order => !answered.has(order))
    keepBooks()
    const count = done.kills + done.cuts + done.restarts
    if (count % 10 === 0) console.log(`${JSON.stringify(done)}, ${orders.size} generations, ${seconds()} s`)
    if (event === 'kills') {
      adopted += adoptedBy(program)
      program = await start()
    } else await mustLive(program)
  }
  database?.heal()
  // What waits of their trouble is forgotten with it.
  keepBooks()
  for (const order of latecomers) while (!(await send(program, order))) await pause(200)
  let rows = await currentRows()
  await until(
    () => `unfinished: ${JSON.stringify(unsettled(rows), null, 1)}`,
    async () => {
      rows = await currentRows()
      await mustLive(program)
      return unsettled(rows).length === 0
    },
    900_000,
  )
  await pause(500)
  adopted += adoptedBy(program)
  keepBooks()
  // The last thumbnails are on their way yet.
  await until(
    () => findViolations(rows, installation.dataDir).join('\n'),
    async () => {
      rows = await currentRows()
      return findViolations(rows, installation.dataDir).length === 0
    },
  ).catch(() => {})
  isRight = audit(rows)
} finally {
  await installation.close()
  await database?.close()
}
// The package that runs PostgreSQL ends the process with 0 when nothing is left to do.
process.exit(isRight ? 0 : 1)

function start() {
  return installation.start([], { LOG_LEVEL: 'warn', ...(database && { DATABASE_URL: database.url }) })
}

function currentRows(): Promise<Rows> | Rows {
  return database ? database.rows() : readRows(installation.dataDir)
}

async function mustLive(program: Program) {
  const end = await Promise.race([program.ended, pause(0)])
  if (end) throw new Error(`the program ended by itself: ${JSON.stringify(end)}\n${program.output()}`)
}

/** In an order of chance. */
function events(): (keyof typeof done)[] {
  const count = (value: string | undefined, usual: number) => Number(value ?? usual)
  const list = (event: keyof typeof done, times: number) => Array.from({ length: times }, () => event)
  const all = [
    ...list('kills', count(values.kills, database ? 0 : 50)),
    ...list('cuts', database ? count(values.cuts, 100) : 0),
    ...list('restarts', database ? count(values.restarts, 20) : 0),
  ]
  for (let last = all.length - 1; last > 0; last--) {
    const other = below(last + 1)
    ;[all[last], all[other]] = [all[other]!, all[last]!]
  }
  return all
}

// ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────────────────────────

async function openPostgres() {
  const postgres: Postgres = await startPostgres()
  const url = await postgres.createDatabase('soak')
  const proxy = await startProxy(postgres)
  const sql = async (text: string) => {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    await client.query('set default_transaction_read_only = off')
    await client.query(text).finally(() => client.end())
  }
  // A crash forgets what was committed less than a moment before, unless the program asks for more.
  await sql('alter database soak set synchronous_commit = off')
  const ways = [
    () => void proxy.cut(),
    () =>
      sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'soak' and pid <> pg_backend_pid()"),
    () => proxy.cutCommits({ every: 1 + below(4), when: 'after', times: 5 }),
    () => proxy.cutCommits({ every: 1 + below(4), when: 'before', times: 5 }),
    () => proxy.freeze(),
    // A failover to a standby, which becomes the primary a moment later; nobody cuts the connections that lead to it then.
    async () => {
      await sql('alter database soak set default_transaction_read_only = on')
      proxy.cut()
      await pause(below(500))
      await sql('alter database soak set default_transaction_read_only = off')
    },
  ]
  return {
    url: `${proxy.through(url)}?query_timeout=2000`,
    rows: () => readPostgresRows(url),
    cut: () => ways[below(ways.length)]!(),
    restart: () => postgres.restart(below(2) === 0 ? 'fast' : 'crash'),
    heal: () => proxy.cutCommits(null),
    async close() {
      await proxy.close()
      await postgres.stop()
    },
  }
}

// ── Load ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function newOrder(): Order {
  const kind = callKinds[below(callKinds.length)]!
  const prompt = `soak-${orders.size} ${kind.request.prompt}`
  const order = { kind, prompt, posts: 0, billed: 0 }
  orders.set(prompt, order)
  return order
}

/** True when the server said that it has it. */
async function send(program: Program, { kind, prompt }: Order): Promise<boolean> {
  const headers = { prefer: 'respond-async', 'idempotency-key': prompt }
  try {
    const { status, body } = await program.call('POST', '/api/generate', { ...kind.request, prompt }, headers)
    if (database && status === 507 && body.code === 'storage_failed') return false
    if (status !== 202 && status !== 200) throw new Error(`a request was refused: ${status} ${JSON.stringify(body)}`)
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

function makeTrouble() {
  const busy = {
    doubao: undefined,
    qwen: { code: 'Throttling.RateQuota', message: 'Requests rate limit exceeded, please try again later.' },
    openai: { error: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' } },
  }
  for (const name of ['doubao', 'qwen', 'openai'] as const) {
    const simulator = installation[name]
    const give = (fault: Fault, options?: FaultOptions) => simulator.misbehave(fault, options)
    const choices = [
      () => give({ kind: 'slow', ms: 50 + below(400) }),
      () => give({ kind: 'status', status: 429, body: busy[name] }),
      () => give({ kind: 'status', status: 503, body: '<html>busy</html>', headers: { 'content-type': 'text/html' } }),
      // Without words of the service, which may prove that nothing was made.
      () => give({ kind: 'status', status: 500, body: '', billed: below(2) === 0 }),
      () => give({ kind: 'status', status: 502, body: '<html>bad gateway</html>', billed: below(2) === 0 }),
      () => give({ kind: 'cut', after: 'request', billed: below(2) === 0 }),
      () => give({ kind: 'cut', after: 'half-body' }),
      () => give({ kind: 'cut', after: 'n-events', n: 1 + below(3) }),
      () => give({ kind: 'hang', billed: true }),
      () => give({ kind: 'download', how: '500' }, { times: 1 + below(3) }),
      () => give({ kind: 'download', how: 'cut' }),
      () => give({ kind: 'download', how: 'slow', ms: 200 }),
      () => give({ kind: 'status', status: 500 }, { target: 'task', times: 2 }),
    ]
    for (let left = below(3); left > 0; left--) choices[below(choices.length)]!()
  }
}

// ── Books ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Takes over what the services have seen. The simulators forget it then, and the trouble that nobody met. */
function keepBooks() {
  for (const simulator of simulators) {
    for (const { method, body } of simulator.requests) {
      const prompt = method === 'POST' ? promptIn(body) : undefined
      const order = prompt === undefined ? undefined : orders.get(prompt)
      if (order) order.posts++
    }
    for (const { prompt } of simulator.billed) {
      const order = orders.get(prompt)
      if (order) order.billed++
    }
    simulator.reset()
  }
}

function adoptedBy(program: Program) {
  return (program.output().match(/was found in the list/g) ?? []).length
}

function promptIn(body: unknown) {
  return /"(soak-\d+ [^"]*)"/.exec(JSON.stringify(body) ?? '')?.[1]
}

/** Where the calls of what has not ended stand, with what is told of them. */
function unsettled({ generations, calls }: Rows) {
  return generations
    .filter(({ status }) => status === 'queued' || status === 'running')
    .map(({ id, prompt, waiting }) => ({
      ...{ prompt, waiting },
      calls: calls
        .filter(call => call.generation_id === id)
        .map(({ state, attempt, sent_at, not_before }) => ({ state, attempt, sent_at, not_before })),
    }))
}

function audit(rows: Rows): boolean {
  const { generations, calls, images } = rows
  const paidTwice: string[] = []
  const lost: string[] = []
  const wrongWord: string[] = []
  const counts = { charged: 0, none: 0, unknown: 0 }
  let unknownBilled = 0
  for (const [prompt, order] of orders) {
    const records = generations.filter(generation => generation.prompt === prompt)
    const [generation] = records
    if (!generation || records.length > 1) {
      paidTwice.push(`${prompt}: ${records.length} records`)
      continue
    }
    const ours = calls.filter(call => call.generation_id === generation.id)
    const stored = images.filter(image => image.generation_id === generation.id).length
    const sent = ours.filter(call => call.sent_at !== null).length
    if (order.billed > order.kind.pictures || order.posts > sent)
      paidTwice.push(`${prompt}: ${order.posts} requests for ${sent} sent calls, ${order.billed} pictures billed`)
    counts[generation.charge as keyof typeof counts]++
    if (generation.charge === 'unknown') unknownBilled += order.billed - stored
    else if (stored < order.billed) lost.push(`${prompt}: ${order.billed} billed, ${stored} stored`)
    if (generation.charge === 'none' && order.billed > 0) wrongWord.push(`${prompt}: none, but billed`)
    if (generation.charge === 'charged' && order.billed === 0) wrongWord.push(`${prompt}: charged, but not billed`)
  }
  const faults = findViolations(rows, installation.dataDir)
  const sum = (pick: (order: Order) => number) => [...orders.values()].reduce((total, order) => total + pick(order), 0)
  console.table({
    ...done,
    seconds: seconds(),
    seed,
    generations: orders.size,
    calls: calls.length,
    'requests at the services': sum(order => order.posts),
    'repeats after a free refusal': calls.filter(call => call.attempt > 1).length,
    'tasks found again': adopted,
    'pictures billed': sum(order => order.billed),
    'pictures stored': images.length,
    'generations charged': counts.charged,
    'generations not charged': counts.none,
    'generations unknown': counts.unknown,
    'billed, answer lost, told as unknown': unknownBilled,
    'paid twice': paidTwice.length,
    lost: lost.length,
    'wrong word of money': wrongWord.length,
    'faults of files and rows': faults.length,
  })
  const wrong = [...paidTwice, ...lost, ...wrongWord, ...faults]
  for (const line of wrong.slice(0, 50)) console.error(line)
  return wrong.length === 0
}

// ── Chance ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function below(most: number) {
  return Math.floor(random() * most)
}

/** Mulberry32: the same choices for the same seed. */
function generator(start: number) {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function seconds() {
  return Math.round((Date.now() - startedAt) / 1000)
}
