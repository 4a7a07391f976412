/** Stored pictures: their bytes as they came, thumbnails, and uploaded references. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { NoBody } from '../../api/history.ts'
import { StoredReference, ThumbnailQuery, UploadForm } from '../../api/images.ts'
import { ArchiveRequest } from '../../api/recipes.ts'
import { invalid } from '../../errors.ts'
import { type Conversion, conversionFormats, needsConversion } from '../../images/conversion.ts'
import type { UploadedFile } from '../../images/references.ts'
import { restrictTo } from '../../members/tokens.ts'
import type { ImageRecord } from '../../storage/records.ts'
import { getCaller } from '../access/access.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { nothingHere, readId } from '../route.ts'
import { createArchive, readWhole } from './archive.ts'
import { fileEnding, isDrawn, presentReference } from './present/images.ts'
import { fileWithRecipe, presentRecipe } from './present/recipes.ts'

export function imageRoutes(app: App, { services, limits, base, prefix }: Parts) {
  const { images } = services
  const tags = ['Images']

  app.post(
    '/api/images',
    {
      config: {
        access: 'member',
        rateLimit: 'other',
        accepts: 'files',
        filesForm: UploadForm,
        problems: ['storage_failed'],
        answers: { 201: { headers: ['Location'] } },
      },
      schema: {
        tags,
        summary: 'Store a reference once',
        description:
          'Its `id` can be used in `images` of any number of generations. Deleted when no generation has used it for 24 hours.',
        response: { 201: StoredReference },
      },
    },
    async (request, reply) => {
      const upload = onlyFile(request)
      const image = await images.storeReference(upload, getCaller(request))
      request.uploads?.clear()
      return reply
        .code(201)
        .header('location', `${prefix}/images/${encodeURIComponent(image.id)}`)
        .send(presentReference(image, base))
    },
  )

  app.get(
    '/images/:id',
    {
      exposeHeadRoute: false,
      config: {
        access: 'own image',
        opensBySignature: true,
        problems: ['range_not_satisfiable'],
        reads: { ...imageQueries, 'header range': 'One range of bytes.', ...ifNoneMatch },
        answers: {
          200: { description: 'The picture.', type: 'image/*', headers: ['ETag', 'X-Webimgui-Converted'] },
          206: { description: 'A part of the picture.', type: 'image/*', headers: ['Content-Range'] },
          ...notModified,
        },
      },
      schema: imageSchema,
    },
    sendImage,
  )

  app.head(
    '/images/:id',
    {
      config: {
        access: 'own image',
        opensBySignature: true,
        swagger: { exposeHeadRoute: true },
        reads: { ...imageQueries, ...ifNoneMatch },
        answers: { 200: { description: 'What `GET` would send.', headers: ['ETag'] }, ...notModified },
      },
      schema: imageSchema,
    },
    sendImage,
  )

  app.post(
    '/api/images/archive',
    {
      config: {
        access: 'member',
        rateLimit: 'other',
        longAnswer: 'archive',
        accepts: 'json or form',
        problems: ['not_found'],
        answers: { 200: { description: 'A ZIP.', type: 'application/zip' } },
      },
      schema: {
        tags,
        summary: 'Many pictures in one ZIP, with their recipes',
        description:
          'A stream of the pictures, each with its recipe inside where its type has a place for one, and `recipes.json`. ' +
          'A page may also post a form with the ids in one field, separated by commas.',
        body: ArchiveRequest,
      },
    },
    async (request, reply) => {
      const stream = await createArchive(request.body.ids, services, restrictTo(getCaller(request)))
      const day = new Date().toISOString().slice(0, 10)
      reply.header('content-disposition', `attachment; filename="webimgui-${day}.zip"`)
      return reply.type('application/zip').send(stream)
    },
  )

  app.get(
    '/images/:id/thumbnail',
    {
      config: {
        access: 'own image',
        opensBySignature: true,
        reads: { ...signedQueries, ...ifNoneMatch },
        answers: {
          200: { description: 'A WebP of at most `size` pixels a side.', type: 'image/webp' },
          ...notModified,
        },
      },
      schema: { tags, summary: 'A small WebP of a picture', querystring: ThumbnailQuery },
    },
    async (request, reply) => {
      const image = await findImage(request)
      const { size = 512 } = request.query
      if (isCached(request, reply, `"${image.sha256}-${size}"`)) return reply.code(304).send()
      const bytes = await images.thumbnail(image, size)
      return reply.type('image/webp').header('content-security-policy', imagePolicy).send(bytes)
    },
  )

  app.delete(
    '/images/:id',
    {
      config: { access: 'own image', problems: ['conflict'] },
      schema: {
        tags,
        summary: 'Delete an uploaded reference',
        description: 'Only one that no generation uses.',
        body: NoBody,
        response: { 204: z.null().describe('Done.') },
      },
    },
    async (request, reply) => {
      await images.remove(readId(request), restrictTo(getCaller(request)))
      return reply.code(204).send(null)
    },
  )

  async function sendImage(request: FastifyRequest, reply: FastifyReply) {
    const image = await findImage(request)
    const query = request.query as Record<string, unknown>
    const conversion = readConversion(query)
    if (conversion && needsConversion(image, conversion)) return sendConverted(image, conversion, request, reply)
    if (query.recipe !== undefined) return sendWithRecipe(image, request, reply)
    const tag = `"${image.sha256}"`
    if (isCached(request, reply, tag)) return reply.code(304).send()
    reply.header('accept-ranges', 'bytes').headers(fileHeaders(image, request))
    const range = request.method === 'GET' ? parseRange(request, image.bytes, tag) : undefined
    if (range === 'outside') {
      throw new HttpRefusal('range_not_satisfiable', `The picture has ${image.bytes} bytes; ask for a range inside.`, {
        'content-range': `bytes */${image.bytes}`,
      })
    }
    const length = range ? range.end - range.start + 1 : image.bytes
    if (request.method === 'HEAD') return reply.header('content-length', String(length)).send()
    const stream = await images.read(image, range)
    if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${image.bytes}`)
    return reply.header('content-length', String(length)).send(stream)
  }

  async function sendConverted(
    image: ImageRecord,
    conversion: Conversion,
    request: FastifyRequest,
    reply: FastifyReply,
  ) {
    const { format, quality = '' } = conversion
    if (isCached(request, reply, `"${image.sha256}-${format}${quality}"`)) return reply.code(304).send()
    limits.hold(image.bytes, request, reply)
    const bytes = await images.convert(image, conversion)
    if (!bytes) return reply.headers(fileHeaders(image, request)).send(await images.read(image))
    reply
      .headers(fileHeaders({ ...image, mimeType: `image/${format}` }, request))
      .header('x-webimgui-converted', format)
    return reply.send(bytes)
  }

  /** References have no recipe of their own, and come as they are. */
  async function sendWithRecipe(image: ImageRecord, request: FastifyRequest, reply: FastifyReply) {
    const generation = image.generationId === null ? undefined : await services.generations.find(image.generationId)
    if (isCached(request, reply, `"${image.sha256}-recipe-1"`)) return reply.code(304).send()
    limits.hold(image.bytes, request, reply)
    const bytes = await readWhole(await images.read(image))
    reply.headers(fileHeaders(image, request))
    return reply.send(generation ? fileWithRecipe(bytes, image, presentRecipe(generation, image)) : bytes)
  }

  async function findImage(request: Pick<FastifyRequest, 'params'>) {
    const image = await images.find(readId(request))
    if (!image) throw nothingHere('image')
    return image
  }
}

