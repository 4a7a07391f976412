/**
 * The disk of a world. Files are real ones on a file system in memory; beside them stands what has been synced. After a power cut only that
 * is sure to be there: of everything else, contents and names alike, chance decides what is left of it.
 *
 * Calls of `fs.promises` are made when their event comes, so their order and their length belong to the seed.
 */
import fs from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import { Readable } from 'node:stream'
import type { Chance } from './chance.ts'
import { Crashed, present, type World } from './world.ts'

const require = createRequire(import.meta.url)
const real = { ...fs }

/** What happens to the disk at the moment. */
export interface DiskWeather {
  /** The longest that one call takes, in milliseconds. */
  maxMs: number
  /** No byte more can be written. */
  isFull: boolean
  /** How often a call fails for no reason that it tells. */
  faulty: number
}

const databaseName = 'chat_history.db'
const journalName = `${databaseName}-wal`

interface Inode {
  /** The contents as they were synced last; undefined: never. */
  synced: Buffer | undefined
}

/** A change of names that no sync of their folder has made sure yet. */
interface Renaming {
  folders: string[]
  apply(names: Map<string, Inode>): void
}

export class Disk {
  private readonly world: World
  private readonly chance: Chance
  /** The folder of the present life of the program. */
  root = ''
  weather: DiskWeather = { maxMs: 0.5, isFull: false, faulty: 0 }
  /** By path in `root`: names as the program sees them, and as a power cut would leave them. Folders end with a slash. */
  private names = new Map<string, Inode>()
  private safeNames = new Map<string, Inode>()
  private renamings: Renaming[] = []
  /** Of the database: what is safe of its journal, and how its file was then. */
  private journal: { bytes: Buffer; stamp: string } = { bytes: Buffer.alloc(0), stamp: '' }
  /** SQLite syncs its journal at each commit. */
  isJournalSynced = true

  constructor(world: World, chance: Chance) {
    this.world = world
    this.chance = chance
  }

  /** Everything that lies there now is safe. */
  adopt(root: string) {
    byItself(() => this.adoptAll(root))
  }

  private adoptAll(root: string) {
    this.root = root
    this.names = new Map()
    this.renamings = []
    this.journal = this.journalNow()
    for (const entry of real.readdirSync(root, { recursive: true, withFileTypes: true })) {
      const place = path.join(entry.parentPath, entry.name)
      const name = this.nameOf(place)
      if (name === undefined) continue
      if (entry.isDirectory()) this.names.set(`${name}/`, { synced: undefined })
      else this.names.set(name, { synced: real.readFileSync(place) })
    }
    this.safeNames = new Map(this.names)
  }

  /** Another folder that holds the same, byte for byte: the program was killed, and what it wrote is still in the memory of the system. */
  copyTo(root: string) {
    const filter = (from: string) => !from.endsWith('-shm') && !from.endsWith('.lock')
    byItself(() => {
      const wasMoved = this.journal.stamp !== this.stamp()
      real.cpSync(this.root, root, { recursive: true, filter })
      this.root = root
      const now = this.journalNow()
      this.journal = wasMoved ? now : { bytes: this.journal.bytes, stamp: now.stamp }
    })
  }

  /** Another folder that holds what a power cut leaves. How much of what was not synced is there is up to chance. */
  cutTo(root: string) {
    byItself(() => this.cut(root))
  }

  private cut(root: string) {
    const { chance } = this
    const names = new Map(this.safeNames)
    const share = chance.pick([0, 0, 0.5, 1])
    for (const renaming of this.renamings) {
      if (chance.happens(share)) renaming.apply(names)
      else if (chance.happens(0.5)) break
    }
    real.mkdirSync(root, { recursive: true })
    const current = new Map([...this.names].map(([name, inode]) => [inode, name]))
    for (const [name, inode] of [...names].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const place = path.join(root, name)
      if (!hasFolder(names, name)) continue
      if (name.endsWith('/')) real.mkdirSync(place, { recursive: true })
      else real.writeFileSync(place, this.leftOf(inode, current.get(inode)))
    }
    for (const name of real.readdirSync(this.root)) {
      if (name.endsWith('.db')) real.copyFileSync(path.join(this.root, name), path.join(root, name))
    }
    const journal = this.leftOfJournal()
    if (journal) real.writeFileSync(path.join(root, journal.name), journal.bytes)
    this.adopt(root)
  }

