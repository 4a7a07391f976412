/** Sends what was not sent, follows everything, and saves what comes. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { sweepUnfinished } from '../../client/local-files.ts'
import { collect } from './collect.ts'
import { exitCodes } from './end.ts'
import type { KeptOrder, OrderItem } from './orders.ts'
import { say } from './output.ts'
import type { Price } from './price.ts'
import type { Server } from './server.ts'
import type { OrderTeller } from './tell-order.ts'

export interface Run {
  tell: OrderTeller
  /** Of what is sent now. */
  price?: Price
  /** Collects, and sends nothing that was never sent. */
  isSentOnly?: boolean
  /** A name without ending for the pictures; otherwise each is named after its prompt. */
  name?: string
  ending?: string
  /** May replace files of the same name. */
  isReplaced?: boolean
}

/** Requests that are followed at a time; the server has a queue of its own. */
const maxAtOnce = 6

/** @returns the exit code */
export async function carryOut({ client, tokenMark }: Server, kept: KeptOrder, run: Run): Promise<number> {
  const { tell, price, isSentOnly = false, name, ending, isReplaced = false } = run
  const { items, folder } = kept.order
  const here = items.filter(item => isHere(item, folder))
  const open = items.filter(item => !here.includes(item) && isOpen(item, isSentOnly))
  await sweepUnfinished(folder)
  const stopListening = endOnInterrupt(kept, tell.clear)
  tell.begin({ here, images: price?.images || open.length, price })
  await mapAtOnce(open, async item => {
    try {
      const parts = { client, tokenMark, name, ending, isReplaced, onChange: tell.change, onSaved: tell.saved }
      tell.ended(await collect(kept, item, parts))
    } catch (error) {
      tell.failed(item, error)
    }
  })
  tell.clear()
  stopListening()
  // As the last thing of all: whoever is killed before has not seen the end, and the same command must not be a new order.
  if (isSettled(items)) process.once('exit', kept.forget)
  return tell.conclude(kept.order, isSentOnly)
}

/** Its pictures were saved where they are wanted now, and are still there. */
function isHere({ state, files }: OrderItem, folder: string) {
  return state === 'collected' && files.every(file => path.dirname(file) === folder && existsSync(file))
}

/** Pictures that were saved elsewhere, or are gone, are fetched again, which costs nothing. */
function isOpen({ state }: OrderItem, isSentOnly: boolean) {
  return state === 'sent' || state === 'collected' || (state === 'planned' && !isSentOnly)
}

/** All of it is here, or nothing of it was made: the same command is a new order. */
function isSettled(items: readonly OrderItem[]) {
  return (
    items.every(({ state }) => state === 'collected') ||
    items.every(({ state }) => state === 'planned' || state === 'failed')
  )
}

/** What is at the server goes on there; everything that is needed to collect it is on the disk already. */
function endOnInterrupt({ order }: KeptOrder, clear: () => void) {
  function end() {
    clear()
    const underWay = order.items.filter(({ state }) => state === 'sent')
    const ids = underWay.flatMap(({ generation_id: id }) => id ?? []).join(' ') || 'ID'
    say(
      underWay.length > 0
        ? `Stopped here. What was asked for goes on at the server, and is charged. The same command, or \`webimgui resume\`, collects it, and nothing is paid twice. What is not under way yet is stopped by \`webimgui cancel ${ids}\`.\n已停止等待。已提交的请求会在服务器继续并照常收费。重新执行同一命令或运行 webimgui resume 即可取回，不会重复付费；webimgui cancel ${ids} 可取消尚未开始的部分。`
        : 'Stopped here. Nothing is under way. 已停止，没有进行中的请求。',
    )
    process.exit(exitCodes.interrupted)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end)
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
  }
}

/** The results in the order of the items; a few are worked on at a time. */
export async function mapAtOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const entries = items.entries()
  await Promise.all(
    Array.from({ length: Math.min(maxAtOnce, items.length) }, async () => {
      for (const [index, item] of entries) results[index] = await work(item)
    }),
  )
  return results
}
