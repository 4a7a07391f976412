/** An order from its price to its pictures: what `generate`, `edit`, `retry` and `resume` do. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Estimate } from '../../api/estimate.ts'
import type { Generation } from '../../api/generations.ts'
import { newKey } from '../../client/client.ts'
import { sweepUnfinished } from '../../client/local-files.ts'
import { collect } from './collect.ts'
import { readDestination } from './destination.ts'
import { describeError, exitCodeOf, exitCodes, Refusal } from './end.ts'
import { createOrders, fingerprint, isFresh, type KeptOrder, type Order, type OrderItem } from './orders.ts'
import { brief, plain, print, printJson, say, spellMoney } from './output.ts'
import { addEstimates, checkMaxCost, createSpending, describePrice, type Price } from './price.ts'
import { createProgress } from './progress.ts'
import type { Server } from './server.ts'

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

/** Requests that are followed at a time; the server has a queue of its own. */
const maxAtOnce = 6

/** @returns the exit code */
export async function placeOrder(server: Server, wanted: Wanted, options: OrderOptions): Promise<number> {
  const destination = readDestination(options.out ?? '.', wanted.requests.length)
  const orders = createOrders(server.folder)
  const same = fingerprint([server.url, wanted.sameness])
  const found = options.again ? undefined : orders.find(same)
  if (!found && !options.overwrite && destination.file !== undefined && existsSync(destination.file)) {
    throw new Refusal(
      `${destination.file} exists already. Give another name, or --overwrite. Nothing was sent.`,
      `${destination.file} 已存在。请换一个文件名，或使用 --overwrite。未发送任何请求。`,
    )
  }
  if (found && !options.json) sayFound(found.order)

  const toSend = wanted.requests.flatMap((_, index) => (isToBeSent(found?.order.items[index]) ? [index] : []))
  let price: Price | undefined
  let bodies: object[] = []
  if (toSend.length > 0) {
    // Two commands at a time send the same.
    const isReady = found !== undefined && isFresh(found.order)
    bodies = isReady ? found.order.items.map(({ body }) => body) : await wanted.prepareBodies()
    const estimates = await mapAtOnce(toSend, index => wanted.estimate(index, bodies[index] ?? {}))
    price = addEstimates(estimates)
    tellPrice(estimates, price, options)
    if (options['max-cost'] !== undefined) checkMaxCost(options['max-cost'], price)
  }
  if (options['dry-run']) return exitCodes.done

  const kept = found ?? orders.begin(options.again ? fingerprint([same, newKey()]) : same, plan(server, wanted, bodies))
  kept.order.folder = destination.folder
  if (found) for (const index of toSend) renew(kept.order.items[index], bodies[index])
  kept.keep()
  return carryOut(server, kept, { ...options, price, name: destination.name, ending: destination.ending })
}

function isToBeSent(item: OrderItem | undefined) {
  return item === undefined || item.state === 'planned' || item.state === 'failed'
}

