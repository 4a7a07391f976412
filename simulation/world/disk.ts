/**
 * The disk of a world. Its files are in memory, and beside each stands what has been synced; the database alone is a real file, on a file
 * system in memory. After a power cut only what was synced is sure to be there: of everything else, contents and names alike, chance decides
 * what is left of it.
 *
 * Calls of `fs.promises` are made when their event comes, so their order and their length belong to the seed (`files.ts`).
 */
import fs from 'node:fs'
import path from 'node:path'
import type { Chance } from './chance.ts'
import { Crashed, type World } from './world.ts'

/** Before anything is put into their place. Those that open a file by themselves would ask what stands there then. */
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

export const databaseName = 'chat_history.db'
const journalName = `${databaseName}-wal`

/** Buffers are replaced, never changed. */
export interface Inode {
  bytes: Buffer
  /** The contents as they were synced last; undefined: never. */
  synced: Buffer | undefined
  /** ms since 1970, by the clock of the program. */
  writtenAt: number
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
  /** Of the database: how much of its journal is safe, and how often it was begun anew by then. */
  private journal = { length: 0, stamp: '' }
  /** SQLite syncs its journal at each commit. */
  isJournalSynced = true
  private readonly underWay = new Set<(error: unknown) => void>()

  constructor(world: World, chance: Chance) {
    this.world = world
    this.chance = chance
  }

  // ── From life to life ─────────────────────────────────────────────────────────────────────────────────────────────

  /** A folder with this database and nothing else, all of it safe. */
  begin(root: string, database: string) {
    real.mkdirSync(root)
    real.copyFileSync(database, path.join(root, databaseName))
    this.root = root
    this.journal = this.journalNow()
  }

  /** Another folder that holds the same, byte for byte: the program was killed, and what it wrote is still in the memory of the system. */
  copyTo(root: string) {
    const wasMoved = this.journal.stamp !== this.journalNow().stamp
    this.copyDatabase(root)
    const journal = path.join(this.root, journalName)
    if (real.existsSync(journal)) real.copyFileSync(journal, path.join(root, journalName))
    this.root = root
    if (wasMoved) this.journal = this.journalNow()
  }

  /** Another folder that holds what a power cut leaves. How much of what was not synced is there is up to chance. */
  cutTo(root: string) {
    const { chance } = this
    const names = new Map(this.safeNames)
    const share = chance.pick([0, 0, 0.5, 1])
    for (const renaming of this.renamings) {
      if (chance.happens(share)) renaming.apply(names)
      else if (chance.happens(0.5)) break
    }
    const left = new Map<string, Inode>()
    for (const [name, inode] of [...names].sort(([one], [other]) => (one < other ? -1 : 1))) {
      if (!hasFolder(names, name)) continue
      const bytes = name.endsWith('/') ? empty : this.leftOf(inode)
      left.set(name, { bytes, synced: bytes, writtenAt: inode.writtenAt })
    }
    this.copyDatabase(root)
    const journal = this.leftOfJournal()
    if (journal) writeNew(path.join(root, journalName), journal)
    this.root = root
    this.names = left
    this.safeNames = new Map(left)
    this.renamings = []
    this.journal = this.journalNow()
  }

  /** The lock is the program's own, and ends with it. */
  private copyDatabase(root: string) {
    real.mkdirSync(root)
    real.copyFileSync(path.join(this.root, databaseName), path.join(root, databaseName))
  }

  private leftOf({ bytes: now, synced = empty }: Inode): Buffer {
    const { chance } = this
    if (now.equals(synced) || chance.happens(0.6)) return synced
    if (chance.happens(0.3)) return now
    // Of a file that only grew, the beginning; of any other, some of it as zeros.
    const from = now.subarray(0, synced.length).equals(synced) ? synced.length : 0
    const torn = Buffer.from(now.subarray(0, from + chance.below(now.length - from + 1)))
    if (chance.happens(0.3)) torn.fill(0, from + chance.below(torn.length - from + 1))
    return torn
  }