const imageSchema = {
  tags: ['Images'],
  summary: 'A picture, byte for byte as received',
  description:
    'With `ETag` and `Range`; `?download` asks for a file with a name. `?recipe` writes the recipe of the picture into the file (PNG, JPEG ' +
    'and WebP; the pixels stay as they are), and has no ranges. `?format=webp&quality=80` converts it for this answer alone.',
}

const signedQueries = {
  'query expires': 'Of a signed link, which opens this picture without a token: seconds since 1970.',
  'query signature': 'Of a signed link.',
}

const imageQueries = {
  ...signedQueries,
  'query download': 'With any value or none: as a download with a file name.',
  'query format': '`png`, `jpeg` or `webp`: converted for this answer; what is stored stays as it came. No ranges.',
  'query quality': '1 to 100, for JPEG and WebP.',
  'query recipe': 'With any value or none: with the recipe inside, and without ranges.',
}

/** @throws Refusal `invalid_request` */
function readConversion({ format, quality }: Record<string, unknown>): Conversion | undefined {
  if (format === undefined) return undefined
  const known = conversionFormats.find(one => one === format)
  if (!known) throw invalid([{ path: 'format', message: `"format" must be one of ${conversionFormats.join(', ')}.` }])
  if (quality === undefined) return { format: known }
  if (typeof quality !== 'string' || !/^(100|[1-9]\d?)$/.test(quality)) {
    throw invalid([{ path: 'quality', message: '"quality" must be a whole number from 1 to 100.' }])
  }
  return { format: known, quality: Number(quality) }
}