  private leftOf(inode: Inode, name: string | undefined): Buffer {
    const { chance } = this
    const synced = inode.synced ?? Buffer.alloc(0)
    const place = name === undefined ? undefined : path.join(this.root, name)
    if (!place || !real.existsSync(place)) return synced
    const now = real.readFileSync(place)
    if (now.equals(synced) || chance.happens(0.6)) return synced
    if (chance.happens(0.3)) return now
    // Of a file that only grew, the beginning; of any other, some of it as zeros.
    const from = now.subarray(0, synced.length).equals(synced) ? synced.length : 0
    const torn = Buffer.from(now.subarray(0, from + chance.below(now.length - from + 1)))
    if (chance.happens(0.3)) torn.fill(0, from + chance.below(torn.length - from + 1))
    return torn
  }

  private leftOfJournal() {
    const { bytes } = this.journalNow()
    const name = journalName
    if (bytes.length === 0) return undefined
    // SQLite itself syncs the journal before it moves pages into the file.
    if (this.isJournalSynced || this.journal.stamp !== this.stamp()) return { name, bytes }
    const safe = this.journal.bytes
    const isLonger = bytes.length > safe.length && bytes.subarray(0, safe.length).equals(safe)
    if (!isLonger || this.chance.happens(0.6)) return { name, bytes: safe }
    return { name, bytes: bytes.subarray(0, safe.length + this.chance.below(bytes.length - safe.length + 1)) }
  }

  private journalNow() {
    const place = path.join(this.root, journalName)
    const bytes = real.existsSync(place) ? real.readFileSync(place) : Buffer.alloc(0)
    return { bytes, stamp: this.stamp() }
  }

  /** Another one whenever pages were moved from the journal into the file of the database. */
  private stamp() {
    const found = real.statSync(path.join(this.root, databaseName), { throwIfNoEntry: false })
    return `${found?.mtimeMs} ${found?.size}`
  }

  // ── What is synced ────────────────────────────────────────────────────────────────────────────────────────────────

  nameOf(place: string): string | undefined {
    if (!place.startsWith(`${this.root}/`)) return undefined
    const name = place.slice(this.root.length + 1)
    // SQLite looks after these by itself.
    return /\.db(-\w+|\.lock(-\w+)?)?$/.test(name) ? undefined : name
  }

  /** What a sync that begins now will have made safe when it ends. */
  beginSync(place: string): () => void {
    return byItself(() => this.toBeSynced(place))
  }

  private toBeSynced(place: string): () => void {
    if (place === path.join(this.root, journalName)) {
      const journal = this.journalNow()
      return () => {
        this.journal = journal
      }
    }
    const name = this.nameOf(place)
    if (name === undefined) return () => {}
    const folder = this.names.has(`${name}/`) ? `${name}/` : undefined
    if (folder !== undefined || place === this.root) {
      const own = this.renamings.filter(renaming => renaming.folders.includes(folder ?? ''))
      return () => {
        for (const renaming of own) renaming.apply(this.safeNames)
        this.renamings = this.renamings.filter(renaming => !own.includes(renaming))
      }
    }
    const inode = this.names.get(name)
    if (!inode) return () => {}
    const bytes = real.readFileSync(place)
    return () => {
      inode.synced = bytes
    }
  }

  created(place: string, isFolder = false) {
    const name = this.nameOf(place)
    if (name === undefined) return
    const key = isFolder ? `${name}/` : name
    if (this.names.has(key)) return
    const inode: Inode = { synced: undefined }
    this.rename([folderOf(key)], names => void names.set(key, inode))
  }

  renamed(from: string, to: string) {
    const [old, name] = [this.nameOf(from), this.nameOf(to)]
    const inode = old === undefined ? undefined : this.names.get(old)
    if (old === undefined || name === undefined || !inode) return
    this.rename([folderOf(old), folderOf(name)], names => {
      names.delete(old)
      names.set(name, inode)
    })
  }

  removed(place: string) {
    const name = this.nameOf(place)
    if (name === undefined || !this.names.has(name)) return
    this.rename([folderOf(name)], names => void names.delete(name))
  }

  private rename(folders: string[], apply: Renaming['apply']) {
    apply(this.names)
    this.renamings.push({ folders, apply })
  }