  private leftOfJournal(): Buffer | undefined {
    const place = path.join(this.root, journalName)
    const bytes = readPart(place, 0, real.statSync(place, { throwIfNoEntry: false })?.size ?? 0) ?? empty
    if (bytes.length === 0) return undefined
    const { length, stamp } = this.journal
    // SQLite itself syncs the journal before it moves pages into the file.
    if (this.isJournalSynced || stamp !== this.journalNow().stamp || bytes.length <= length) return bytes
    if (this.chance.happens(0.6)) return bytes.subarray(0, length)
    return bytes.subarray(0, length + this.chance.below(bytes.length - length + 1))
  }

  /** Between two of its beginnings a journal only grows. */
  private journalNow() {
    const place = path.join(this.root, journalName)
    const length = real.statSync(place, { throwIfNoEntry: false })?.size ?? 0
    const head = readPart(place, 0, 32)
    // How many of its pages were moved into the database, by the index that SQLite keeps of it.
    const moved = readPart(path.join(this.root, `${databaseName}-shm`), 96, 4)
    return { length, stamp: `${head?.toString('hex')} ${moved?.readUInt32LE() ?? 0}` }
  }

  /** What the program left in this folder, by their path in it. */
  filesIn(folder: string): Map<string, Buffer> {
    const start = `${folder}/`
    const files = [...this.names].filter(([name]) => name.startsWith(start) && !name.endsWith('/'))
    return new Map(files.map(([name, { bytes }]) => [name.slice(start.length), bytes]))
  }

  // ── What is synced ────────────────────────────────────────────────────────────────────────────────────────────────

  private isHere(place: string) {
    return place === this.root || place.startsWith(`${this.root}/`)
  }

  /** Its path in the folder of the present life. */
  nameOf(place: string): string | undefined {
    return place.startsWith(`${this.root}/`) ? place.slice(this.root.length + 1) : undefined
  }

  /** What a sync that begins now will have made safe when it ends. */
  beginSync(place: string): () => void {
    const name = place === this.root ? '' : this.nameOf(place)
    if (name === undefined) return () => {}
    if (name === journalName) {
      const journal = this.journalNow()
      return () => {
        this.journal = journal
      }
    }
    if (name === '' || this.names.has(`${name}/`)) {
      const folder = name === '' ? '' : `${name}/`
      const own = this.renamings.filter(({ folders }) => folders.includes(folder))
      return () => {
        for (const renaming of own) renaming.apply(this.safeNames)
        this.renamings = this.renamings.filter(renaming => !own.includes(renaming))
      }
    }
    const inode = this.names.get(name)
    if (!inode) return () => {}
    const { bytes } = inode
    return () => {
      inode.synced = bytes
    }
  }

  private change(folders: string[], apply: Renaming['apply']) {
    apply(this.names)
    this.renamings.push({ folders, apply })
  }

  // ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @throws ENOENT */
  find(place: string): { inode: Inode; isFolder: boolean } {
    const name = this.nameOf(place)
    if (place === this.root) return { inode: rootInode, isFolder: true }
    const folder = this.names.get(`${name}/`)
    if (folder) return { inode: folder, isFolder: true }
    const inode = this.names.get(name ?? '')
    if (!inode) throw trouble('ENOENT', place)
    return { inode, isFolder: false }
  }

  has(place: string) {
    const name = this.nameOf(place)
    return place === this.root || this.names.has(name ?? '') || this.names.has(`${name}/`)
  }

  /** @throws ENOENT, EEXIST */
  open(place: string, flags: string): Inode {
    const isNew = !this.has(place)
    if (isNew && !mayCreate(flags)) throw trouble('ENOENT', place)
    if (!isNew && flags.includes('x')) throw trouble('EEXIST', place)
    const inode = isNew ? this.create(place) : this.find(place).inode
    if (!isNew && flags.startsWith('w')) this.write(inode, empty)
    return inode
  }

