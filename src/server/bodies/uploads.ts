/** Forms with files: streamed to disk and hashed, within limits, and removed again unless they were moved. */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import multipart, { type MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import type { Violation } from '../../catalogue/violation.ts'
import { invalid } from '../../errors.ts'
import type { UploadedFile } from '../../images/references.ts'
import type { JsonObject, JsonValue } from '../../storage/records.ts'
import { HttpRefusal } from '../errors/refusals.ts'
import { type App, adviseMediaType, takesFiles } from '../route.ts'
import { refuseBody } from './bodies.ts'
import { faultOfText, readJson } from './json.ts'

const megabyte = 1024 * 1024
const maxFileBytes = 20 * megabyte
const maxFiles = 16
/** A data URI of the largest file fits. */
const maxFieldBytes = 28 * megabyte
const maxTextBytes = 64 * megabyte
/** Limit of the texts in a form that is made for files alone. */
const maxFieldBytesBesideFiles = 64 * 1024
const maxParts = 80
/** Limits of all files and texts of a form, and of the multipart framing around them. */
const maxFormBytes = maxFiles * maxFileBytes + maxTextBytes
const maxFramingBytes = 4 * megabyte
/** Longer than any request; an older file was left by a process that was killed. */
const leftoverMs = 24 * 3600_000

declare module 'fastify' {
  interface FastifyRequest {
    /** Files of the form by the name that `body` uses. Those still present when the answer is sent are removed. */
    uploads: Map<string, UploadedFile> | null
  }
}

export async function acceptUploads(app: App, folder: string) {
  await mkdir(folder, { recursive: true })
  await sweep(folder)
  await app.register(multipart, {
    throwFileSizeLimit: false,
    // The parser would read a text that is too long to its end, which may never come. Here every part is read in chunks.
    isPartAFile: () => true,
    limits: {
      // Each part has its own limit.
      fileSize: Number.POSITIVE_INFINITY,
      files: maxParts,
      parts: maxParts,
      fieldNameSize: 100,
      headerPairs: 20,
    },
  })
  app.decorateRequest('uploads', null)

  app.addHook('preValidation', async request => {
    const { config } = request.routeOptions
    const isForm = request.isMultipart()
    if (isForm ? !takesFiles(config) : config.accepts === 'files') {
      throw new HttpRefusal('unsupported_media_type', adviseMediaType(config))
    }
    if (isForm) request.body = await readForm(request, folder)
  })

  // Here and not when the connection closes: a client that disconnects cancels nothing.
  app.addHook('onSend', async request => {
    if (request.uploads) await removeUploads(request.uploads)
  })
}

/** The form as the equivalent JSON body; files appear in it under names of `request.uploads`. */
async function readForm(request: FastifyRequest, folder: string): Promise<JsonObject> {
  const uploads = new Map<string, UploadedFile>()
  request.uploads = uploads
  const fields = new Map<string, string[]>()
  const violations: Violation[] = []
  let textBytes = 0
  const holdsOnlyFiles = request.routeOptions.config.accepts === 'files'
  const fieldBytes = holdsOnlyFiles ? maxFieldBytesBesideFiles : maxFieldBytes
  if (Number(request.headers['content-length'] ?? 0) > maxFormBytes + maxFramingBytes) throw formTooLarge()
  const taken = refuseFraming(request)
  try {
    for await (const part of request.parts()) {
      // Every part is given as a file.
      if (part.type !== 'file') continue
      // As some clients spell the name of a list.
      const name = part.fieldname.replace(/\[\d*\]$/, '')
      const values = fields.get(name) ?? []
      fields.set(name, values)
      if (isFile(part, holdsOnlyFiles)) {
        if (uploads.size >= maxFiles) throw tooManyFiles()
        const upload = `upload:${randomUUID()}`
        uploads.set(upload, await keep(part, folder, taken))
        values.push(upload)
        continue
      }
      const text = await readText(part, Math.min(fieldBytes, maxTextBytes - textBytes), taken)
      textBytes += text.length
      const message = faultOfText(text)
      if (message) violations.push({ path: part.fieldname.toWellFormed().replaceAll('\0', ''), message })
      values.push(text)
    }
  } catch (error) {
    await removeUploads(uploads)
    request.raw.unpipe()
    throw asRefusal(error)
  }
  if (violations.length > 0) throw invalid(violations)
  return toBody(fields, request.routeOptions.config.listFields ?? ['images'])
}

/** Ends a form that keeps sending outside its parts: before the first, after the last, or in an unread one. */
function refuseFraming({ raw }: FastifyRequest) {
  let left = maxFramingBytes
  raw.on('data', function count(chunk: Buffer) {
    left -= chunk.length
    if (left >= 0) return
    raw.off('data', count)
    refuseBody(raw, formTooLarge())
  })
  /** Bytes that belong to a part. */
  return (bytes: number) => {
    left += bytes
  }
}

function isFile({ filename, mimetype }: MultipartFile, holdsOnlyFiles: boolean) {
  return filename !== undefined || mimetype === 'application/octet-stream' || (holdsOnlyFiles && isJson(mimetype))
}

async function readText(part: MultipartFile, maxBytes: number, taken: (bytes: number) => void) {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of part.file as AsyncIterable<Buffer>) {
    taken(piece.length)
    bytes += piece.length
    if (bytes > maxBytes) throw tooLarge('The texts of the form are too large; send pictures as files.')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

async function keep(part: MultipartFile, folder: string, taken: (bytes: number) => void): Promise<UploadedFile> {
  const target = path.join(folder, `${randomUUID()}.part`)
  const hash = createHash('sha256')
  let bytes = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      taken(chunk.length)
      bytes += chunk.length
      done(bytes > maxFileBytes ? fileTooLarge(part) : null, chunk)
    },
  })
  try {
    // The folder may have been removed since the start.
    await mkdir(folder, { recursive: true })
    await pipeline(part.file, count, createWriteStream(target, { flags: 'wx', mode: 0o600 }))
  } catch (error) {
    await rm(target, { force: true })
    throw error
  }
  return { path: target, bytes, sha256: hash.digest('hex') }
}

