/** Generations and pictures as resources, for clients that attach them to a conversation. */
import { type McpServer, ProtocolError, ProtocolErrorCode, ResourceTemplate } from '@modelcontextprotocol/server'
import { ApiError } from '../client/errors.ts'
import { decodeId, generationUri } from './answers.ts'
import type { FindConnection } from './connection.ts'

/** The newest ones; search_history finds the others. */
const listed = 20
/** Pictures never change. */
const pictureHint = { ttlMs: 24 * 3600_000, cacheScope: 'private' } as const

export function addResources(server: McpServer, findConnection: FindConnection) {
  server.registerResource(
    'generation',
    new ResourceTemplate('webimgui://generations/{id}', {
      list: async context => {
        const { items } = await told(() => findConnection(context).operations.search({ limit: listed }))
        return {
          resources: items.map(({ id, prompt, timestamp, images }) => ({
            uri: generationUri(id),
            name: prompt.slice(0, 80) || id,
            description: `${timestamp}, ${images.length} ${images.length === 1 ? 'picture' : 'pictures'}`,
            mimeType: 'application/json',
          })),
        }
      },
    }),
    {
      title: 'A generation',
      description: 'What was asked for and its fate, as JSON in the form of GET /api/history/{id}.',
      mimeType: 'application/json',
    },
    (uri, { id }, context) =>
      told(async () => {
        const generation = await findConnection(context).operations.find(readId(id))
        return { contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify(generation) }] }
      }),
  )

  server.registerResource(
    'image',
    new ResourceTemplate('webimgui://images/{id}', { list: undefined }),
    { title: 'A picture', description: 'The original, byte for byte.', cacheHint: pictureHint },
    (uri, { id }, context) =>
      told(async () => {
        const { bytes, mimeType } = await findConnection(context).operations.original(readId(id))
        return { contents: [{ uri: uri.href, mimeType, blob: Buffer.from(bytes).toString('base64') }] }
      }),
  )
}

/** @throws ProtocolError */
function readId(id: string | string[] | undefined) {
  const decoded = decodeId(String(id))
  if (decoded !== undefined) return decoded
  const message = 'The id in this address cannot be decoded: a percent sign in it is written as %25.'
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, message, { code: 'bad_request' })
}

/** @throws ProtocolError for every refusal */
async function told<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, error.message, { code: error.code })
  }
}
