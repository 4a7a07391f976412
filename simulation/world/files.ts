/** Puts the disk of the present world into the place of `fs`, for everything in the folder of a life but its database. */
import fs from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { Readable } from 'node:stream'
import { type Disk, type Inode, lifeFolder, mayCreate, presentDisk } from './disk.ts'
import { Crashed, present } from './world.ts'

const require = createRequire(import.meta.url)
const real = { ...fs }

function diskFor(place: unknown): Disk | undefined {
  const { disk } = presentDisk
  return present.world && disk && typeof place === 'string' && place.includes(lifeFolder) ? disk : undefined
}

// ── In place of `fs.promises` ───────────────────────────────────────────────────────────────────────────────────────

class Handle {
  private readonly disk: Disk
  private readonly place: string
  private readonly inode: Inode
  private readonly isFolder: boolean
  private readonly isAppended: boolean
  private position = 0

  constructor(disk: Disk, place: string, flags: string) {
    this.disk = disk
    this.place = place
    this.inode = disk.open(place, flags)
    this.isFolder = disk.find(place).isFolder
    this.isAppended = flags.startsWith('a')
  }

  private call<T>(what: string, work: () => T, kind?: 'reads' | 'writes') {
    return this.disk.call(what, this.place, work, kind)
  }

  stat() {
    return this.call('stat', () => statOf(this.inode, this.isFolder))
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
    return this.call('read', () => {
      const from = position ?? this.position
      const bytesRead = this.inode.bytes.copy(buffer, offset, from, from + length)
      if (position === null) this.position += bytesRead
      return { bytesRead, buffer }
    })
  }

  write(given: Uint8Array | string, offset = 0, length?: number, position?: number | null) {
    const bytes =
      typeof given === 'string' ? Buffer.from(given) : Buffer.from(given.buffer, given.byteOffset, given.byteLength)
    const part = bytes.subarray(offset, offset + (length ?? bytes.length - offset))
    const write = () => {
      const { bytes: before } = this.inode
      const from = this.isAppended ? before.length : (position ?? this.position)
      const gap = Buffer.alloc(Math.max(0, from - before.length))
      const pieces = [before.subarray(0, from), gap, part, before.subarray(from + part.length)]
      this.disk.write(this.inode, Buffer.concat(pieces))
      if (typeof position !== 'number') this.position = from + part.length
      return { bytesWritten: part.length, buffer: given }
    }
    return this.call('write', write, 'writes')
  }

  async writeFile(given: Uint8Array | string) {
    await this.write(given)
  }

  readFile(options?: BufferEncoding) {
    return this.call('read', () => textOf(this.inode, options))
  }

  truncate(length = 0) {
    return this.call('truncate', () => this.disk.write(this.inode, this.inode.bytes.subarray(0, length)), 'writes')
  }

  sync() {
    const done = this.disk.beginSync(this.place)
    return this.call('sync', done, 'writes')
  }

  datasync() {
    return this.sync()
  }

  async close() {}

  createReadStream({ start = 0, end = Number.POSITIVE_INFINITY }: { start?: number; end?: number } = {}) {
    const pieces = async function* (this: Handle) {
      for (let position = start; position <= end; ) {
        const length = Math.min(65_536, end - position + 1)
        const { bytesRead, buffer } = await this.read({ buffer: Buffer.alloc(length), position })
        if (bytesRead === 0) return
        yield buffer.subarray(0, bytesRead)
        position += bytesRead
      }
    }
    return Readable.from(pieces.call(this), { objectMode: false })
  }

  [Symbol.asyncDispose]() {
    return this.close()
  }
}

function textOf({ bytes }: Inode, options?: BufferEncoding | { encoding?: BufferEncoding }) {
  const encoding = typeof options === 'string' ? options : options?.encoding
  return encoding === undefined ? Buffer.from(bytes) : bytes.toString(encoding)
}

function statOf({ bytes, writtenAt }: Inode, isFolder: boolean) {
  const kinds = { isFile: () => !isFolder, isDirectory: () => isFolder }
  return { ...kinds, size: bytes.length, mtimeMs: writtenAt, mtime: new Date(writtenAt) }
}

type Promises = Record<string, (...values: never[]) => unknown>