const ifNoneMatch = { 'header if-none-match': 'An `ETag`.' }
const notModified = { 304: { description: 'The client has it already.' } }

const imagePolicy = "default-src 'none'; sandbox"

function onlyFile(request: Pick<FastifyRequest, 'body' | 'uploads'>): UploadedFile {
  const { file, ...others } = (request.body ?? {}) as Record<string, unknown>
  const unknown = Object.keys(others)
  if (unknown.length > 0) {
    throw invalid(
      unknown.map(path => ({
        path,
        message: `There is no field "${path}"; send the picture in a field named "file".`,
      })),
    )
  }
  const upload = typeof file === 'string' ? request.uploads?.get(file) : undefined
  if (!upload) throw invalid([{ path: 'file', message: 'Send one picture as a file in a field named "file".' }])
  return upload
}

function fileHeaders(image: ImageRecord, request: Pick<FastifyRequest, 'query'>) {
  const isShown = isDrawn(image.mimeType)
  const isDownload = !isShown || (request.query as Record<string, unknown>).download !== undefined
  const day = /^\d{4}-\d\d-\d\d/.exec(image.createdAt)?.[0] ?? 'image'
  const name = `webimgui-${day}-${image.id.replace(/[^\w-]/g, '').slice(0, 8)}-${image.index + 1}.${fileEnding(image.mimeType)}`
  return {
    'content-type': isShown ? image.mimeType : 'application/octet-stream',
    'content-disposition': `${isDownload ? 'attachment' : 'inline'}; filename="${name}"`,
    'content-security-policy': imagePolicy,
  }
}

/** Sets the headers of an immutable file; true when the client has it already. */
function isCached(
  request: Pick<FastifyRequest, 'headers' | 'linkSeconds'>,
  reply: Pick<FastifyReply, 'headers'>,
  tag: string,
) {
  const { linkSeconds = 365 * 24 * 3600 } = request
  reply.headers({ etag: tag, 'cache-control': `private, max-age=${linkSeconds}, immutable` })
  const known = request.headers['if-none-match']?.split(',').map(part => part.trim().replace(/^W\//, ''))
  return known?.some(other => other === '*' || other === tag) ?? false
}

/** Reads a single byte range, inclusive. Malformed or multiple ranges are answered with the whole image (RFC 9110 §14.2). */
function parseRange(request: Pick<FastifyRequest, 'headers'>, bytes: number, tag: string) {
  const wanted = /^bytes=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(request.headers.range ?? '')
  const condition = request.headers['if-range']
  if (!wanted || (condition !== undefined && condition !== tag)) return undefined
  const [, first = '', last = ''] = wanted
  if (first === '' && last === '') return undefined
  if (first === '') {
    const length = Math.min(Number(last), bytes)
    return length === 0 ? ('outside' as const) : { start: bytes - length, end: bytes - 1 }
  }
  const start = Number(first)
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start >= bytes ? ('outside' as const) : { start, end }
}
