/** What the services know to be true: every paid request that reached them, what they made for it, and what they billed. */
import { createHash } from 'node:crypto'
import type { Chance } from '../world/chance.ts'
import type { Answer, Network, Request } from '../world/network.ts'
import type { World } from '../world/world.ts'

export interface MadePicture {
  url: string
  bytes: Buffer
  sha256: string
  /** By the true clock. */
  expiresAt: number
  /** It can never be had: it is broken where it lies, or its address died before it was fetched whole. */
  isOutOfReach: boolean
  /** Tries that fail before one succeeds. */
  faults: PictureFault[]
}

export type PictureFault = 'missing' | 'fault' | 'cut' | 'page' | 'silent' | 'short'

/** What comes of a picture where its download breaks. */
export const halfOf = ({ bytes }: MadePicture) => bytes.subarray(0, bytes.length >> 1)

/** One request that could cost money and reached its service. */
export interface Exchange {
  number: number
  service: 'ark' | 'dashscope' | 'openai'
  /** Which order it is for, as its prompt tells. */
  order: string
  /** Our id of the call, where the service is told it. */
  callId: string | undefined
  life: number
  /** By the clock of the world. */
  writtenAt: number
  pictures: MadePicture[]
  /** Nothing was billed where it is 0. */
  billed: number
  /** Of a task. */
  task: Task | undefined
  /** What it is told leaves no doubt that it made all pictures. */
  isClear: boolean
  /** Pictures that are named in what has reached the program, and when they did: -1 for those that have not. */
  named: number[]
  /** When the last byte reached the program; undefined when it did not. */
  wholeAt: number | undefined
  /** In which life of the program. */
  wholeIn: number
}

export interface Task {
  id: string
  model: string
  route: string
  prompt: string
  size: string
  /** By the true clock. */
  submittedAt: number
  startsAt: number
  endsAt: number
  end: 'made' | 'failed'
  isCancelled: boolean
  /** Its id reached the program. */
  toldAt: number | undefined
  toldIn: number
}

/** How often something goes wrong at a service, from 0 to 1. */
export interface ServiceWeather {
  /** It is slow to answer: up to so many milliseconds. */
  maxMs: number
  /** 429, 503 and the like: it says that it made nothing, and that is so. */
  refusal: number
  /** 500, 502, 504: it may have made something. */
  fault: number
  /** The connection ends, or stands still, in the middle of an answer. */
  cut: number
  /** It holds more, less or other pictures than were asked for, or says so. */
  lie: number
  /** A picture cannot be fetched at once. */
  picture: number
  /** How long addresses live. */
  lifeMs: number
}

export const calmService: ServiceWeather = {
  maxMs: 20_000,
  refusal: 0,
  fault: 0,
  cut: 0,
  lie: 0,
  picture: 0,
  lifeMs: 24 * 3600_000,
}

export class Books {
  readonly world: World
  readonly chance: Chance
  readonly network: Network
  readonly exchanges: Exchange[] = []
  readonly pictures = new Map<string, MadePicture>()
  /** Hashes of pictures that another program made with the same account. */
  readonly foreign = new Set<string>()
  weather: ServiceWeather = calmService

  constructor(world: World, chance: Chance, network: Network) {
    this.world = world
    this.chance = chance
    this.network = network
    network.serve('files.test', request => this.giveOut(request))
  }

  open(service: Exchange['service'], order: string, request: Request): Exchange {
    const exchange = this.describe(service, order, request)
    this.exchanges.push(exchange)
    return exchange
  }

  /** One that is not among our own. */
  describe(service: Exchange['service'], order: string, { headers, writtenAt }: Request): Exchange {
    return {
      number: this.exchanges.length + 1,
      service,
      order,
      callId: headers['x-client-request-id'],
      life: this.world.life,
      writtenAt,
      pictures: [],
      billed: 0,
      task: undefined,
      isClear: false,
      named: [],
      wholeAt: undefined,
      wholeIn: 0,
    }
  }

