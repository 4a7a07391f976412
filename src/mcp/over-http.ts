/** The operations over HTTP, for tools that run beside the client instead of inside the server. */
import { openAsBlob } from 'node:fs'
import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type createClient, hasEnded } from '../client/client.ts'
import { ToolRefusal } from './errors.ts'
import type { Operations } from './operations.ts'

/** What the server takes as a reference. */
const maxFileBytes = 20 * 1024 * 1024
const pictureNames = /\.(png|jpe?g|webp|gif|bmp|tiff?|avif|heic|heif)$/i

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
    ...(saveTo === undefined ? {} : { save: image => saveOriginal(client, saveTo, image) }),
    async uploadFile(text) {
      const file = toPath(text)
      const facts = await stat(file).catch(() => undefined)
      if (!facts?.isFile()) throw new ToolRefusal('invalid_request', `There is no file "${file}".`)
      if (!pictureNames.test(file)) {
        throw new ToolRefusal('invalid_request', `"${file}" does not have the name of a picture, such as .png or .jpg.`)
      }
      if (facts.size > maxFileBytes) throw new ToolRefusal('invalid_request', `"${file}" is larger than 20 MB.`)
      return (await client.images.upload(await openAsBlob(file), { name: path.basename(file) })).id
    },
  }
}

/** Under its id, so that it is saved once. */
async function saveOriginal(
  client: ReturnType<typeof createClient>,
  folder: string,
  { id, mime_type: type }: Parameters<NonNullable<Operations['save']>>[0],
) {
  const ending = type
    .replace(/^image\/(x-)?/, '')
    .replace(/^jpeg$/, 'jpg')
    .replace(/\W.*$/, '')
  const file = path.join(folder, `${id.replace(/[^\w-]/g, '')}.${ending}`)
  if (await stat(file).catch(() => undefined)) return file
  const { bytes } = await client.images.read(id)
  await mkdir(folder, { recursive: true })
  // The name stands for the whole picture.
  await writeFile(`${file}.part`, bytes)
  await rename(`${file}.part`, file)
  return file
}

function toPath(text: string) {
  if (text.startsWith('file:')) return fileURLToPath(text)
  return path.resolve(text.replace(/^~(?=\/)/, os.homedir()))
}
