/** Lives through what a seed has in store, from the first order until everything has ended, and looks at the books then. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import type { Core } from '../src/core.ts'
import { audit } from './audit.ts'
import { Clients } from './clients.ts'
import type { Facts } from './facts.ts'
import { Follower } from './follower.ts'
import { type End, makePlan, type Plan } from './plan.ts'
import { openArk } from './services/ark.ts'
import { Books, calmService } from './services/books.ts'
import { openDashscope } from './services/dashscope.ts'
import { openOpenai } from './services/openai.ts'
import { createChance } from './world/chance.ts'
import { closeDatabases, databaseWeather, lookInto } from './world/database.ts'
import { Disk, type DiskWeather, databaseName, lifeFolder, presentDisk } from './world/disk.ts'
import { closeDescriptors } from './world/files.ts'
import { calmNetwork, Network, type Request } from './world/network.ts'
import { Crashed, present, quiet, World } from './world/world.ts'

export interface History {
  seed: number
  /** The same for the same seed and the same program. */
  trace: string
  violations: string[]
  story: string[]
}

const hourMs = 3600_000
/** What waits for the disk is tried again after a minute at most, and a little by chance. */
const recoveryMs = 90_000
/** So long after a start, files and rows have been compared. */
const lookedOverMs = 25_000
const maxFailedStarts = 20
/** By then everything has ended that can. */
const maxPeaceMs = 60 * hourMs

const { openCore } = await import('../src/core.ts')
const { inlineShrinker } = await import('../src/images/shrinker.ts')
const { loadSettings } = await import('../src/settings.ts')

/** Where worlds are: in memory, where that is possible. */
const base = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'webimgui-simulation-'))
process.on('exit', () => rmSync(base, { recursive: true, force: true }))

export async function live(seed: number, { isTold = false } = {}): Promise<History> {
  const chance = createChance(seed)
  const plan = makePlan(chance)
  const world = new World(chance, { beganAt: plan.beganAt, isTold, hidden: base })
  const history = new Life(world, plan)
  present.world = world
  presentDisk.disk = history.disk
  stray.length = 0
  try {
    const broken = await history.run().catch(describe)
    present.world = undefined
    const violations = broken ? [broken] : history.audit()
    for (const error of stray) violations.push(`a rejection that nobody handled: ${describe(error)}`)
    return { seed, trace: world.trace, violations, story: world.story ?? [] }
  } finally {
    present.world = undefined
    presentDisk.disk = undefined
    closeDatabases()
    closeDescriptors()
    rmSync(base, { recursive: true, force: true })
    mkdirSync(base)
  }
}

const stray: unknown[] = []
process.on('unhandledRejection', error => {
  if (!(error instanceof Crashed) && !present.world?.isCrashed) stray.push(error)
})