  make(exchange: Exchange, count: number, options: { width?: number; height?: number } = {}) {
    for (let index = 0; index < count; index++) {
      const bytes = drawBitmap(this.chance, options.width ?? 2, options.height ?? 2)
      const expiresAt = this.world.trueMs + this.weather.lifeMs
      const url = `http://files.test/${exchange.number}-${exchange.pictures.length}.bmp?Expires=${Math.floor(expiresAt / 1000)}`
      const picture: MadePicture = {
        url,
        bytes,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        expiresAt,
        isOutOfReach: false,
        faults: [],
      }
      if (this.chance.happens(this.weather.picture)) {
        const fault = this.chance.pick<PictureFault>(['missing', 'fault', 'cut', 'page', 'silent', 'short'])
        picture.faults = Array.from({ length: 1 + this.chance.below(4) }, () => fault)
      }
      exchange.pictures.push(picture)
      exchange.named.push(-1)
      this.pictures.set(url, picture)
    }
    exchange.billed = exchange.pictures.length
    this.world.tell(`  billed ${exchange.billed} to ${exchange.order} (request ${exchange.number})`)
  }

  /** Tells the books when an answer, or so many pieces of it, came. */
  watch(exchange: Exchange, answer: Answer, picturesBy: (pieces: number) => number): Answer {
    return {
      ...answer,
      arrived: pieces => {
        const { now, life } = this.world
        for (let index = 0; index < picturesBy(pieces); index++) {
          if (exchange.named[index] === -1) exchange.named[index] = now
        }
        if (pieces < answer.pieces.length) return
        exchange.wholeAt = now
        exchange.wholeIn = life
      },
    }
  }

  /** In some pieces, after some time; it may break off. */
  answer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
    const { chance, weather } = this
    const text = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const cuts = Array.from({ length: chance.below(4) }, () => chance.below(text.length)).sort((a, b) => a - b)
    const ends = [...new Set([...cuts, text.length])].filter(end => end > 0)
    const pieces = ends.map((end, index) => ({
      afterMs: index === 0 ? chance.next() ** 2 * weather.maxMs : chance.next() * 20,
      bytes: text.subarray(ends[index - 1] ?? 0, end),
    }))
    const isCut = chance.happens(weather.cut)
    return {
      status,
      headers: { 'content-type': 'application/json', ...headers },
      pieces,
      hasLength: chance.happens(0.7),
      end: isCut ? { how: chance.pick(['cut', 'cut', 'silent']), afterPieces: chance.below(pieces.length) } : undefined,
    }
  }

  private giveOut(request: Request): Answer {
    const { world, chance } = this
    const picture = this.pictures.get(request.url.href)
    const answer = (status: number, body: string | Buffer, type: string): Answer => ({
      status,
      headers: { 'content-type': type },
      pieces: [{ afterMs: chance.next() * 50, bytes: body }],
    })
    if (!picture) return answer(404, 'There is no such file.', 'text/plain')
    if (world.trueMs >= picture.expiresAt) {
      picture.isOutOfReach = true
      return answer(403, '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>', 'text/xml')
    }
    const fault = picture.faults.shift()
    const half = halfOf(picture)
    switch (fault) {
      case 'missing':
        return answer(404, 'not there yet', 'text/plain')
      case 'fault':
        return answer(503, 'busy', 'text/plain')
      case 'page':
        return answer(200, '<!doctype html><title>a proxy</title><p>Please log in.', 'text/html')
      case 'short':
        return answer(200, half, 'image/bmp')
      case 'cut':
      case 'silent': {
        const pieces = [half, picture.bytes.subarray(half.length)].map(bytes => ({ afterMs: 1, bytes }))
        return { status: 200, pieces, end: { how: fault, afterPieces: 1 } }
      }
      default:
        return answer(200, picture.bytes, 'image/bmp')
    }
  }
}

/** Whole, and unlike every other one. */
function drawBitmap(chance: Chance, width: number, height: number): Buffer {
  const row = Math.ceil((width * 3) / 4) * 4
  const bytes = Buffer.alloc(54 + row * height)
  bytes.write('BM', 0, 'latin1')
  bytes.writeUInt32LE(bytes.length, 2)
  bytes.writeUInt32LE(54, 10)
  bytes.writeUInt32LE(40, 14)
  bytes.writeInt32LE(width, 18)
  bytes.writeInt32LE(height, 22)
  bytes.writeUInt16LE(1, 26)
  bytes.writeUInt16LE(24, 28)
  chance.bytes(Math.min(16, row * height)).copy(bytes, 54)
  return bytes
}