  // ── Calls ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes a call when its event comes. */
  call<T>(what: string, place: string, work: () => T, kind: 'reads' | 'writes' = 'reads'): Promise<T> {
    const { world, weather } = this
    const shown = `${what} ${this.shown(place)}`
    if (world.isCrashed) return Promise.reject(new Crashed(shown))
    const ms = this.chance.next() ** 3 * weather.maxMs
    return new Promise((resolve, reject) => {
      this.underWay.add(reject)
      world.plan('program', ms, shown, () => {
        this.underWay.delete(reject)
        try {
          this.fail(shown, kind)
          resolve(byItself(work))
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  private readonly underWay = new Set<(error: unknown) => void>()

  /** What the program waits for fails, so that nothing of it stays behind in the modules of this process. */
  crash() {
    for (const reject of this.underWay) reject(new Crashed('a call of the disk'))
    this.underWay.clear()
  }

  fail(what: string, kind: 'reads' | 'writes') {
    const { weather } = this
    const code =
      kind === 'writes' && weather.isFull
        ? 'ENOSPC'
        : weather.faulty > 0 && this.chance.happens(weather.faulty)
          ? this.chance.pick(['EIO', 'EMFILE'])
          : undefined
    if (code === undefined) return
    this.world.tell(`  ${code}: ${what}`)
    throw Object.assign(new Error(`${code}: ${what}`), { code })
  }

  /** Random ids of temporary files would make each line of the story another one. */
  shown(place: string) {
    return this.nameOf(place) ?? path.basename(place)
  }
}

function folderOf(name: string) {
  const folder = path.dirname(name)
  return folder === '.' ? '' : `${folder}/`
}

function hasFolder(names: ReadonlyMap<string, Inode>, name: string): boolean {
  const folder = folderOf(name)
  return folder === '' || (names.has(folder) && hasFolder(names, folder))
}

/** The disk of the present world. */
export const presentDisk: { disk: Disk | undefined } = { disk: undefined }

/** Above 0 while the disk itself is at work: some calls are made of others. */
let atWork = 0

function byItself<T>(work: () => T): T {
  atWork++
  try {
    return work()
  } finally {
    atWork--
  }
}

function diskFor(place: unknown): Disk | undefined {
  const { disk } = presentDisk
  if (atWork > 0) return undefined
  if (!present.world || !disk || typeof place !== 'string') return undefined
  return place === disk.root || place.startsWith(`${disk.root}/`) || place.includes(`/${lifeFolder}`) ? disk : undefined
}

/** In the path of the folder of every life, so that a call of a former one is known as such. */
export const lifeFolder = 'simulated-life-'

// ── In place of `fs.promises` ───────────────────────────────────────────────────────────────────────────────────────

/** Paths of open descriptors, for syncs that are asked for by a number. */
const placesOf = new Map<number, string>()

class Handle {
  readonly fd: number
  private readonly place: string
  private readonly disk: Disk
  private isOpen = true

  constructor(disk: Disk, place: string, fd: number) {
    this.disk = disk
    this.place = place
    this.fd = fd
  }

  private call<T>(what: string, work: () => T, kind?: 'reads' | 'writes') {
    return this.disk.call(what, this.place, work, kind)
  }

  stat(options?: fs.StatOptions) {
    return this.call('stat', () => real.fstatSync(this.fd, options as { bigint?: false }))
  }

  read(given: unknown, ...rest: unknown[]) {
    const options = ArrayBuffer.isView(given)
      ? typeof rest[0] === 'object'
        ? { buffer: given, ...rest[0] }
        : { buffer: given, offset: rest[0], length: rest[1], position: rest[2] }
      : (given as { buffer?: Uint8Array; offset?: number; length?: number; position?: number | null } | undefined)
    const buffer = (options?.buffer as Uint8Array | undefined) ?? Buffer.alloc(16_384)
    const offset = Number(options?.offset ?? 0)
    const length = Number(options?.length ?? buffer.length - offset)
    const position = (options?.position as number | null | undefined) ?? null
    return this.call('read', () => ({
      bytesRead: real.readSync(this.fd, buffer, offset, length, position),
      buffer,
    }))
  }

  write(given: Uint8Array | string, offset?: number, length?: number, position?: number | null) {
    const bytes = typeof given === 'string' ? Buffer.from(given) : given
    const from = offset ?? 0
    const count = length ?? bytes.length - from
    return this.call(
      'write',
      () => ({
        bytesWritten: real.writeSync(this.fd, bytes, from, count, position ?? null),
        buffer: given,
      }),
      'writes',
    )
  }

  async writeFile(given: Uint8Array | string) {
    await this.write(typeof given === 'string' ? Buffer.from(given) : given)
  }

  readFile(options?: BufferEncoding) {
    return this.call('read', () => real.readFileSync(this.fd, options as undefined))
  }

  truncate(length = 0) {
    return this.call('truncate', () => real.ftruncateSync(this.fd, length), 'writes')
  }

  sync() {
    const done = this.disk.beginSync(this.place)
    return this.call('sync', done, 'writes')
  }

  datasync() {
    return this.sync()
  }

  async close() {
    if (!this.isOpen) return
    this.isOpen = false
    placesOf.delete(this.fd)
    real.closeSync(this.fd)
  }

  createReadStream({ start = 0, end = Number.POSITIVE_INFINITY }: { start?: number; end?: number } = {}) {
    const pieces = async function* (this: Handle) {
      try {
        for (let position = start; position <= end; ) {
          const length = Math.min(65_536, end - position + 1)
          const { bytesRead, buffer } = await this.read({ buffer: Buffer.alloc(length), position })
          if (bytesRead === 0) return
          yield buffer.subarray(0, bytesRead)
          position += bytesRead
        }
      } finally {
        await this.close()
      }
    }
    return Readable.from(pieces.call(this), { objectMode: false })
  }

  [Symbol.asyncDispose]() {
    return this.close()
  }
}

function mayCreate(flags: string | number) {
  return typeof flags === 'number' ? (flags & real.constants.O_CREAT) !== 0 : /^[wa]/.test(flags)
}

function openNow(disk: Disk, place: string, flags: string | number, mode?: fs.Mode) {
  const fd = real.openSync(place, flags, mode)
  if (mayCreate(flags)) disk.created(place)
  placesOf.set(fd, place)
  return fd
}

function removeNow(disk: Disk, place: string, options?: fs.RmOptions) {
  if (options?.recursive && real.statSync(place, { throwIfNoEntry: false })?.isDirectory()) {
    for (const name of real.readdirSync(place)) removeNow(disk, path.join(place, name), options)
    return real.rmSync(place, options)
  }
  real.rmSync(place, options)
  disk.removed(place)
}

/** Makes folders one by one, so that each of them waits for its own sync. */
function makeFolder(disk: Disk, place: string, options?: fs.MakeDirectoryOptions): string | undefined {
  if (!options?.recursive) {
    real.mkdirSync(place, options)
    disk.created(place, true)
    return undefined
  }
  if (real.existsSync(place)) return undefined
  const first = makeFolder(disk, path.dirname(place), options)
  real.mkdirSync(place)
  disk.created(place, true)
  return first ?? place
}

type Promises = Record<string, (...values: never[]) => unknown>

/** Once in a process, before the program is loaded. */
export function installDisk() {
  const promises = require('node:fs/promises') as Promises
  const former = { ...promises }
  const replace = (name: string, work: (disk: Disk, ...values: never[]) => unknown) => {
    const otherwise = former[name]!
    promises[name] = (...values: never[]) => {
      const disk = diskFor(values[0])
      return disk ? work(disk, ...values) : otherwise(...values)
    }
  }
  replace('open', (disk: Disk, place: string, flags: string | number = 'r', mode?: fs.Mode) =>
    disk.call(
      'open',
      place,
      () => new Handle(disk, place, openNow(disk, place, flags, mode)),
      mayCreate(flags) ? 'writes' : 'reads',
    ),
  )
  replace('mkdir', (disk: Disk, place: string, options?: fs.MakeDirectoryOptions) =>
    disk.call('mkdir', place, () => makeFolder(disk, place, options), real.existsSync(place) ? 'reads' : 'writes'),
  )
  replace('readdir', (disk: Disk, place: string, options?: { withFileTypes: true }) =>
    disk.call('readdir', place, () =>
      // In an order that does not depend on the file system.
      (real.readdirSync(place, options as { withFileTypes: true }) as unknown as (string | fs.Dirent)[]).sort(
        (one, other) => (nameIn(one) < nameIn(other) ? -1 : 1),
      ),
    ),
  )
  replace('rename', (disk: Disk, from: string, to: string) =>
    disk.call('rename', to, () => {
      real.renameSync(from, to)
      disk.renamed(from, to)
    }),
  )
  replace('rm', (disk: Disk, place: string, options?: fs.RmOptions) =>
    disk.call('rm', place, () => removeNow(disk, place, options)),
  )
  replace('unlink', (disk: Disk, place: string) => disk.call('rm', place, () => removeNow(disk, place)))
  replace('stat', (disk: Disk, place: string, options?: fs.StatSyncOptions) =>
    disk.call('stat', place, () => real.statSync(place, options)),
  )
  replace('access', (disk: Disk, place: string) => disk.call('access', place, () => real.accessSync(place)))
  replace('statfs', (disk: Disk, place: string) =>
    disk.call('statfs', place, () => ({ bavail: disk.weather.isFull ? 0 : 1e9, bsize: 4096 })),
  )
  replace('readFile', (disk: Disk, place: string, options?: BufferEncoding) =>
    disk.call('read', place, () => real.readFileSync(place, options as undefined)),
  )
  replace('writeFile', (disk: Disk, place: string, bytes: string | Uint8Array, options?: fs.WriteFileOptions) =>
    disk.call(
      'write',
      place,
      () => {
        real.writeFileSync(place, bytes, options)
        disk.created(place)
      },
      'writes',
    ),
  )
  replace('copyFile', (disk: Disk, from: string, to: string) =>
    disk.call(
      'copy',
      to,
      () => {
        real.copyFileSync(from, to)
        disk.created(to)
      },
      'writes',
    ),
  )
  installCallbacks()
  installSyncCalls()
  syncBuiltinESMExports()
}

function nameIn(entry: string | fs.Dirent) {
  return typeof entry === 'string' ? entry : entry.name
}

type Callback = (error: Error | null, result?: unknown) => void

/** Those with a callback: what syncs the journal of the database may use them. */
function installCallbacks() {
  const sync = (name: 'fsync' | 'fdatasync') => (fd: number, callback: Callback) => {
    const place = placesOf.get(fd)
    const disk = diskFor(place)
    if (!disk || place === undefined) return real[name](fd, callback)
    disk.call('sync', place, disk.beginSync(place), 'writes').then(() => callback(null), callback)
  }
  const open = (place: string, ...rest: unknown[]) => {
    const callback = rest.pop() as Callback
    const disk = diskFor(place)
    const [flags = 'r', mode] = rest as [string?, fs.Mode?]
    if (!disk) return real.open(place, flags, mode, callback)
    disk.call('open', place, () => openNow(disk, place, flags, mode)).then(fd => callback(null, fd), callback)
  }
  const close = (fd: number, callback: Callback = () => {}) => {
    if (!placesOf.delete(fd)) return real.close(fd, callback)
    real.closeSync(fd)
    queueMicrotask(() => callback(null))
  }
  Object.assign(fs, { fsync: sync('fsync'), fdatasync: sync('fdatasync'), open, close })
}

/** They are made at once, and not at all after a crash. */
function installSyncCalls() {
  const mustLive = (place: unknown) => {
    if (diskFor(place) && present.world?.isCrashed) throw new Crashed(String(place))
  }
  const openSync = (place: fs.PathLike, flags: string | number = 'r', mode?: fs.Mode) => {
    mustLive(place)
    const disk = diskFor(place)
    return disk ? openNow(disk, String(place), flags, mode) : real.openSync(place, flags, mode)
  }
  const mkdirSync = (place: fs.PathLike, options?: fs.MakeDirectoryOptions) => {
    mustLive(place)
    const disk = diskFor(place)
    return disk ? makeFolder(disk, String(place), options) : real.mkdirSync(place, options)
  }
  const closeSync = (fd: number) => {
    placesOf.delete(fd)
    real.closeSync(fd)
  }
  const syncSync = (name: 'fsyncSync' | 'fdatasyncSync') => (fd: number) => {
    const place = placesOf.get(fd)
    mustLive(place)
    if (place !== undefined) diskFor(place)?.beginSync(place)()
    real[name](fd)
  }
  Object.assign(fs, {
    openSync,
    mkdirSync,
    closeSync,
    fsyncSync: syncSync('fsyncSync'),
    fdatasyncSync: syncSync('fdatasyncSync'),
  })
}

/** Of what a crash left open. */
export function closeDescriptors() {
  for (const fd of placesOf.keys()) {
    try {
      real.closeSync(fd)
    } catch {
      // Closed already.
    }
  }
  placesOf.clear()
}