/** Once in a process, before the program is loaded. */
export function installDisk() {
  const promises = require('node:fs/promises') as Promises
  const replace = (name: string, work: (disk: Disk, ...values: never[]) => unknown) => {
    const otherwise = promises[name]!
    promises[name] = (...values: never[]) => {
      const disk = diskFor(values[0])
      return disk ? work(disk, ...values) : otherwise(...values)
    }
  }
  const kindOf = (flags: string) => (mayCreate(flags) ? 'writes' : 'reads')
  replace('open', (disk: Disk, place: string, flags = 'r') =>
    disk.call('open', place, () => new Handle(disk, place, flags), kindOf(flags)),
  )
  replace('mkdir', (disk: Disk, place: string, { recursive = false }: { recursive?: boolean } = {}) =>
    disk.call('mkdir', place, () => disk.makeFolder(place, recursive), disk.has(place) ? 'reads' : 'writes'),
  )
  replace('readdir', (disk: Disk, place: string, options?: { withFileTypes: boolean }) =>
    disk.call('readdir', place, () =>
      disk.list(place).map(({ name, isFolder }) => {
        if (!options?.withFileTypes) return name
        return { name, parentPath: place, isFile: () => !isFolder, isDirectory: () => isFolder }
      }),
    ),
  )
  replace('rename', (disk: Disk, from: string, to: string) => disk.call('rename', to, () => disk.rename(from, to)))
  replace('rm', (disk: Disk, place: string, { force = false }: { force?: boolean } = {}) =>
    disk.call('rm', place, () => {
      if (!force || disk.has(place)) disk.remove(place)
    }),
  )
  replace('unlink', (disk: Disk, place: string) => disk.call('rm', place, () => disk.remove(place)))
  replace('stat', (disk: Disk, place: string) =>
    disk.call('stat', place, () => {
      const { inode, isFolder } = disk.find(place)
      return statOf(inode, isFolder)
    }),
  )
  replace('access', (disk: Disk, place: string) => disk.call('access', place, () => void disk.find(place)))
  replace('statfs', (disk: Disk, place: string) =>
    disk.call('statfs', place, () => ({ bavail: disk.weather.isFull ? 0 : 1e9, bsize: 4096 })),
  )
  replace('readFile', (disk: Disk, place: string, options?: BufferEncoding) =>
    disk.call('read', place, () => textOf(disk.find(place).inode, options)),
  )
  replace('writeFile', (disk: Disk, place: string, bytes: string | Uint8Array) =>
    disk.call('write', place, () => disk.write(disk.open(place, 'w'), Buffer.from(bytes)), 'writes'),
  )
  replace('copyFile', (disk: Disk, from: string, to: string) =>
    disk.call('copy', to, () => disk.write(disk.open(to, 'w'), disk.find(from).inode.bytes), 'writes'),
  )
  installCallbacks()
  installSyncCalls()
  syncBuiltinESMExports()
}

// ── The journal of the database ─────────────────────────────────────────────────────────────────────────────────────

/** Paths of open descriptors, for syncs that are asked for by a number. */
const placesOf = new Map<number, string>()

type Callback = (error: Error | null, result?: unknown) => void

/** What syncs the journal of the database may use them. */
function installCallbacks() {
  const sync = (name: 'fsync' | 'fdatasync') => (fd: number, callback: Callback) => {
    const place = placesOf.get(fd)
    const disk = diskFor(place)
    if (!disk || place === undefined) return real[name](fd, callback)
    disk.call('sync', place, disk.beginSync(place), 'writes').then(() => callback(null), callback)
  }
  Object.assign(fs, { fsync: sync('fsync'), fdatasync: sync('fdatasync') })
}

/** They are made at once, and not at all after a crash. */
function installSyncCalls() {
  const mustLive = (place: unknown) => {
    if (diskFor(place) && present.world?.isCrashed) throw new Crashed(String(place))
  }
  const openSync = (place: fs.PathLike, flags: string | number = 'r', mode?: fs.Mode) => {
    mustLive(place)
    const fd = real.openSync(place, flags, mode)
    if (diskFor(place)) placesOf.set(fd, String(place))
    return fd
  }
  const mkdirSync = (place: string, options?: fs.MakeDirectoryOptions) => {
    mustLive(place)
    const disk = diskFor(place)
    return disk ? disk.makeFolder(place, options?.recursive ?? false) : real.mkdirSync(place, options)
  }
  // No file of a world is mounted alone, and to ask takes as long as ten statements.
  const readFileSync = (place: fs.PathOrFileDescriptor, options?: BufferEncoding) =>
    place === '/proc/self/mountinfo' && present.world ? '' : real.readFileSync(place, options as BufferEncoding)
  const closeSync = (fd: number) => {
    placesOf.delete(fd)
    real.closeSync(fd)
  }
  const syncSync = (name: 'fsyncSync' | 'fdatasyncSync') => (fd: number) => {
    const place = placesOf.get(fd)
    mustLive(place)
    const disk = diskFor(place)
    if (disk && place !== undefined) disk.beginSync(place)()
    else real[name](fd)
  }
  Object.assign(fs, {
    openSync,
    mkdirSync,
    readFileSync,
    closeSync,
    fsyncSync: syncSync('fsyncSync'),
    fdatasyncSync: syncSync('fdatasyncSync'),
  })
}

/** Of what a crash left open. */
export function closeDescriptors() {
  for (const fd of placesOf.keys()) real.closeSync(fd)
  placesOf.clear()
}
