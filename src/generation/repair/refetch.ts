/** Restores the file of a stored image from the answer that named it, while its address is valid. */
import { rm } from 'node:fs/promises'
import { placeImage } from '../../images/collect.ts'
import { FetchError, fetchImage } from '../../images/download.ts'
import type { OutgoingHttp } from '../../outgoing/http.ts'
import type { RawAnswer } from '../../providers/provider.ts'
import type { Catalogue } from '../../providers/registry.ts'
import type { Answers } from '../../storage/answers.ts'
import type { CallRecord } from '../../storage/calls.ts'
import { type ByteRange as CutText, findCutText } from '../../storage/condense.ts'
import type { Files } from '../../storage/files/folder.ts'
import type { ImageRecord } from '../../storage/records.ts'
import type { Store } from '../../storage/store.ts'

export interface RefetchParts {
  store: Store
  files: Files
  answers: Answers
  http: OutgoingHttp
  catalogue: Pick<Catalogue, 'provider'>
}

/** Undefined when the file was restored, byte for byte; otherwise the reason, as a sentence. */
export async function refetch(image: ImageRecord, parts: RefetchParts): Promise<string | undefined> {
  const { store, files, answers, http } = parts
  if (image.role === 'reference') return 'It is a reference that somebody gave; give it again.'
  const call = image.callId === null ? undefined : await store.calls.find(image.callId)
  if (!call?.answer) return 'The answer that named it is not kept.'
  const { answer } = call
  const body = answer.body ?? (answer.file ? await answers.read(answer.file) : undefined)
  if (body === undefined) return 'The answer that held it was removed once the picture was stored.'
  // A condensed string is complete in the file of the answer.
  const wholeText = (text: string) => {
    const { file } = answer
    const rest = findCutText(text)
    return rest && file ? () => readCut(answers, file, rest) : text
  }
  const calls = (await store.calls.ofGeneration(call.generationId)).filter(one => one.outcome !== 'repeated')
  const planned = calls.reduce((sum, one) => sum + one.images, 0)
  const picture = findImages(parts, { ...answer, body }, call).find(
    picture => placeImage(call, planned, picture.index) === image.index,
  )
  if (!picture) return 'The stored answer does not name it.'
  try {
    const source = picture.base64 === undefined ? { url: picture.url ?? '' } : { base64: wholeText(picture.base64) }
    const fetched = await fetchImage({ http, files, source, expiresAt: picture.expiresAt })
    if (fetched.sha256 !== image.sha256) {
      await rm(fetched.temporaryPath, { force: true })
      return 'The service now returns another picture at its address.'
    }
    await files.put(image.file, fetched.temporaryPath, fetched)
    return undefined
  } catch (error) {
    if (error instanceof FetchError) return error.message
    throw error
  }
}

async function* readCut(answers: Answers, file: string, rest: CutText) {
  const text = await answers.openString(file, rest)
  if (text) yield* text
}

/** Empty if it cannot be parsed: one bad answer must not prevent the repair of the others. */
function findImages({ catalogue }: Pick<RefetchParts, 'catalogue'>, answer: RawAnswer, call: CallRecord) {
  try {
    return catalogue.provider(call.provider).parse(answer, call).images
  } catch {
    return []
  }
}
