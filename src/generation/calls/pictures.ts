/** Collects the pictures of an answer, each once, however often the answer is parsed. */
import type { Reason } from '../../coordination/waiting.ts'
import type { FoundImage } from '../../images/collect.ts'
import type { Parsed, ProviderImage, RawAnswer } from '../../providers/provider.ts'
import { type ByteRange as CutText, findCutText } from '../../storage/condense.ts'
import type { BareGeneration } from '../../storage/generations.ts'
import type { FailureRecord, ImageRecord } from '../../storage/records.ts'
import { findCredentials } from './credentials.ts'
import { findPosition, findProvider, type OpenCall, publish, throwIfStopping } from './open.ts'
import { readUntilThere } from './read-answer.ts'
import { note } from './until-stored.ts'

/** Collects pictures of a stream that is still arriving. */
export function collectEarly(call: OpenCall, answer: RawAnswer, file: string | undefined) {
  try {
    for (const collected of collect(call, findProvider(call).parse(answer, call.record), file)) {
      // Whatever ends it early is met again when the call is settled.
      collected.catch(() => {})
    }
  } catch (error) {
    call.log.warn({ err: error }, 'the beginning of a stream could not be understood yet')
  }
}

/** `file` holds the answer. Each gives why its picture cannot be had, if so. */
export function collect(
  call: OpenCall,
  parsed: Parsed,
  file: string | undefined,
): Promise<FailureRecord | undefined>[] {
  return parsed.images.map(picture => {
    const known = call.collecting.get(picture.index)
    if (known) return known
    const collected = collectOne(call, picture, file)
    call.collecting.set(picture.index, collected)
    return collected
  })
}

async function collectOne(call: OpenCall, picture: ProviderImage, file: string | undefined) {
  const { collector, ending, stopping, answers } = call.parts
  const { id: generationId, ownerId, images } = call.generation
  const position = findPosition(call, picture.index)
  if (images.some(image => image.index === position)) return undefined
  const rest = findCutText(picture.base64 ?? '')
  const found: FoundImage =
    rest && file !== undefined ? { ...picture, base64: () => readCut(file, rest) } : await locate(call, picture)
  const place = {
    generationId,
    callId: call.record.id,
    ownerId,
    position,
    note: (reason: Reason | null) => note(call, reason),
    keepForEnd,
    stored,
  }
  // A fetch under way gets the time that a stop leaves: the address may be dead by the next start.
  const signals = { fetching: ending, waiting: stopping }
  return collector.collect(found, place, signals).catch(error => {
    throwIfStopping(call)
    throw error
  })

  async function* readCut(file: string, rest: CutText) {
    const text = await readUntilThere(call, file, () => answers.openString(file, rest))
    if (text) yield* text
  }

  /** The one picture of a generation: nothing comes between it and the end, so it needs no commit of its own. */
  function keepForEnd(image: ImageRecord) {
    const { calls, keptForEnd } = call.generation
    if (!call.isForOne || calls.length > 1) return false
    keptForEnd.push(image)
    return true
  }

  function stored(image: ImageRecord, changed: BareGeneration | undefined) {
    images.push(image)
    images.sort((a, b) => a.index - b.index)
    publish(call.parts, call.generation, changed)
  }
}

/** A place without a host is at home at the address that answered, as links of a page are. */
async function locate(call: OpenCall, picture: ProviderImage): Promise<ProviderImage> {
  if (picture.url === undefined || /^[a-z][a-z0-9+.-]*:/i.test(picture.url)) return picture
  const context = await findCredentials(call)
  if ('unusable' in context) return picture
  const from = new URL(findProvider(call).addressOf(call.record.route, context.baseUrl))
  const isRooted = picture.url.startsWith('/') && !picture.url.startsWith('//')
  // Letter for letter, where that is possible: a signature may cover it.
  return { ...picture, url: isRooted ? from.origin + picture.url : new URL(picture.url, from).href }
}
