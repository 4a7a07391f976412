/** Parses the answers of DashScope. Pure. */

import type { JsonObject, JsonValue } from '../../catalogue/model.ts'
import type { ProviderFailure } from '../../outgoing/failure.ts'
import { besideBill, findSource, namesBill, readEntries, weighRefusal, wholeSourcesIn } from '../answers.ts'
import { pickWorstFailure } from '../failures.ts'
import { asList, asRecord, outline, parseJson, text } from '../json.ts'
import type { Parsed, ProviderImage, RawAnswer } from '../provider.ts'
import { type ErrorPlace, interpretError } from './errors.ts'
import type { Route } from './models.ts'

/** @see Provider.parse */
export function parse(answer: RawAnswer, call: { route: string; body: JsonObject }): Parsed {
  const envelope = asRecord(parseJson(answer.body))
  const place: ErrorPlace = {
    status: answer.status,
    submitsTask: (call.route as Route) !== 'MM',
    isFinal: false,
    requestId: text(envelope?.request_id) ?? answer.requestId,
    retryAfterMs: answer.retryAfterMs,
  }
  if (!envelope) return withoutEnvelope(answer, place)

  const output = asRecord(envelope.output) ?? {}
  const found = foundIn(output, call, place)
  const revisedPrompt = findRevisedPrompt(output, call)
  const billedImages = countBilledImages(asRecord(envelope.usage))
  const rest = {
    failures: found.failures,
    ...(revisedPrompt === undefined ? {} : { revisedPrompt }),
    ...(billedImages === undefined ? {} : { billedImages }),
  }
  // An image in the answer is kept, whatever else the answer says, and wherever a gateway put it.
  const images = found.images.length > 0 ? found.images : elsewhereIn(envelope, answer)
  if (images.length > 0) return { images, ...rest, complete: answer.complete }

  const status = text(output.task_status)
  const isUnfinished = status === 'PENDING' || status === 'RUNNING' || status === 'SUSPENDED'
  const error = findError(envelope, output, answer, { place, status, billedImages, failures: found.failures })
  if (isUnfinished && !error.providerCode && answer.status < 300) {
    return { images: [], failures: [], complete: false }
  }
  return { images: [], ...rest, error, complete: answer.complete }
}

/** Why a well-formed answer has no image. */
function findError(
  envelope: JsonObject,
  output: JsonObject,
  answer: RawAnswer,
  {
    place,
    status,
    billedImages,
    failures,
  }: {
    place: ErrorPlace
    status: string | undefined
    billedImages: number | undefined
    failures: Parsed['failures']
  },
): ProviderFailure {
  const compatible = asRecord(envelope.error) ?? {}
  const code = text(envelope.code) ?? text(output.code) ?? text(compatible.code) ?? text(compatible.type)
  const message = text(envelope.message) ?? text(output.message) ?? text(compatible.message)
  const isAnswered = answer.status >= 200 && answer.status < 300

  if (!isAnswered)
    return weighRefusal(interpretError(code, message ?? text(answer.body.trim().slice(0, 300)), place), answer)
  const plain = { providerCode: code, providerMessage: message, requestId: place.requestId }
  if (status === 'UNKNOWN') {
    return {
      code: 'outcome_unknown',
      disposition: 'maybe_billed',
      message:
        'DashScope does not know this task: it is older than a day, or it belongs to another account or region. Its pictures may have been billed.',
      ...plain,
    }
  }
  if (status === 'CANCELED') {
    return {
      code: 'provider_rejected',
      disposition: 'refused',
      message: 'The task was cancelled before it began. Nothing was made or billed.',
      ...plain,
    }
  }
  const wasBilled = (billedImages ?? 0) > 0 || namesBill(answer.body)
  // Only a failed task is known to be free whatever the reason.
  const isFinal = status === 'FAILED'
  const failure =
    code !== undefined || isFinal ? interpretError(code, message, { ...place, isFinal }) : pickWorstFailure(failures)
  if (failure) return besideBill(failure, answer.body)
  // Without even an `output` it may not be the service that answered.
  const isUnproved = wasBilled || !asRecord(envelope.output)
  return {
    code: 'provider_rejected',
    disposition: isUnproved ? 'maybe_billed' : 'refused',
    message: isUnproved
      ? 'The answer holds no picture, and one may have been billed. Ask the support of Alibaba Cloud with the request id.'
      : 'DashScope answered without a picture. Change the prompt or try again.',
    providerMessage: joinWrittenText(output) ?? outline(envelope),
    requestId: place.requestId,
  }
}