  private create(place: string, isFolder = false): Inode {
    const key = `${this.nameOf(place)}${isFolder ? '/' : ''}`
    if (!hasFolder(this.names, key)) throw trouble('ENOENT', place)
    const inode: Inode = { bytes: empty, synced: undefined, writtenAt: this.world.wallMs }
    this.change([folderOf(key)], names => void names.set(key, inode))
    return inode
  }

  write(inode: Inode, bytes: Buffer) {
    inode.bytes = bytes
    inode.writtenAt = this.world.wallMs
  }

  /** Makes folders one by one, so that each of them waits for its own sync. The first one that was missing. */
  makeFolder(place: string, isRecursive: boolean): string | undefined {
    if (this.has(place)) {
      if (isRecursive) return undefined
      throw trouble('EEXIST', place)
    }
    const first = isRecursive ? this.makeFolder(path.dirname(place), true) : undefined
    this.create(place, true)
    return first ?? place
  }

  rename(from: string, to: string) {
    const { inode } = this.find(from)
    const [old, name] = [this.nameOf(from)!, this.nameOf(to)!]
    if (!hasFolder(this.names, name)) throw trouble('ENOENT', to)
    this.change([folderOf(old), folderOf(name)], names => {
      names.delete(old)
      names.set(name, inode)
    })
  }

  /** @throws ENOENT */
  remove(place: string) {
    const { isFolder } = this.find(place)
    const key = `${this.nameOf(place)}${isFolder ? '/' : ''}`
    const keys = isFolder ? [...this.names.keys()].filter(name => name.startsWith(key)) : [key]
    for (const name of keys.reverse()) this.change([folderOf(name)], names => void names.delete(name))
  }

  /** Its files and folders, in an order that does not depend on how they were made. @throws ENOENT, ENOTDIR */
  list(place: string): { name: string; isFolder: boolean }[] {
    if (!this.find(place).isFolder) throw trouble('ENOTDIR', place)
    const start = place === this.root ? '' : `${this.nameOf(place)}/`
    return [...this.names.keys()]
      .filter(name => name.startsWith(start) && /^[^/]+\/?$/.test(name.slice(start.length)))
      .map(name => ({ name: name.slice(start.length).replace('/', ''), isFolder: name.endsWith('/') }))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  // ── Calls ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes a call when its event comes. */
  call<T>(what: string, place: string, work: () => T, kind: 'reads' | 'writes' = 'reads'): Promise<T> {
    const { world, weather } = this
    const shown = `${what} ${this.shown(place)}`
    // Also where a former life of the program asks.
    if (world.isCrashed || !this.isHere(place)) return Promise.reject(new Crashed(shown))
    const ms = this.chance.next() ** 3 * weather.maxMs
    return new Promise((resolve, reject) => {
      this.underWay.add(reject)
      world.plan('program', ms, shown, () => {
        this.underWay.delete(reject)
        try {
          this.fail(shown, kind)
          resolve(work())
        } catch (error) {
          reject(error)
        }
      })
    })
  }

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

function trouble(code: string, place: string) {
  return Object.assign(new Error(`${code}: ${place}`), { code })
}

export function mayCreate(flags: string) {
  return /^[wa]/.test(flags)
}

function readPart(place: string, from: number, length: number): Buffer | undefined {
  if (!real.existsSync(place)) return undefined
  const fd = real.openSync(place, 'r')
  const bytes = Buffer.alloc(length)
  const count = real.readSync(fd, bytes, 0, length, from)
  real.closeSync(fd)
  return count < length ? undefined : bytes
}

function writeNew(place: string, bytes: Buffer) {
  const fd = real.openSync(place, 'w')
  real.writeSync(fd, bytes)
  real.closeSync(fd)
}

const empty = Buffer.alloc(0)
const rootInode: Inode = { bytes: empty, synced: undefined, writtenAt: 0 }

/** The disk of the present world. */
export const presentDisk: { disk: Disk | undefined } = { disk: undefined }

/** In the path of the folder of every life, so that a call of a former one is known as such. */
export const lifeFolder = 'simulated-life-'
