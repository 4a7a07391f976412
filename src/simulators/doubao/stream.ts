/** An order as events: one for each picture as it is finished, then the usage and the end. */
import type { Exchange } from '../exchange.ts'
import { deliver, type Fault, isLate } from '../faults.ts'
import { echoOf, type Item, innerFailure, type Job, outputBlocked, toolsOf, usageOf } from './answers.ts'

export async function streamAnswer(
  exchange: Exchange,
  job: Job,
  parts: {
    fault: Fault | undefined
    timeScale: number
    bill: (item: Item) => void
    describe: (item: Item) => Promise<object>
  },
): Promise<void> {
  const { fault, bill } = parts
  const { response } = exchange
  const how = fault?.kind === 'stream' ? fault.how : undefined
  const items: Item[] = how === 'partial-failed-first' ? [{ index: 0, error: outputBlocked }] : job.items
  const takeSeconds = (seconds: number) => exchange.wait(seconds * 1000 * parts.timeScale)

  if (isLate(fault) && fault?.kind !== 'cut') {
    await takeSeconds(job.secondsFirst)
    items.forEach(bill)
    return deliver(exchange, fault, {})
  }
  if (fault?.kind === 'all-refused' && fault.form === 'top-level') {
    await takeSeconds(job.secondsFirst)
    await send(`data: ${JSON.stringify({ error: outputBlocked })}\n\n`)
    return void response.end()
  }
  const cut = fault?.kind === 'cut' ? fault : undefined
  const eventsBeforeCut = cut?.after === 'n-events' ? (cut.n ?? 1) : cut?.after === 'half-body' ? 1 : cut ? 0 : Infinity
  for (const [position, item] of items.entries()) {
    await takeSeconds(position === 0 ? job.secondsFirst : job.secondsFurther)
    bill(item)
    if (position < eventsBeforeCut) await send(await eventFor(item))
    if (position + 1 >= eventsBeforeCut) {
      // The service goes on without its client.
      const others = items.slice(position + 1)
      others.forEach(bill)
      return cutStream(others[0])
    }
    if (how === 'split-chunks' && position === 0) {
      // An event that no client knows, to be passed over; its characters have three bytes, for the pieces to fall inside them.
      await send(frame('image_generation.notice', { message: '图片正在生成,请稍候' }))
    }
    if (how === 'error-event') {
      await send(`event: error\ndata: ${JSON.stringify({ error: innerFailure })}\n\n`)
      return void response.end()
    }
  }
  if (how === 'no-completed' || how === 'partial-failed-first') {
    begin()
    return void response.end()
  }
  await send(completed())
  if (cut) return exchange.cutLater()
  await send('data: [DONE]\n\n')
  response.end()

  function begin(): void {
    exchange.begin(200, {
      ...exchange.wording.headersOf(exchange),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    })
  }

  async function send(text: string): Promise<void> {
    begin()
    if (how === 'split-chunks') await exchange.writeSplit(text)
    else await exchange.write(text)
  }

  async function eventFor(item: Item): Promise<string> {
    const type = `image_generation.partial_${'image' in item ? 'succeeded' : 'failed'}`
    return frame(type, { ...echoOf(job, true), image_index: item.index, ...(await parts.describe(item)) })
  }

  function completed(): string {
    const usage = usageOf(job, job.order.tools !== undefined)
    return frame('image_generation.completed', { ...echoOf(job, true), usage, ...toolsOf(job) })
  }

  async function cutStream(next: Item | undefined): Promise<void> {
    if (cut?.after === 'request') return exchange.cut()
    begin()
    response.flushHeaders()
    if (cut?.after === 'half-body') {
      const event = next ? await eventFor(next) : completed()
      await exchange.write(event.slice(0, Math.ceil(event.length / 2)))
    }
    await exchange.cutLater()
  }
}

function frame(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
}
