/** `answered`: parses the answer, collects its images, and settles the call. */
import type { Parsed, RawAnswer } from '../../providers/provider.ts'
import type { FailureRecord } from '../../storage/records.ts'
import { explainMissing, toErrorRecord, unknownOutcome } from './errors.ts'
import { findPosition, findProvider, type OpenCall } from './open.ts'
import { collect } from './pictures.ts'
import { readAnswer } from './read-answer.ts'
import { refuse, repeatOrRefuse } from './repeat.ts'
import { settleCall } from './settle-call.ts'

export async function processAnswer(call: OpenCall) {
  const { parts, record } = call
  const parsed = call.understood ?? (await parseKept(call))
  call.understood = undefined
  if (parsed.images.length === 0) return settleWithoutImages(call, parsed)

  call.isForOne = parsed.images.length === 1
  const file = record.answer?.file ?? undefined
  const collected = await Promise.all(collect(call, parsed, file))
  const failures = [
    ...parsed.failures.map(failure => toFailureRecord(call, failure)),
    ...collected.filter(failure => failure !== undefined),
    ...findMissing(call, parsed),
  ]
  await settleCall(call, {
    outcome: 'made',
    charge: parsed.complete && !record.wasFound ? 'charged' : 'unknown',
    billedImages: parsed.billedImages ?? parsed.images.length,
    failures: failures.sort((a, b) => a.index - b.index),
  })
  // The images of a large answer are files of their own now, so the copy in base64 is removed.
  if (file && failures.length === 0 && parsed.images.some(image => image.base64 !== undefined))
    await parts.answers.remove(file)
}

async function settleWithoutImages(call: OpenCall, parsed: Parsed) {
  const failure = parsed.error ?? unknownOutcome('The answer of the service was cut off.')
  if (parsed.complete && failure.disposition === 'retry_safe') return repeatOrRefuse(call, failure)
  if (parsed.complete && failure.disposition === 'refused') {
    const failures = parsed.failures.map(item => toFailureRecord(call, item))
    return refuse(call, failure, failures)
  }
  await settleCall(call, { outcome: 'unknown', charge: 'unknown', error: toErrorRecord(failure) })
}

async function parseKept(call: OpenCall): Promise<Parsed> {
  const { answer, id, providerRequestId } = call.record
  if (!answer) throw new Error(`call ${id} is answered but holds no answer`)
  const body = answer.body ?? (answer.file ? await readAnswer(call, answer.file) : '')
  if (body === undefined) {
    const error = unknownOutcome(`The file answers/${answer.file}, which held the answer of the service, is missing.`)
    return { images: [], failures: [], error, complete: answer.complete }
  }
  const raw: RawAnswer = { ...answer, body, requestId: providerRequestId ?? undefined }
  try {
    return findProvider(call).parse(raw, call.record)
  } catch (error) {
    call.log.error({ err: error }, 'an answer could not be understood; it is kept with its call')
    const failure = unknownOutcome('The answer of the service could not be understood.')
    return { images: [], failures: [], error: failure, complete: answer.complete }
  }
}

function toFailureRecord(call: OpenCall, failure: Parsed['failures'][number]): FailureRecord {
  const { index, code, message, providerCode = null } = failure
  return { index: findPosition(call, index), code, message, providerCode }
}

/** Asked for, and neither made nor refused. */
function findMissing(call: OpenCall, parsed: Parsed): FailureRecord[] {
  const told = new Set([...parsed.images, ...parsed.failures].map(item => item.index))
  const billed = Math.max(0, (parsed.billedImages ?? 0) - parsed.images.length)
  return Array.from({ length: call.record.images }, (_, index) => index)
    .filter(index => !told.has(index))
    .map((index, position) => ({
      index: findPosition(call, index),
      ...explainMissing(parsed, position < billed),
    }))
}