/** An answer that is no JSON object: the page of a gateway, or the beginning of an answer that was cut. */
function withoutEnvelope(answer: RawAnswer, place: ErrorPlace): Parsed {
  if (answer.status < 200 || answer.status >= 300) {
    const error = weighRefusal(interpretError(undefined, text(answer.body.trim().slice(0, 300)), place), answer)
    return { images: [], failures: [], error, complete: true }
  }
  // The complete strings in a cut answer are still usable: their images were paid for.
  const images = wholeSourcesIn(answer.body).map((source, index) => imageAt(index, source.url ?? source.base64))
  if (images.length > 0) return { images, failures: [], complete: answer.complete }
  const error: ProviderFailure = {
    code: 'outcome_unknown',
    disposition: 'maybe_billed',
    message: answer.complete
      ? 'The answer is not from DashScope. A picture may have been billed; check the base address before trying again.'
      : 'The answer of DashScope was cut before its pictures were named. They may have been billed.',
    providerMessage: text(answer.body.trim().slice(0, 300)),
    requestId: place.requestId,
  }
  return { images: [], failures: [], error, complete: answer.complete }
}

/** Every picture and every refused one, in the order of the answer, of the newer form (`choices`) and the older (`results`). */
function foundIn(
  output: JsonObject,
  call: { body: JsonObject },
  place: ErrorPlace,
): { images: ProviderImage[]; failures: Parsed['failures'] } {
  const images: ProviderImage[] = []
  const failures: Parsed['failures'] = []
  const next = () => images.length + failures.length
  const final = { ...place, isFinal: true }
  const unknownShape = (item: JsonValue) =>
    failures.push({
      ...interpretError(undefined, outline(item), final),
      disposition: 'maybe_billed',
      index: next(),
      message: 'DashScope answered with something else instead of a picture. It may have been billed.',
    })

  for (const result of asList(output.results)) {
    const item = asRecord(result)
    const url = text(item?.url)
    if (url !== undefined) images.push(imageAt(next(), url))
    else if (item && (text(item.code) !== undefined || text(item.message) !== undefined)) {
      failures.push({ ...interpretError(text(item.code), text(item.message), final), index: next() })
    } else unknownShape(result)
  }

  // Text between pictures belongs to the story only where a story was asked for.
  const isStory = asRecord(call.body.parameters)?.enable_interleave === true
  let story: string[] = []
  const strange: JsonValue[] = []
  for (const content of listContents(output)) {
    if (typeof content === 'string') continue
    const item = asRecord(content)
    const url = text(item?.image)
    const words = text(item?.text)
    if (url !== undefined) {
      images.push(imageAt(next(), url, isStory && story.length > 0 ? { text: story.join('\n') } : undefined))
      story = []
    } else if (words !== undefined) story.push(words)
    else if (item?.text !== '') strange.push(content)
  }
  const last = images.at(-1)
  if (isStory && last && story.length > 0) last.details = { ...last.details, text_after: story.join('\n') }
  // New kinds of items may come beside the pictures; they matter only where a picture is missing.
  const asked = asRecord(call.body.parameters)
  const wanted = Number(asked?.max_images ?? asked?.n ?? 1)
  for (const item of strange) if (next() < wanted) unknownShape(item)
  return { images, failures }
}

/** Pictures of a success in a form that is not DashScope's own, as gateways translate it. */
function elsewhereIn(envelope: JsonObject, answer: RawAnswer): ProviderImage[] {
  if (answer.status < 200 || answer.status >= 300) return []
  const sources = readEntries(envelope).flatMap(({ source }) => source ?? [])
  return sources.map((source, index) => imageAt(index, source.url ?? source.base64))
}

function imageAt(index: number, written: string, details?: JsonObject): ProviderImage {
  const more = details ? { details } : {}
  const source = findSource(written, 'place')
  if (source?.url === undefined) return { index, base64: source?.base64 ?? written, ...more }
  const { url } = source
  const expires = /[?&]Expires=(\d{9,11})(?:&|#|$)/.exec(url)
  return {
    index,
    // The signature does not cover the scheme, and these hosts all speak https. Everything else stays unchanged.
    url: url.replace(/^http:(?=\/\/[\w.-]+\.aliyuncs\.com\/)/i, 'https:'),
    ...(expires ? { expiresAt: Number(expires[1]) * 1000 } : {}),
    ...more,
  }
}

/** The older routes return the rewritten prompt; z-image puts the final one beside the picture; the others keep it. */
function findRevisedPrompt(output: JsonObject, call: { body: JsonObject }): string | undefined {
  for (const result of asList(output.results)) {
    const prompt = text(asRecord(result)?.actual_prompt)
    if (prompt !== undefined) return prompt
  }
  return text(call.body.model)?.startsWith('z-image') ? joinWrittenText(output) : undefined
}

function joinWrittenText(output: JsonObject): string | undefined {
  const words = listContents(output).map(item => (typeof item === 'string' ? item : text(asRecord(item)?.text)))
  return text(words.filter(word => word !== undefined).join('\n'))
}

/** One choice with many items and many choices with one item are both in use. */
function listContents(output: JsonObject): JsonValue[] {
  return asList(output.choices).flatMap(choice => {
    const content = asRecord(asRecord(choice)?.message)?.content
    return typeof content === 'string' ? [content] : asList(content)
  })
}

function countBilledImages(usage: JsonObject | undefined): number | undefined {
  const count = usage?.image_count ?? usage?.output_image_count
  return typeof count === 'number' && Number.isInteger(count) && count >= 0 ? count : undefined
}