function describe(error: unknown) {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

class Life {
  readonly disk: Disk
  private readonly world: World
  private readonly plan: Plan
  private readonly calmDisk: DiskWeather
  private readonly network: Network
  private readonly books: Books
  private readonly clients: Clients
  private readonly facts: Facts
  private readonly follower: Follower | undefined
  private core: Core | undefined
  private end: End | undefined
  private instantsLeft = Number.POSITIVE_INFINITY
  private failedStarts = 0
  private startedAt = 0
  private diskWellAt = Number.NEGATIVE_INFINITY

  constructor(world: World, plan: Plan) {
    this.world = world
    this.plan = plan
    this.disk = new Disk(world, world.chance.fork())
    this.calmDisk = { maxMs: plan.diskMs, isFull: false, faulty: 0 }
    this.disk.weather = this.calmDisk
    this.network = new Network(world, world.chance.fork())
    this.books = new Books(world, world.chance.fork(), this.network)
    this.follower = plan.isFollowed ? new Follower() : undefined
    this.facts = { plan, books: this.books, crashes: new Map(), violations: [], ownerId: undefined, configIds: [] }
    this.clients = new Clients(world, plan, this.facts, {
      services: () => this.core?.services,
      sentOf: id => this.sentOf(id),
    })
    openArk(this.books, 'ark.test')
    openDashscope(this.books, 'dashscope.test')
    openOpenai(this.books, 'openai.test')
    world.onInstant = what => this.instant(what)
    this.network.onWritten = request => this.written(request)
  }

  async run() {
    const { world, plan, disk } = this
    disk.begin(this.folder(0), await prepare())
    this.planWeather()
    const ends = [...plan.ends]
    for (;;) {
      const isPeace = world.now >= plan.peaceMs && world.life > 0
      this.end = isPeace ? undefined : ends.shift()
      await this.oneLife()
      if (this.end === undefined) break
      if (this.failedStarts > maxFailedStarts) {
        this.facts.violations.push('it does not start any more')
        break
      }
      await world.runUntil(() => false, world.now + this.end.downMs)
    }
  }

  audit(): string[] {
    return [...this.facts.violations, ...audit(this.facts, this.disk, this.clients.orders, this.follower)]
  }

  private folder(number: number) {
    return path.join(base, `${lifeFolder}${number}`)
  }

  private planWeather() {
    const { world, plan, network, books, disk } = this
    const at = (ms: number, label: string, run: () => void) => world.plan('outside', ms, label, run)
    for (const { fromMs, toMs, service, network: way } of plan.troubles) {
      at(fromMs, 'trouble begins', () => {
        books.weather = service
        network.weather = way
      })
      at(Math.min(toMs, plan.peaceMs), 'trouble ends', () => this.calmDown())
    }
    for (const { fromMs, toMs, weather, isDatabaseFull } of plan.diskTroubles) {
      at(fromMs, `the disk: ${JSON.stringify(weather)}`, () => {
        disk.weather = weather
        databaseWeather.isFull = isDatabaseFull
      })
      at(Math.min(toMs, plan.peaceMs), 'the disk is well', () => this.mendDisk())
    }
    databaseWeather.isFull = false
    for (const { atMs, offsetMs } of plan.clocks)
      at(atMs, `the clock is set by ${offsetMs}`, () => {
        world.clockOffsetMs += offsetMs
      })
    at(plan.peaceMs, 'peace', () => {
      this.calmDown()
      this.mendDisk()
    })
    this.clients.plan()
  }

  private calmDown() {
    this.books.weather = calmService
    this.network.weather = calmNetwork
  }

  private mendDisk() {
    if (this.disk.weather !== this.calmDisk) this.diskWellAt = this.world.now
    this.disk.weather = this.calmDisk
    databaseWeather.isFull = false
  }

  // ── One life of the program ───────────────────────────────────────────────────────────────────────────────────────

  private async oneLife() {
    const { world, end } = this
    world.begin()
    this.startedAt = world.now
    world.tell(`start, to end by ${JSON.stringify(end ?? 'itself')}`)
    this.instantsLeft = end && end.how !== 'stop' ? end.after : Number.POSITIVE_INFINITY
    const isUp = await this.start()
    if (isUp) {
      if (end?.how === 'stop') await this.goOn(world.now + end.after)
      else if (end) await this.goOn(Number.POSITIVE_INFINITY)
      else await this.goToTheEnd()
      if (!world.isCrashed) await this.stop()
    }
    this.core = undefined
    await quiet()
    await quiet()
    closeDatabases()
    closeDescriptors()
  }

  private async start() {
    const { world } = this
    const begun = this.until(this.begin())
    const outcome = await begun
    if (outcome.isDone) return true
    if (world.isCrashed) return false
    const why = 'error' in outcome ? describe(outcome.error) : 'it stood still'
    world.tell(`the start failed: ${why}`)
    const isDisk = this.disk.weather !== this.calmDisk || databaseWeather.isFull
    if (!isDisk) {
      this.facts.violations.push(`a start failed: ${why}`)
      this.failedStarts++
    }
    // Somebody starts it again.
    this.end ??= { how: 'kill', after: 0, downMs: 10_000 }
    this.crash()
    return false
  }

  private async begin() {
    const { world, plan } = this
    const settings = loadSettings({
      DATA_DIR: this.disk.root,
      SECRET_KEY: 'a secret of the simulation, long enough',
      DOUBAO_API_URL: 'http://ark.test/api/v3',
      DOUBAO_API_KEY: 'ark-key-of-the-simulation',
      QWEN_API_URL: 'http://dashscope.test/api/v1',
      QWEN_API_KEY: 'dashscope-key-of-the-simulation',
      ALLOWED_HOSTS: 'openai.test',
      LOG_FILE: 'off',
      ...(plan.caps.all === undefined ? {} : { MONTHLY_CAP_IMAGES: String(plan.caps.all) }),
    })
    const core = await openCore(settings, this.log(), {
      connector: this.network.connect,
      isReadInline: true,
      shrinker: inlineShrinker,
      reached: point => {
        this.instant(point)
        if (world.isCrashed) throw new Crashed(point)
      },
    })
    await core.mend()
    await core.resume()
    await this.clients.settle(core.services)
    this.core = core
    this.follower?.begin(core.services)
    this.clients.begin()
  }

  private async goOn(untilMs: number) {
    const { world, plan } = this
    await world.runUntil(() => world.isCrashed || world.now >= plan.peaceMs, untilMs)
    // A crash that did not come before the peace comes no more.
    this.instantsLeft = Number.POSITIVE_INFINITY
    if (world.isCrashed || (this.end?.how === 'stop' && world.now >= untilMs)) return
    this.end = undefined
    await this.goToTheEnd()
  }

  /** Until nobody wants anything any more, and everything has ended. */
  private async goToTheEnd() {
    const { world, clients, facts } = this
    const lastMs = Math.max(world.now, this.plan.peaceMs) + maxPeaceMs
    for (;;) {
      await world.runUntil(() => clients.isDone && world.now >= this.plan.peaceMs, lastMs)
      const looked = await this.until(this.core!.store.generations.unfinishedIds())
      if (looked.isDone && looked.value.length === 0 && clients.isDone) break
      if (world.now >= lastMs) {
        for (const id of looked.isDone ? looked.value : [])
          facts.violations.push(`generation ${id} does not end: ${JSON.stringify(this.core!.services.generations)}`)
        for (const order of clients.open) facts.violations.push(`${order} still waits`)
        return
      }
      await world.runUntil(() => false, world.now + 20_000)
    }
    // What is made when nobody waits for it, such as thumbnails; what the disk did not remove is removed within an hour.
    const isDelayed = this.plan.diskTroubles.length > 0 && clients.orders.some(({ removed }) => removed.size > 0)
    const restMs = isDelayed ? 1.1 * hourMs : 2_000
    await world.runUntil(() => false, Math.max(world.now + restMs, this.startedAt + lookedOverMs))
  }

  private async stop() {
    const { world, core, facts, clients } = this
    if (!core) return
    world.tell('stop')
    const before = world.now
    const stopped = await this.until(this.close(core), 10 * 60_000)
    if (world.isCrashed) return
    if (!stopped.isDone) {
      const why = 'error' in stopped ? describe(stopped.error) : 'it did not end'
      if (this.disk.weather === this.calmDisk) facts.violations.push(`a stop failed: ${why}`)
    }
    // What the disk does not take in the time that a stop leaves is given up, as by a crash.
    if (this.isDiskInTrouble()) facts.crashes.set(world.life, { at: world.now, isTroubled: true })
    world.tell(`stopped after ${Math.round(world.now - before)} ms`)
    for (const order of clients.unsettled()) facts.violations.push(`${order}: a promise was left unsettled by a stop`)
    world.crash()
    this.disk.crash()
    const next = this.folder(world.life)
    this.disk.copyTo(next)
    clients.lostServer()
    this.follower?.end()
  }

  /** As the server does: whoever has asked is answered before the database is closed. */
  private async close(core: Core) {
    await core.stop()
    const { world, clients } = this
    await new Promise<void>(resolve => {
      const look = (tries: number) => {
        if (clients.unsettled().length === 0 || tries === 0) resolve()
        else world.plan('program', 100, '', () => look(tries - 1))
      }
      look(50)
    })
    await core.close()
  }

  /** What a promise of the program comes to, as the world goes on. */
  private async until<T>(
    promise: Promise<T>,
    maxMs = hourMs,
  ): Promise<{ isDone: true; value: T } | { isDone: false; error?: unknown }> {
    let outcome: { isDone: true; value: T } | { isDone: false; error: unknown } | undefined
    promise.then(
      value => {
        outcome = { isDone: true, value }
      },
      error => {
        outcome = { isDone: false, error }
      },
    )
    const { world } = this
    await world.runUntil(() => outcome !== undefined || world.isCrashed, world.now + maxMs)
    return outcome ?? { isDone: false }
  }

  // ── Crashes ───────────────────────────────────────────────────────────────────────────────────────────────────────

  private instant(what: string) {
    if (this.world.isCrashed || --this.instantsLeft > 0) return
    this.world.tell(`  at ${what}`)
    this.crash()
  }

  private crash() {
    const { world, disk, facts, end } = this
    if (world.isCrashed) return
    world.tell(end?.how === 'power' ? 'THE POWER IS CUT' : 'KILLED')
    facts.crashes.set(world.life, { at: world.now, isTroubled: this.isDiskInTrouble() })
    world.crash()
    const next = this.folder(world.life)
    if (end?.how === 'power') disk.cutTo(next)
    else disk.copyTo(next)
    disk.crash()
    this.clients.lostServer()
    this.follower?.end()
  }

  /** Or was until shortly before, so that what waited for it is still to be tried again. */
  private isDiskInTrouble() {
    return this.disk.weather !== this.calmDisk || this.world.now - this.diskWellAt < recoveryMs
  }

  // ── Eyes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A paid request is about to leave: its row must say so. Which call it is, the services are not always told. */
  private written(request: Request) {
    const isPaid = request.method === 'POST' && !request.url.pathname.endsWith('/cancel')
    const order = /order-\d+/.exec(request.body)?.[0]
    if (!isPaid || order === undefined) return
    const rows = lookInto(
      path.join(this.disk.root, databaseName),
      `select provider_calls.id from provider_calls join chat_history on chat_history.id = generation_id
       where prompt like ? and provider_calls.provider = ? and state = 'sending' order by sent_at desc`,
      `%${order} %`,
      providerAt(request.url.hostname),
    )
    const told = request.headers['x-client-request-id']
    const row = told === undefined ? rows[0] : rows.find(({ id }) => id === told)
    if (!row) this.facts.violations.push(`a request for ${order} left before the ledger told of it`)
    else request.headers['x-client-request-id'] = String(row.id)
  }

  private sentOf(generationId: string): Set<string> {
    const text = "select id from provider_calls where generation_id = ? and state <> 'planned'"
    return new Set(lookInto(path.join(this.disk.root, databaseName), text, generationId).map(({ id }) => String(id)))
  }

  private log(): Logger {
    const { world, facts } = this
    const at =
      (level: string) =>
      (...values: unknown[]) => {
        if (world.isCrashed) return
        const message = values.findLast(value => typeof value === 'string')
        const fields = values.find(value => typeof value === 'object' && value !== null) as
          | { err?: Error; code?: string }
          | undefined
        const reason = fields?.err?.message ?? fields?.code
        world.tell(`  log ${level}: ${message}${reason === undefined ? '' : ` (${reason.slice(0, 120)})`}`)
        if (fields?.err?.name === 'LedgerError')
          facts.violations.push(`the ledger refused a step: ${fields.err.message}`)
        const isInternal = /internal error|reason of our own|aborted; it resumes/.test(String(message))
        if (isInternal && this.disk.weather === this.calmDisk && !databaseWeather.isFull)
          facts.violations.push(`logged: ${message} (${describe(fields?.err)})`)
      }
    const log = {
      level: 'info',
      ...{ trace() {}, debug() {}, silent() {}, flush() {} },
      ...{ info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal') },
      child: () => log,
    }
    return log as unknown as Logger
  }
}

function providerAt(host: string) {
  return { 'ark.test': 'doubao', 'dashscope.test': 'qwen' }[host] ?? 'openai'
}

// ── A database with all its tables ──────────────────────────────────────────────────────────────────────────────────

let template: string | undefined

/** Made once in a process: it is the same in every history. */
async function prepare(): Promise<string> {
  if (template === undefined) {
    const made = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'webimgui-template-'))
    process.on('exit', () => rmSync(made, { recursive: true, force: true }))
    const kept = { world: present.world, disk: presentDisk.disk }
    present.world = undefined
    presentDisk.disk = undefined
    const settings = loadSettings({
      DATA_DIR: made,
      SECRET_KEY: 'a secret of the simulation, long enough',
      LOG_FILE: 'off',
    })
    const silent = { child: () => silent, info() {}, warn() {}, error() {}, debug() {}, trace() {} }
    const core = await openCore(settings, silent as unknown as Logger)
    await core.close()
    makeSmall(path.join(made, databaseName))
    present.world = kept.world
    presentDisk.disk = kept.disk
    template = path.join(made, databaseName)
  }
  return template
}

/** Small pages, because every commit writes whole ones. */
function makeSmall(file: string) {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM')
  database.close()
}
