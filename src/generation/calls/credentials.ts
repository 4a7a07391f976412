/** The key and address for the service of a call. */
import type { SentWith } from '../../configurations/configurations.ts'
import { Refusal } from '../../errors.ts'
import type { Context } from '../../providers/provider.ts'
import { SealError } from '../../storage/secrets/seal.ts'
import { plainError } from './errors.ts'
import type { OpenCall } from './open.ts'
import { settleCall } from './settle-call.ts'

/** Why there is no usable key. */
export interface Unusable {
  unusable: string
}

export class MissingReference extends Error {
  override name = 'MissingReference'

  constructor(index: number) {
    super(`Reference ${index + 1} is no longer in the picture store.`)
  }
}

/** The key and address to go on with. Undefined when there is none: the call is settled then. */
export async function credentialsOrSettle(call: OpenCall): Promise<Context | undefined> {
  const context = await findCredentials(call)
  if (!('unusable' in context)) return context
  const wasSent = call.record.state !== 'planned'
  await settleCall(call, {
    outcome: wasSent ? 'unknown' : 'dropped',
    charge: wasSent ? 'unknown' : 'none',
    error: plainError(wasSent ? 'outcome_unknown' : 'configuration_missing', context.unusable),
  })
  return undefined
}

/**
 * With the key and the address that the call was sent with; before that, and where nothing was kept, with the present ones. One may
 * have been revoked and the other belong to another account, so later tries take turns.
 */
export async function findCredentials(
  call: OpenCall,
  tries = 0,
): Promise<(Context & { isOtherKey: boolean }) | Unusable> {
  const sent = openSentWith(call)
  const present = await findPresent(call)
  const ways: (SentWith & { isOtherKey: boolean })[] = sent ? [{ ...sent, isOtherKey: false }] : []
  if ('unusable' in present) {
    if (!sent) return present
  } else if (present.apiKey !== sent?.apiKey || present.baseUrl !== sent.baseUrl) {
    ways.push({ ...present, isOtherKey: sent !== undefined })
  }
  const { apiKey, baseUrl, isOtherKey } = ways[tries % ways.length]!
  const { http, ending: signal } = call.parts
  return { apiKey, baseUrl, http, signal, reference: index => readReference(call, index), isOtherKey }
}

/** Undefined where nothing was kept, or the secret that sealed it was lost. */
function openSentWith({ record, parts }: OpenCall): SentWith | undefined {
  try {
    return record.sentWith === null ? undefined : parts.configurations.openSent(record.id, record.sentWith)
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    return undefined
  }
}

async function findPresent({ record, parts }: OpenCall): Promise<SentWith | Unusable> {
  try {
    return await parts.configurations.access(record.configId)
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof SealError)) throw error
    return { unusable: `The configuration cannot be used any more: ${error.message}` }
  }
}

async function readReference({ parts, generation }: OpenCall, index: number) {
  const prepared = await parts.store.images.preparedReference(generation.id, index)
  if (!prepared) throw new MissingReference(index)
  const chunks: Buffer[] = []
  for await (const chunk of await parts.files.open(prepared.file)) chunks.push(chunk as Buffer)
  return { mimeType: prepared.mimeType, bytes: Buffer.concat(chunks) }
}
