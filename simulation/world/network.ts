/**
 * The network of a world: connections in memory, over which the real client of the program speaks HTTP byte by byte. What it sent is on its
 * way whatever becomes of it; what is sent to it reaches it only while it lives and listens.
 */
import { Duplex } from 'node:stream'
import type { buildConnector } from 'undici'
import type { Chance } from './chance.ts'
import type { World } from './world.ts'

export interface Request {
  method: string
  /** With the host: `http://ark.test/api/v3/images/generations`. */
  url: URL
  headers: Record<string, string>
  body: string
  /** When it left, by the clock of the world. */
  writtenAt: number
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  /** Each piece comes so long after the one before it. */
  pieces: { afterMs: number; bytes: string | Buffer }[]
  /** Where it ends: as it should, or with a connection that breaks or stands still after so many pieces. */
  end?: { how: 'cut' | 'silent'; afterPieces: number }
  /** The head names a length, so a cut body is known as such. */
  hasLength?: boolean
  /** Called with the number of pieces that have come, when a piece reached the program. */
  arrived?(pieces: number): void
}

/** What may happen on the way; each from 0 to 1. */
export interface NetworkWeather {
  refused: number
  silentConnect: number
  lostRequest: number
  lostAnswer: number
  /** The longest way of a message, in milliseconds. */
  maxMs: number
}

export const calmNetwork: NetworkWeather = {
  refused: 0,
  silentConnect: 0,
  lostRequest: 0,
  lostAnswer: 0,
  maxMs: 30,
}

/** Whoever answers at a host. */
export type Host = (request: Request) => Answer

export class Network {
  private readonly world: World
  private readonly chance: Chance
  private readonly hosts = new Map<string, Host>()
  weather: NetworkWeather = calmNetwork
  /** Called when a whole request has left the program, before anything can become of it. */
  onWritten: (request: Request) => void = () => {}

  constructor(world: World, chance: Chance) {
    this.world = world
    this.chance = chance
  }

  serve(host: string, handle: Host) {
    this.hosts.set(host, handle)
  }

  private wayMs() {
    return 0.2 + this.chance.next() ** 2 * this.weather.maxMs
  }

  /** In place of the connector of the program. */
  readonly connect: buildConnector.connector = ({ hostname }, callback) => {
    const { world, chance, weather } = this
    const handle = this.hosts.get(hostname)
    if (chance.happens(weather.silentConnect)) return world.tell(`  connect ${hostname}: silence`)
    const isRefused = !handle || chance.happens(weather.refused)
    world.plan('program', this.wayMs(), `connect ${hostname}${isRefused ? ': refused' : ''}`, () => {
      if (isRefused || !handle)
        callback(Object.assign(new Error(`connect ECONNREFUSED ${hostname}`), { code: 'ECONNREFUSED' }), null)
      else callback(null, new Connection(written => this.exchange(hostname, handle, written)) as never)
    })
  }

  /** A whole request was written. */
  private exchange(host: string, handle: Host, { connection, request }: Written) {
    const { world, chance, weather } = this
    const { life } = world
    if (world.isCrashed) return
    request.writtenAt = world.now
    this.onWritten(request)
    const isHere = () => life === world.life && !world.isCrashed && !connection.destroyed
    const breakOff = (label: string) =>
      world.plan('program', this.wayMs(), `${label} ${host}`, () => {
        if (isHere()) connection.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
      })
    if (chance.happens(weather.lostRequest)) {
      // Before it came, so that nothing was done; who sent it cannot know.
      breakOff('request lost to')
      return
    }
    world.plan('outside', this.wayMs(), `${request.method} ${host}${request.url.pathname}`, () => {
      const answer = handle(request)
      if (chance.happens(weather.lostAnswer)) {
        breakOff('answer lost of')
        return
      }
      this.send(host, answer, connection, isHere, breakOff)
    })
  }

  private send(
    host: string,
    answer: Answer,
    connection: Connection,
    isHere: () => boolean,
    cut: (label: string) => void,
  ) {
    const { world } = this
    const bodies = answer.pieces.map(({ bytes }) => Buffer.from(bytes))
    const length = bodies.reduce((sum, bytes) => sum + bytes.length, 0)
    const isChunked = answer.hasLength === false
    const head = [
      `HTTP/1.1 ${answer.status} ${answer.status < 400 ? 'OK' : 'Refused'}`,
      `date: ${new Date(world.trueMs).toUTCString()}`,
      isChunked ? 'transfer-encoding: chunked' : `content-length: ${length}`,
      ...Object.entries(answer.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ]
    const stop = answer.end?.afterPieces ?? Number.POSITIVE_INFINITY
    let atMs = this.wayMs()
    const give = (afterMs: number, label: string, bytes: Buffer | null, then?: () => void) => {
      atMs += afterMs
      world.plan('program', atMs, label, () => {
        if (!isHere()) return
        connection.push(bytes)
        then?.()
      })
    }
    const frame = (bytes: Buffer) =>
      isChunked ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]) : bytes
    const first = answer.pieces[0]?.afterMs ?? 0
    give(first, `${answer.status} of ${host}`, Buffer.from(`${head.join('\r\n')}\r\n\r\n`))
    for (const [index, bytes] of bodies.entries()) {
      if (index >= stop) break
      const afterMs = index === 0 ? 0.01 : (answer.pieces[index]?.afterMs ?? 0)
      if (bytes.length > 0)
        give(afterMs, `${bytes.length} bytes of ${host}`, frame(bytes), () => answer.arrived?.(index + 1))
    }
    if (stop < bodies.length) {
      if (answer.end?.how === 'cut') world.plan('program', atMs, '', () => cut('cut by'))
      return
    }
    if (isChunked) give(0.01, '', Buffer.from('0\r\n\r\n'))
    give(0.01, '', null)
  }
}

interface Written {
  connection: Connection
  request: Request
}

/** The program's end of a connection. */
class Connection extends Duplex {
  /** A public address, as the client wants it. */
  readonly remoteAddress = '93.184.216.34'
  private written: Buffer[] = []
  private readonly whole: (written: Written) => void

  constructor(whole: (written: Written) => void) {
    super()
    this.whole = whole
  }

  override _read() {}

  override _write(bytes: Buffer, _encoding: string, done: () => void) {
    this.written.push(bytes)
    const request = readRequest(Buffer.concat(this.written))
    if (request) {
      this.written = []
      this.whole({ connection: this, request })
    }
    done()
  }
}

function readRequest(bytes: Buffer): Request | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const body = bytes.subarray(end + 4)
  if (body.length < Number(headers['content-length'] ?? 0)) return undefined
  const [method = '', path = ''] = first.split(' ')
  return { method, url: new URL(path, `http://${headers.host}`), headers, body: body.toString(), writtenAt: 0 }
}
