/** Brings one request of an order to its end: sends it once, follows it, and saves its pictures as they come. */
import type { Generation } from '../../api/generations.ts'
import type { Image } from '../../api/images.ts'
import { hasEnded } from '../../client/client.ts'
import { ApiError } from '../../client/errors.ts'
import { endingOf, saveOriginal } from '../../client/local-files.ts'
import { Refusal } from './end.ts'
import { type KeptOrder, mayBeSent, type OrderItem } from './orders.ts'
import type { Client } from './server.ts'

export interface CollectParts {
  client: Client
  tokenMark: string
  /** A name without ending for all pictures, where one was given; otherwise each is named after its prompt. */
  name?: string
  ending?: string
  isReplaced: boolean
  /** Each new state of the generation. */
  onChange(generation: Generation): void
  onSaved(image: Image, file: string, generation: Generation): void
}

/** A lost connection is looked for this often, with growing pauses: 45 seconds, enough for a server that starts again. */
const maxInterruptions = 7
const maxTries = 4

/** The generation at its end, with its pictures saved. @throws ApiError, LocalFileError, Refusal */
export async function collect(kept: KeptOrder, item: OrderItem, parts: CollectParts): Promise<Generation> {
  const begun = await begin(kept, item, parts)
  item.files = []
  const saves = new Map<string, Promise<void>>()
  function see(generation: Generation) {
    parts.onChange(generation)
    for (const image of generation.images) {
      if (saves.has(image.id)) continue
      const saving = save(kept, item, image, generation, parts)
      // Awaited below; until then it must not count as unhandled.
      saving.catch(() => {})
      saves.set(image.id, saving)
    }
  }
  see(begun)
  const ended = hasEnded(begun) ? begun : await follow(parts.client, begun, see)
  await Promise.all(saves.values())
  endAs(endState(ended), kept, item)
  return ended
}

function endState({ images, charge }: Generation): OrderItem['state'] {
  if (images.length > 0) return 'collected'
  return charge === 'none' ? 'failed' : 'unclear'
}

/** The record of the request; it is sent unless its answer is known already. */
async function begin(kept: KeptOrder, item: OrderItem, { client, tokenMark }: CollectParts): Promise<Generation> {
  if (item.generation_id === null) {
    checkRepeat(item, tokenMark)
    const generation = await send(kept, item, { client, tokenMark })
    item.generation_id = generation.id
    kept.keep()
    return generation
  }
  try {
    return await client.history.get(item.generation_id)
  } catch (error) {
    const isRemoved = error instanceof ApiError && error.status === 404 && item.token_mark === tokenMark
    if (isRemoved) endAs('unclear', kept, item)
    throw error
  }
}

/** A key that the server does not know any more, or not under this token, would be a second paid request. */
function checkRepeat(item: OrderItem, tokenMark: string) {
  if (item.state === 'sent' && item.token_mark !== tokenMark) {
    throw new Refusal(
      `"${item.prompt}" was asked for with another token, and with this one it could be paid for again. Use that token; --again orders anew.`,
      `“${item.prompt}”是用另一个令牌请求的，换令牌再次发送可能重复收费。请使用原来的令牌；--again 重新下单。`,
    )
  }
  if (!mayBeSent(item)) {
    throw new Refusal(
      `It is not known whether "${item.prompt}" reached the server two days ago, and a second request could be paid for again. Look with \`webimgui history\`; --again orders anew.`,
      `两天前的请求“${item.prompt}”是否已送达未知，再次发送可能重复收费。请用 webimgui history 查看；--again 重新下单。`,
    )
  }
}

function endAs(state: OrderItem['state'], kept: KeptOrder, item: OrderItem) {
  item.state = state
  kept.keep()
}

/** Repeated with its key when no answer comes: that is the same request to the server. */
async function send(
  kept: KeptOrder,
  item: OrderItem,
  { client, tokenMark }: Pick<CollectParts, 'client' | 'tokenMark'>,
): Promise<Generation> {
  const isFirst = item.state !== 'sent'
  item.token_mark = tokenMark
  item.sent_at ??= new Date().toISOString()
  endAs('sent', kept, item)
  for (let tries = 1; ; tries++) {
    try {
      return await client.generateAt(item.path, item.body, { key: item.key })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const recordId = error.problem?.generation_id
      if (recordId !== undefined) return client.history.get(recordId)
      if (isPassing(error) && tries < maxTries) await pause(error.retryAfterMs ?? 1000 * 2 ** (tries - 1))
      else {
        noteRefusal(kept, item, error, isFirst && tries === 1)
        throw error
      }
    }
  }
}

function isPassing({ status, code }: ApiError) {
  return code === 'offline' || status === 503 || code === 'too_many_requests'
}

function noteRefusal(kept: KeptOrder, item: OrderItem, { status, code }: ApiError, isOnlyTry: boolean) {
  if (code === 'gone') endAs('unclear', kept, item)
  // Somebody has sent something else with this key, so there is a record.
  else if (code === 'idempotency_mismatch') return
  // An earlier try may have made a record; the only one that was made has proved that there is none.
  else if (isOnlyTry && status >= 400 && status < 500) {
    item.sent_at = null
    endAs('planned', kept, item)
  }
}

/** @throws ApiError when the connection stays lost */
async function follow(client: Client, begun: Generation, see: (generation: Generation) => void) {
  const isOver = new AbortController()
  let newest = begun
  let trouble: ApiError | undefined
  let interruptions = 0
  await client.follow({ id: begun.id, signal: isOver.signal }, message => {
    if (message.type === 'open') interruptions = 0
    if (message.type === 'generation') {
      newest = message.generation
      see(newest)
      if (hasEnded(newest)) isOver.abort()
    }
    if (message.type === 'removed') {
      trouble = new ApiError('not_found', 'The generation was removed at the server.', 404)
      isOver.abort()
    }
    if (message.type === 'interrupted') {
      interruptions += 1
      if (interruptions < maxInterruptions) return
      trouble = new ApiError('offline', 'The connection to the server was lost. What was asked for goes on there.', 0)
      isOver.abort()
    }
  })
  if (trouble) throw trouble
  return newest
}

async function save(
  kept: KeptOrder,
  item: OrderItem,
  image: Image,
  generation: Generation,
  { client, name, ending, isReplaced, onSaved }: CollectParts,
) {
  const { file } = await saveOriginal(client, image, {
    folder: kept.order.folder,
    name: nameOf(generation, image, name),
    ending: ending ?? endingOf(image),
    isReplaced,
  })
  if (!item.files.includes(file)) item.files.push(file)
  kept.keep()
  onSaved(image, file, generation)
}

/** `a-boat-on-a-lake-3f2a91bc-1`: found by people, and the same for the same picture. */
export function nameOf({ id, prompt }: Generation, { index }: { index: number }, given?: string) {
  if (given !== undefined) return index === 0 ? given : `${given}-${index + 1}`
  const words = prompt.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  const title = [...words.join('-')].slice(0, 40).join('').replace(/-+$/, '')
  return `${title || 'picture'}-${id.replace(/[^\w]/g, '').slice(0, 8)}-${index + 1}`
}

function pause(ms: number) {
  return new Promise(resolve => setTimeout(resolve, ms))
}
