/**
 * Orders that are not collected yet. What a command asks for is written down, with the key of each request, before the request leaves: so
 * the same command, given again after whatever ended it, collects what was asked for instead of asking again.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { SentenceError } from '../../operator/sentence-error.ts'
import { writeNewFile } from '../../operator/text-file.ts'
import { writePrivateFile } from './logins.ts'

export interface Order {
  server: string
  made_at: string
  /** Where the pictures go, absolute. */
  folder: string
  items: OrderItem[]
}

/** One request. */
export interface OrderItem {
  prompt: string
  /** Where it is sent, relative to the server. */
  path: string
  body: object
  key: string
  /**
   * `planned`: never sent. `sent`: it may have reached the server; only its key may ask again. `collected`: its pictures are here.
   * `failed`: it made nothing and was not paid for. `unclear`: it made nothing and may have been paid for.
   */
  state: 'planned' | 'sent' | 'collected' | 'failed' | 'unclear'
  /** Of the token that asked: to the server, a key under another token is another key. */
  token_mark: string
  sent_at: string | null
  generation_id: string | null
  files: string[]
}

/** The server remembers keys for 48 hours at least; a key that it forgot would be paid for again. */
const keysLiveMs = 47 * 3600 * 1000

/** The server sweeps references that nothing uses after a day. */
const referencesLiveMs = 20 * 3600 * 1000

export interface KeptOrder {
  id: string
  order: Order
  /** Writes its present state down. */
  keep(): void
  forget(): void
}

/** Names what was asked for: the same command gives the same. */
export function fingerprint(request: unknown): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 32)
}

/** May this request be sent with its key, again or for the first time? */
export function mayBeSent({ state, sent_at: sentAt }: OrderItem): boolean {
  return state !== 'sent' || sentAt === null || Math.abs(Date.now() - Date.parse(sentAt)) < keysLiveMs
}

/** May the requests that were written down still be sent as they stand? */
export function isFresh({ made_at: madeAt }: Order): boolean {
  return Math.abs(Date.now() - Date.parse(madeAt)) < referencesLiveMs
}

export function createOrders(configurationFolder: string) {
  const folder = path.join(configurationFolder, 'orders')

  function fileOf(id: string) {
    return path.join(folder, `${id}.json`)
  }

  function find(id: string): KeptOrder | undefined {
    const file = fileOf(id)
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
    const kept = toKept(id, parseOrder(text, file))
    if (!isOver(kept.order)) return kept
    kept.forget()
    return undefined
  }

  function toKept(id: string, order: Order): KeptOrder {
    return {
      id,
      order,
      keep: () => writePrivateFile(fileOf(id), `${JSON.stringify(order)}\n`),
      forget: () => rmSync(fileOf(id), { force: true }),
    }
  }

  /** Removes what a killed process left half written. */
  function sweep() {
    for (const name of readdirSync(folder).filter(name => /\.json\.[0-9a-f]{12}$/.test(name))) {
      const file = path.join(folder, name)
      const { mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() }
      if (Date.now() - mtimeMs > 3600 * 1000) rmSync(file, { force: true })
    }
  }

  return {
    find,

    /** Two commands that begin at the same time get the same order. */
    begin(id: string, order: Order): KeptOrder {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      sweep()
      if (writeNewFile(fileOf(id), JSON.stringify(order))) return toKept(id, order)
      return find(id) ?? this.begin(id, order)
    },

    /** The oldest first. */
    list(): KeptOrder[] {
      let names: string[]
      try {
        names = readdirSync(folder)
      } catch {
        return []
      }
      return names
        .flatMap(name => find(/^([0-9a-f]{32})\.json$/.exec(name)?.[1] ?? '') ?? [])
        .sort((one, other) => one.order.made_at.localeCompare(other.order.made_at))
    },
  }
}

/** What is left of it is no longer worth keeping: nothing of it is under way, and it is from another day. */
function isOver({ items, made_at: madeAt }: Order) {
  return items.every(({ state }) => state !== 'sent') && Math.abs(Date.now() - Date.parse(madeAt)) >= keysLiveMs
}

function parseOrder(text: string, file: string): Order {
  try {
    const order = JSON.parse(text) as Order
    if (Array.isArray(order.items)) return order
  } catch {
    // Told below.
  }
  throw new SentenceError(
    `${file} is damaged, so it is not known what was asked for. Look with \`webimgui history\`, then delete the file.`,
    `${file} 已损坏，无法得知请求了什么。请先用 webimgui history 查看，再删除该文件。`,
  )
}
