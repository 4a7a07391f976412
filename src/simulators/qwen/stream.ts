/** Text and pictures between, as the events of one answer. */
import type { Exchange } from '../exchange.ts'
import { deliver, type Fault, isLate } from '../faults.ts'
import { innerFailure, type QwenOutcome, urlsOf, usageOf, withStory } from './answers.ts'
import type { QwenJob } from './requests.ts'

export async function streamStory(
  exchange: Exchange,
  job: QwenJob,
  outcome: QwenOutcome,
  fault: Fault | undefined,
): Promise<void> {
  const { requestId, response } = exchange
  const isCutBetween = fault?.kind === 'cut' && fault.after === 'n-events'
  if (isLate(fault) && !isCutBetween) return deliver(exchange, fault, { request_id: requestId, output: {} })
  const how = fault?.kind === 'stream' ? fault.how : undefined
  exchange.begin(200, {
    ...exchange.wording.headersOf(exchange),
    'content-type': 'text/event-stream;charset=UTF-8',
  })
  const events = storyEvents(job, outcome, requestId)
  for (const [index, event] of events.entries()) {
    if (isCutBetween && index === (fault.n ?? 1)) return exchange.cutLater()
    if (how === 'no-completed' && index === events.length - 1) break
    const isBroken = how === 'error-event' && index === 2
    const text = isBroken
      ? eventText(index, 'error', 500, { ...innerFailure, request_id: requestId })
      : eventText(index, 'result', 200, event)
    await (how === 'split-chunks' ? exchange.writeSplit(text) : exchange.write(text))
    if (isBroken) break
  }
  response.end()
}

function eventText(index: number, name: string, status: number, data: object): string {
  return `id:${index + 1}\nevent:${name}\n:HTTP_STATUS/${status}\ndata:${JSON.stringify(data)}\n\n`
}

/** The events of interleaved text and pictures; each is the `data` of one. */
function storyEvents(job: QwenJob, outcome: QwenOutcome, requestId: string): object[] {
  const urls = urlsOf(outcome)
  const steps = withStory(job, urls).map(item => ({
    output: {
      choices: [{ message: { role: 'assistant', content: [item] }, finish_reason: 'null' }],
      finished: false,
    },
    request_id: requestId,
  }))
  const last = {
    output: { choices: [{ message: { role: 'assistant', content: [] }, finish_reason: 'stop' }], finished: true },
    usage: usageOf(job, urls.length),
    request_id: requestId,
  }
  return [...steps, last]
}
