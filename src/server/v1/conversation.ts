/** What a chat asks to be drawn: from its messages to a prompt and references. */
import type { V1ChatRequest } from '../../api/v1/chat.ts'
import { modelSchema } from '../../catalogue/parameters.ts'
import { invalid } from '../../errors.ts'
import type { GenerationRequest } from '../../generation/services.ts'
import type { JsonObject, JsonValue } from '../../storage/records.ts'
import type { NamedModel } from './models.ts'
import { toReference } from './request.ts'

type Message = V1ChatRequest['messages'][number]

/** Markdown pictures, as answers of this server have them. */
const markdownPicture = /!\[[^\]]*\]\(\s*<?((?:https?:|data:image\/)[^\s)>]+)>?[^)]*\)/g

/** Chat programs let the model of a chat also name it, tag it, and propose questions. Each of these would be a paid picture. */
const housekeeping = /^\s*###\s*Task:/i

/**
 * @param ownImage the id of a stored picture, where a text is its address on this server
 * @throws Refusal `invalid_request`
 */
export function readConversation(
  body: V1ChatRequest,
  { id, found }: NamedModel,
  ownImage: (address: string) => string | undefined,
): GenerationRequest {
  const at = body.messages.findLastIndex(({ role }) => role === 'user')
  const last = body.messages[at]
  if (!last) {
    throw invalid([{ path: 'messages', message: 'There is no message of the user. Say in one what to draw.' }])
  }
  const prompt = textOf(last).replace(markdownPicture, '').trim()
  if (housekeeping.test(prompt)) throw noHousekeeping()
  const most = found?.model.references.max ?? 0
  const given = picturesOf(last)
  const before = body.messages.slice(0, at).findLast(message => picturesOf(message).length > 0)
  // What was drawn before is left out where the model takes no references or has no room; what the user gives now is not.
  const drawn = before === undefined ? [] : picturesOf(before).slice(0, Math.max(0, most - given.length))
  return {
    prompt,
    model: id,
    parameters: readParameters(body, found),
    fitsSize: true,
    references: [...drawn, ...given].map(text => toReference(text, { uploads: new Map(), ownImage })),
  }
}

/** Chat programs send many members that mean nothing to a picture. */
function readParameters(body: V1ChatRequest, found: NamedModel['found']): JsonObject {
  const names = found ? Object.keys(modelSchema(found.model).properties) : []
  return Object.fromEntries(
    names.flatMap(name => {
      const value = Object.hasOwn(body, name) ? (body as Record<string, unknown>)[name] : undefined
      const isMeant = value !== undefined && value !== null && !(name === 'size' && value === 'auto')
      return isMeant ? [[name, value as JsonValue]] : []
    }),
  )
}

function textOf({ content = '' }: Message): string {
  if (typeof content === 'string') return content
  return content.flatMap(part => ('text' in part && typeof part.text === 'string' ? [part.text] : [])).join('\n')
}

function picturesOf(message: Message): string[] {
  const { content, images = [] } = message
  const parts = Array.isArray(content) ? content : []
  const ofParts = parts.flatMap(part => ('image_url' in part ? [addressOf(part.image_url)] : []))
  const inText = [...textOf(message).matchAll(markdownPicture)].map(([, address = '']) => address)
  const beside = images.map(({ image_url }) => image_url.url)
  return [...new Set([...ofParts, ...inText, ...beside])].filter(address => address !== '')
}

function addressOf(value: unknown): string {
  if (typeof value === 'string') return value
  const url = Object(value).url
  return typeof url === 'string' ? url : ''
}

function noHousekeeping() {
  const message =
    'This is a task of a chat program, such as naming the chat, and not a picture to draw; nothing was made. Choose a text model for such tasks in its settings.'
  return invalid([{ path: 'messages', message }])
}