function fileTooLarge(part: MultipartFile) {
  return tooLarge(`The file "${shortName(part)}" is larger than ${maxFileBytes / megabyte} MB; shrink it first.`)
}

function formTooLarge() {
  return tooLarge(`The form is larger than its ${maxFiles} files and its texts may be together.`)
}

function shortName({ filename }: MultipartFile) {
  return (filename ?? '').replace(/[\x00-\x1f"]/g, '').slice(-60)
}

function toBody(fields: Map<string, string[]>, lists: readonly string[]): JsonObject {
  const body: [string, JsonValue][] = []
  for (const [name, values] of fields) {
    if (lists.includes(name)) body.push([name, values.filter(value => value !== '')])
    else if (values.length > 1)
      throw invalid([{ path: name, message: `The field "${name}" was sent ${values.length} times; send it once.` }])
    else if (name === 'parameters') body.push([name, values[0] ? readJson(Buffer.from(values[0]), name) : {}])
    // An empty field of a form was not filled in; only a prompt may be empty on purpose.
    else if (values[0] !== '' || name === 'prompt') body.push([name, values[0] ?? ''])
  }
  return Object.fromEntries(body)
}

function asRefusal(error: unknown) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  switch (code) {
    case 'FST_FILES_LIMIT':
    case 'FST_PARTS_LIMIT':
      return tooLarge('The form holds too many fields.')
    case 'FST_PROTO_VIOLATION':
      return invalid([{ path: '', message: 'A field of the form has an invalid name.' }])
    case 'FST_MP_PREMATURE_CLOSE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return new HttpRefusal('bad_request', 'The form ended before it was complete.')
    case 'ENOSPC':
    case 'EDQUOT':
      return new HttpRefusal('storage_failed', 'The disk of the server is full; make room and send the files again.')
  }
  if (error instanceof HttpRefusal || code === 'invalid_request') return error
  // Disk errors name a system call; the others are the parser's, about the client's bytes.
  if (error instanceof Error && 'syscall' in error) return error
  return new HttpRefusal(
    'bad_request',
    'The form is not well-formed multipart/form-data; let your HTTP library write the boundary.',
  )
}

function isJson(type: string | undefined) {
  return type?.startsWith('application/json') ?? false
}

function tooManyFiles() {
  return tooLarge(`The form holds more than ${maxFiles} files.`)
}

function tooLarge(message: string) {
  return new HttpRefusal('too_large', message)
}

/** Ignores files that have been moved. */
export async function removeUploads(uploads: Map<string, UploadedFile>) {
  for (const [name, { path }] of uploads) {
    uploads.delete(name)
    await rm(path, { force: true })
  }
}

async function sweep(folder: string) {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name)
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
    if (Date.now() - mtimeMs > leftoverMs) await rm(file, { force: true })
  }
}
