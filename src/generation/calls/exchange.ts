/** One exchange with the service: sends the request, and keeps what comes of it as it comes. */

import { ExchangeError } from '../../outgoing/failure.ts'
import type { Http } from '../../outgoing/http.ts'
import type { Context, RawAnswer } from '../../providers/provider.ts'
import { StorageError } from '../../storage/files/folder.ts'
import { adoptOrphan } from './adopt.ts'
import { AnswerWriter } from './answer-writer.ts'
import { MissingReference } from './credentials.ts'
import { plainError, unknownOutcome } from './errors.ts'
import { type CutAnswer, resolveInDoubt } from './in-doubt.ts'
import { keepAnswer, largestInRow, provesNothing } from './keep-answer.ts'
import { findProvider, type OpenCall, observeExchange, reached, Stopped } from './open.ts'
import { collectEarly } from './pictures.ts'
import { refuse, repeatOrRefuse } from './repeat.ts'
import { settleCall } from './settle-call.ts'
import { accept } from './task.ts'
import { retryUntilStored } from './until-stored.ts'

/** An answer that trickles in, or a stream with only keep-alives, is ended this long after the call should have ended. */
const longestBodyMs = 10 * 60_000
/** A stream is parsed this often while it arrives: more than any series has images. */
const maxEarlyLooks = 100

/** What is known of an answer before its body. */
type AnswerHead = Pick<RawAnswer, 'status' | 'contentType' | 'requestId'>

export async function exchange(call: OpenCall, context: Context) {
  const { parts, record } = call
  const { pauses, ending } = parts
  const began = performance.now()
  const streamed: string[] = []
  let looks = 0
  let wasRequested = false
  let head: AnswerHead = { status: 200 }
  const keeper = new AnswerWriter({
    smallBytes: largestInRow,
    begin: () => beginFile(call, head),
    retryUntilStored: work => retryUntilStored(call, 'keep the answer', work),
    failed: error => call.log.error({ err: error }, 'an answer cannot be written while it comes; trying again'),
  })
  const timeoutMs = pauses.scaled(record.timeoutMs + longestBodyMs)
  const http: Http = {
    request: async request => {
      wasRequested = true
      const sent = context.http.request({ timeoutMs, through: pieces => keeper.through(pieces), ...request })
      const [response] = await Promise.all([sent, reached(call, 'request-sent')])
      const { status, headers } = response
      // All services name the id so; a broken body does not take it away.
      head = { status, contentType: headers['content-type'], requestId: headers['x-request-id'] }
      return response
    },
  }
  try {
    const { id, route, body } = record
    const sent = { id, route, body, timeoutMs: pauses.scaled(record.timeoutMs) }
    for await (const learned of findProvider(call).send(sent, { ...context, http })) {
      if (learned.type === 'task') {
        await reached(call, 'task-known-before-written')
        await accept(call, learned)
        await reached(call, 'task-written')
        call.log.info({ task: learned.taskId, provider_request_id: learned.requestId }, 'task accepted')
      } else if (learned.type === 'part' && !learned.matters) {
        streamed.push(learned.text)
      } else if (learned.type === 'part') {
        await reached(call, 'stream-part-read')
        await keeper.commit()
        streamed.push(learned.text)
        await reached(call, 'stream-part-appended')
        // The others are found when the stream has ended.
        if (++looks <= maxEarlyLooks)
          collectEarly(call, { ...learned, body: streamed.join(''), complete: false }, keeper.name)
      } else {
        if (keeper.needsFile) {
          await keeper.commit()
          if (streamed.length === 0) await reached(call, 'answer-file-written')
        }
        await keepOrAdopt(call, learned.answer, keeper.name)
      }
    }
    const { state, providerRequestId } = call.record
    if (state === 'sending') throw new Error('the adapter ended an exchange without an answer')
    const ms = Math.round(performance.now() - began)
    observeExchange(call, 'request', began, 'ok')
    call.log.info({ ms, state, provider_request_id: providerRequestId }, 'exchange ended')
  } catch (error) {
    if (wasRequested) {
      const code = error instanceof ExchangeError ? error.failure.code : 'broken_off'
      observeExchange(call, 'request', began, code)
    }
    if (!wasRequested && !(error instanceof ExchangeError) && !ending.aborted) await endUnsent(call, error)
    else {
      if (keeper.needsFile) await keeper.commit()
      await understandFailure(call, error, { ...head, file: keeper.name, body: streamed.join('') })
    }
  } finally {
    await keeper.close()
  }
}

async function beginFile(call: OpenCall, { status, contentType, requestId }: AnswerHead) {
  const { store, answers } = call.parts
  const growing = await answers.begin(call.record.id)
  try {
    const file = growing.name
    await store.ledger.stream({ callId: call.record.id, file, status, contentType, requestId })
    const answer = { status, contentType, complete: false, body: null, file }
    call.record = { ...call.record, answer, providerRequestId: requestId ?? null }
  } catch (error) {
    await growing.close()
    throw error
  }
  await reached(call, 'stream-begun')
  return growing
}

/**
 * An answer that is not the service's own, whatever its status, says nothing about the task that the submit may have made: it is
 * looked for before that is given up.
 */
async function keepOrAdopt(call: OpenCall, answer: RawAnswer, streamFile: string | undefined) {
  if (findProvider(call).findTasks && provesNothing(call, answer) && (await adoptOrphan(call))) return
  await keepAnswer(call, answer, streamFile)
}

/** The request could not even be built, so nothing can have been billed. */
async function endUnsent(call: OpenCall, error: unknown) {
  if (error instanceof Stopped) throw error
  call.log.error({ err: error }, 'a request could not be put together; nothing was sent')
  const reason = error instanceof StorageError || error instanceof MissingReference ? ` ${error.message}` : ''
  const message = `The request could not be put together, so nothing was sent and nothing was charged.${reason} Ask again.`
  await settleCall(call, { outcome: 'refused', charge: 'none', error: plainError('storage_failed', message) })
}

async function understandFailure(call: OpenCall, error: unknown, came: CutAnswer) {
  if (error instanceof Stopped || call.parts.ending.aborted) throw new Stopped()
  if (!(error instanceof ExchangeError)) {
    call.log.error({ err: error }, 'an exchange failed because of an internal error')
    return resolveInDoubt(call, unknownOutcome('An internal error occurred after the request was sent.'), came)
  }
  const { failure } = error
  call.log.warn({ code: failure.code, disposition: failure.disposition, err: error }, 'exchange failed')
  if (failure.disposition === 'retry_safe') return repeatOrRefuse(call, failure)
  if (failure.disposition === 'refused') return refuse(call, failure)
  return resolveInDoubt(call, failure, { ...came, body: came.body || error.partial })
}
