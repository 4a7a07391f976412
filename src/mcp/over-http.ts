/** The operations over HTTP, for tools that run beside the client instead of inside the server. */
import { type createClient, hasEnded } from '../client/client.ts'
import { LocalFileError, type Original, saveOriginal, uploadPictureFile } from '../client/local-files.ts'
import { ToolRefusal } from './errors.ts'
import type { Operations } from './operations.ts'

/**
 * @param saveTo a folder for originals
 * @param hasCap the client names a session with a cap
 */
export function operateOverHttp(
  client: ReturnType<typeof createClient>,
  { saveTo, hasCap = false }: { saveTo?: string; hasCap?: boolean } = {},
): Operations {
  return {
    models: () => client.models(),
    estimate: body => client.estimate(body),
    generate: (body, { key, isOwnKey }) => client.beginAt('api/generate', body, { key, joins: !isOwnKey }),
    find: id => client.history.get(id),
    search: ({ favorite, ...filter }) => client.history.page({ ...filter, favorite }),
    cancel: id => client.history.cancel(id),
    retry: (id, only, { key, isOwnKey }) =>
      client.beginAt(client.history.retryPath(id), { only }, { key, joins: !isOwnKey }),
    left: async () => (hasCap ? ((await client.me()).session_left ?? undefined) : undefined),
    noteDelivered: async id => void (await client.history.change(id, { answered: true })),
    async follow(id, signal, tell) {
      const isOver = new AbortController()
      await client.follow({ id, signal: AbortSignal.any([signal, isOver.signal]) }, message => {
        if (message.type === 'generation') tell(message.generation)
        if (message.type === 'removed' || (message.type === 'generation' && hasEnded(message.generation)))
          isOver.abort()
      })
    },
    thumbnail: async (id, size) => (await client.images.read(id, size)).bytes,
    original: id => client.images.read(id),
    link: ({ url }) => client.url(url),
    ...(saveTo === undefined ? {} : { save: image => save(client, saveTo, image) }),
    async uploadFile(text) {
      try {
        return await uploadPictureFile(client, text)
      } catch (error) {
        if (error instanceof LocalFileError) throw new ToolRefusal('invalid_request', error.message)
        throw error
      }
    },
  }
}

/** Under its id, so that it is saved once. */
async function save(client: ReturnType<typeof createClient>, folder: string, image: Original) {
  return (await saveOriginal(client, image, { folder, name: image.id.replace(/[^\w-]/g, '') })).file
}
