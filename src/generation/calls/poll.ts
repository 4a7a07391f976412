/** Polls a task once. A large answer goes to disk as it arrives, like that of an exchange. */
import type { Http } from '../../outgoing/http.ts'
import type { Context, Polled, Task } from '../../providers/provider.ts'
import { type AnswerHead, measureHead } from '../../storage/answers.ts'
import { AnswerWriter } from './answer-writer.ts'
import { largestInRow } from './keep-answer.ts'
import { findProvider, type OpenCall, observeExchange, throwIfStopping } from './open.ts'
import { retryUntilStored } from './until-stored.ts'

/** `file` holds the answer that ended the task, if it is too large for a row. */
export async function poll(call: OpenCall, task: Task, context: Context): Promise<{ polled: Polled; file?: string }> {
  const { stopping, answers } = call.parts
  const began = performance.now()
  let code = 'broken_off'
  let keeper: AnswerWriter | undefined
  const http: Http = {
    async request(request) {
      await forget()
      let head: AnswerHead = { status: 200, complete: true }
      const response = await context.http.request({
        ...request,
        through: pieces => {
          keeper = createKeeper(call, head)
          return keeper.through(pieces, measureHead(head))
        },
      })
      const { status, headers } = response
      head = { status, contentType: headers['content-type'], requestId: headers['x-request-id'], complete: true }
      return response
    },
  }
  try {
    const provider = findProvider(call)
    const polled = await provider.poll!(task, { ...context, http, signal: stopping })
    code = polled.state === 'unsure' ? 'unsure' : 'ok'
    if (polled.state !== 'ended' || !keeper?.needsFile) return { polled }
    // A file with its name is the answer of the call, whatever happens next.
    if (call.record.wasFound && provider.isOwnTask?.(polled.answer, call.record) === false) return { polled }
    return { polled, file: await keeper.finish() }
  } catch (error) {
    throwIfStopping(call)
    throw error
  } finally {
    // A poll that the stop cut off says nothing about the service.
    if (code !== 'broken_off' || !stopping.aborted) observeExchange(call, 'poll', began, code)
    await forget()
  }

  /** An answer that did not end the task is asked for again. */
  async function forget() {
    const { unfinished } = keeper ?? {}
    await keeper?.close()
    keeper = undefined
    if (unfinished) await answers.remove(unfinished)
  }
}

function createKeeper(call: OpenCall, head: AnswerHead): AnswerWriter {
  return new AnswerWriter({
    smallBytes: largestInRow,
    begin: () => call.parts.answers.begin(call.record.id, head),
    retryUntilStored: work => retryUntilStored(call, 'keep the answer', work),
    failed: error => call.log.error({ err: error }, 'an answer cannot be written while it comes; trying again'),
  })
}