function plan(server: Server, { requests }: Wanted, bodies: object[]): Order {
  return {
    server: server.url,
    token_mark: server.tokenMark,
    made_at: new Date().toISOString(),
    folder: '',
    items: requests.map(({ prompt, path }, index) => ({
      prompt,
      path,
      body: bodies[index] ?? {},
      key: newKey(),
      state: 'planned',
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

interface Run extends OrderOptions {
  price?: Price
  /** Collects, and sends nothing that was never sent. */
  isSentOnly?: boolean
  name?: string
  ending?: string
}

/** Sends what was not sent, follows everything, and tells how it ended. @returns the exit code */
export async function carryOut(server: Server, kept: KeptOrder, run: Run): Promise<number> {
  const { items } = kept.order
  const here = items.filter(item => isHere(item, kept.order.folder))
  const open = items.filter(item => isOpen(item, run.isSentOnly ?? false) && !here.includes(item))
  if (!run.json) for (const file of here.flatMap(({ files }) => files)) print(file)
  await sweepUnfinished(kept.order.folder)
  const spending = createSpending()
  const progress = createProgress({ isWanted: !run.json })
  const ended: Generation[] = []
  const errors: unknown[] = []
  const waits = new Set<string>()
  const stopListening = endOnInterrupt(kept, progress.end)
  const showProgress = () => {
    const all = run.price && run.price.images > 0 ? run.price.images : open.length
    progress.show(spending.saved(), Math.max(all, spending.saved()), describeSpent(spending.spent(), run.price))
  }
  showProgress()
  await mapAtOnce(open, async item => {
    try {
      const generation = await collect(kept, item, {
        client: server.client,
        tokenMark: server.tokenMark,
        name: run.name,
        ending: run.ending,
        isReplaced: run.overwrite ?? false,
        onChange(generation) {
          spending.note(generation)
          showProgress()
          if (run.json || !generation.waiting || waits.has(generation.waiting)) return
          waits.add(generation.waiting)
          progress.above(() => say(plain(generation.waiting ?? '')))
        },
        onSaved(image, file, generation) {
          if (run.json) {
            const { id, width, height, bytes, mime_type, sha256 } = image
            printJson({
              event: 'saved',
              generation_id: generation.id,
              image_id: id,
              file,
              width,
              height,
              bytes,
              mime_type,
              sha256,
            })
          } else {
            progress.above(() => print(file))
            showProgress()
          }
        },
      })
      ended.push(generation)
      progress.above(() => tellEnd(generation, run))
    } catch (error) {
      errors.push(error)
      if (run.json)
        printJson({
          event: 'error',
          prompt: item.prompt,
          generation_id: item.generation_id,
          detail: describeError(error),
        })
      else progress.above(() => say(`${brief(item.prompt, 60)}: ${describeError(error)}`))
    }
  })
  progress.end()
  stopListening()
  // As the last thing of all: whoever is killed before has not seen the end, and the same command must not be a new order.
  if (isSettled(items)) process.once('exit', kept.forget)
  return conclude(kept, { run, ended, errors, spent: spending.spent() })
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

function conclude(
  { order }: KeptOrder,
  {
    run,
    ended,
    errors,
    spent,
  }: { run: Run; ended: Generation[]; errors: unknown[]; spent: { amount: number; currency: string }[] },
): number {
  const files = order.items.flatMap(item => item.files)
  const unclear = order.items.filter(({ state }) => state === 'unclear')
  const incomplete = ended.filter(({ images, failures }) => images.length === 0 || failures.length > 0)
  const isUnderWay = order.items.some(({ state }) => state === 'sent')
  const unsent = run.isSentOnly ? order.items.filter(({ state }) => state === 'planned').length : 0
  const code = chooseCode()
  if (run.json) {
    printJson({
      event: 'summary',
      files,
      spent,
      missing: incomplete.map(({ id }) => id),
      unfinished: isUnderWay,
      exit_code: code,
    })
    return code
  }
  say(
    `${files.length} ${files.length === 1 ? 'picture' : 'pictures'} 张图片, ${spent.map(spellMoney).join(' + ') || '0'}`,
  )
  for (const { prompt, generation_id: id } of unclear) {
    say(
      `"${brief(prompt, 60)}" may have been paid for, so it is not asked for again. Look at the service's usage page; then \`webimgui retry ${id}\`, or --again. 可能已被收费，不会自动重试；请先查看服务商的用量页面，再用 webimgui retry ${id} 或 --again。`,
    )
  }
  const partly = incomplete.filter(({ images }) => images.length > 0)
  if (partly.length > 0) {
    say(`What is missing alone 只补缺失的图片: webimgui retry ${partly.map(({ id }) => id).join(' ')}`)
  }
  if (unsent > 0)
    say(
      `${unsent} of it was never sent; the same command asks for it. 另有 ${unsent} 条从未发送，重新执行同一命令即可。`,
    )
  if (isUnderWay)
    say(
      'The rest goes on at the server; the same command, or `webimgui resume`, collects it. 其余部分仍在服务器进行，重新执行同一命令或运行 webimgui resume 即可取回。',
    )
  return code

  function chooseCode() {
    const hasPictures = files.length > 0
    if (errors.some(error => exitCodeOf(error) === exitCodes.unreachable)) return exitCodes.unreachable
    if (isUnderWay || unsent > 0) return exitCodes.unfinished
    if (incomplete.length > 0 || unclear.length > 0) return exitCodes.missing
    if (errors.length > 0) return hasPictures ? exitCodes.missing : exitCodeOf(errors[0])
    return exitCodes.done
  }
}

function tellEnd(generation: Generation, run: Run) {
  if (run.json) {
    printJson({ event: 'ended', generation })
    return
  }
  const { error, failures, warnings, advice, prompt, images } = generation
  for (const { message } of warnings) say(plain(message))
  if (error) say(`${brief(prompt, 60)}: ${plain(error.message)} (${error.code})`)
  else if (failures.length > 0) {
    const reasons = [...new Set(failures.map(({ message }) => plain(message)))]
    say(`${brief(prompt, 60)}: ${images.length} of ${images.length + failures.length}. ${reasons.join(' ')}`)
  }
  if (advice) say(`${advice.en} ${advice.zh}`)
}

function tellPrice(estimates: readonly Estimate[], price: Price, { json, 'dry-run': isDryRun }: OrderOptions) {
  if (json) {
    printJson({
      event: 'estimate',
      images: price.images,
      costs: price.costs,
      unpriced: price.unpriced,
      requests: estimates,
    })
    return
  }
  const warnings = new Set(estimates.flatMap(({ warnings }) => warnings.map(({ message }) => plain(message))))
  for (const warning of warnings) say(warning)
  const text = describePrice(price)
  if (!isDryRun) say(text)
  else {
    print(text)
    for (const reason of new Set(estimates.flatMap(({ reasons }) => reasons))) say(plain(reason))
  }
}

function sayFound({ made_at: madeAt, items }: Order) {
  const at = new Date(madeAt).toLocaleString('sv-SE')
  const here = items.filter(({ state }) => state === 'collected').length
  const [done, doneZh] =
    items.length > 1 ? [` ${here} of ${items.length} are here.`, `已取回 ${here}/${items.length}。`] : ['', '']
  say(
    `The same was asked for at ${at}; what was made or is being made is not paid for again.${done} --again orders anew.\n${at} 已提交过相同的请求，已生成和生成中的部分不会重复付费。${doneZh}--again 重新下单。`,
  )
}

function describeSpent(spent: readonly { amount: number; currency: string }[], price: Price | undefined) {
  const max = price?.costs.map(({ max, currency }) => spellMoney({ amount: max, currency })).join(' + ')
  return `${spent.map(spellMoney).join(' + ') || '0'}${max ? ` / ≤ ${max}` : ''}`
}

async function mapAtOnce<Item, Result>(
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
