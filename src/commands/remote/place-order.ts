/** An order from its price to its pictures: what `generate`, `edit` and `retry` do. */
import { existsSync } from 'node:fs'
import type { Estimate } from '../../api/estimate.ts'
import { newKey } from '../../client/client.ts'
import { carryOut, mapAtOnce } from './carry-out.ts'
import { openOutputFolder, readDestination } from './destination.ts'
import { exitCodes, Refusal } from './end.ts'
import { createOrders, fingerprint, isFresh, type KeptOrder, type Order, type OrderItem } from './orders.ts'
import { addEstimates, checkMaxCost, type Price } from './price.ts'
import type { Server } from './server.ts'
import { createTeller, type OrderTeller } from './tell-order.ts'

/** As given behind the word. */
export interface OrderOptions {
  out?: string
  json?: boolean
  'dry-run'?: boolean
  'max-cost'?: string
  again?: boolean
  overwrite?: boolean
}

export interface Wanted {
  /** What makes two commands the same; everything that the pictures depend on. */
  sameness: unknown
  requests: { prompt: string; path: string }[]
  /** In the order of `requests`. Uploads what has to be at the server first, which is free. */
  prepareBodies(): Promise<object[]>
  estimate(index: number, body: object): Promise<Estimate>
}

/** @returns the exit code */
export async function placeOrder(server: Server, wanted: Wanted, options: OrderOptions): Promise<number> {
  const { folder, file, name, ending } = readDestination(options.out ?? '.', wanted.requests.length)
  const orders = createOrders(server.folder)
  const same = fingerprint([server.url, wanted.sameness])
  const found = options.again ? undefined : orders.find(same)
  if (!found && !options.overwrite && file !== undefined && existsSync(file)) {
    throw new Refusal(
      `${file} exists already. Give another name, or --overwrite. Nothing was sent.`,
      `${file} 已存在。请换一个文件名，或使用 --overwrite。未发送任何请求。`,
    )
  }
  const tell = createTeller(options)
  if (found) tell.found(found.order)
  const { toSend, bodies, price } = await prepare(wanted, found, options, tell)
  if (options['dry-run']) return exitCodes.done
  await openOutputFolder(folder)

  const id = options.again ? fingerprint([same, newKey()]) : same
  const kept = found ?? orders.begin(id, plan(server, wanted, bodies))
  kept.order.folder = folder
  if (found) for (const index of toSend) renew(kept.order.items[index], bodies[index])
  kept.keep()
  return carryOut(server, kept, { tell, price, name, ending, isReplaced: options.overwrite })
}

/** What is to be sent, with its price, which is told and kept under the cap. */
async function prepare(wanted: Wanted, found: KeptOrder | undefined, options: OrderOptions, tell: OrderTeller) {
  const toSend = wanted.requests.flatMap((_, index) => (isToBeSent(found?.order.items[index]) ? [index] : []))
  if (toSend.length === 0) return { toSend, bodies: [], price: undefined }
  // Two commands at a time send the same.
  const isReady = found !== undefined && isFresh(found.order)
  const bodies = isReady ? found.order.items.map(({ body }) => body) : await wanted.prepareBodies()
  const estimates = await mapAtOnce(toSend, index => wanted.estimate(index, bodies[index] ?? {}))
  const price: Price = addEstimates(estimates)
  tell.price(estimates, price, options['dry-run'] ?? false)
  if (options['max-cost'] !== undefined) checkMaxCost(options['max-cost'], price)
  return { toSend, bodies, price }
}

function isToBeSent(item: OrderItem | undefined) {
  return item === undefined || item.state === 'planned' || item.state === 'failed'
}

function plan({ url }: Server, { requests }: Wanted, bodies: object[]): Order {
  return {
    server: url,
    made_at: new Date().toISOString(),
    folder: '',
    items: requests.map(({ prompt, path }, index) => ({
      prompt,
      path,
      body: bodies[index] ?? {},
      key: newKey(),
      state: 'planned',
      token_mark: '',
      sent_at: null,
      generation_id: null,
      files: [],
    })),
  }
}

/** One that failed without a charge is asked for anew. Its next key follows from the last one, so that two commands at a time have the same. */
function renew(item: OrderItem | undefined, body: object | undefined) {
  if (!item) return
  item.body = body ?? item.body
  if (item.state !== 'failed') return
  Object.assign(item, { key: fingerprint([item.key]), state: 'planned', sent_at: null, generation_id: null, files: [] })
}
