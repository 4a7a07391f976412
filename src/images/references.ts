/** References: read and checked, then prepared for the model that gets them. */
import { readFile, rm } from 'node:fs/promises'
import sharp from 'sharp'
import type { ReferenceLimits } from '../catalogue/model.ts'
import { InvalidRequest } from '../catalogue/violation.ts'
import { ExchangeError } from '../outgoing/errors.ts'
import type { OutgoingHttp } from '../outgoing/http.ts'
import { type Files, StorageError } from '../storage/files/folder.ts'
import type { ImageRecord } from '../storage/records.ts'
import { FetchError, inlineBytes, keepBytes } from './download.ts'
import {
  decoderOf,
  inTurn,
  isDecodable,
  isWhole,
  maxPixels,
  NotAPicture,
  type PictureFacts,
  type PictureSource,
  pictureFacts,
  provePicture,
} from './facts.ts'
import type { ReferenceInput } from './services.ts'

/** As read: an image that can be decoded (or HEIC, which cannot), byte for byte as received. */
export interface Original extends PictureFacts {
  bytes: number
  sha256: string
  /** Set when the picture is stored already. */
  stored?: ImageRecord
  /** A temporary file that the receiver stores or removes; set when `stored` is not. */
  temporaryPath?: string
}

/** As sent. */
export interface PreparedReference {
  bytes: Buffer
  mimeType: string
  width: number
  height: number
  /** Has at least one pixel that is not opaque. */
  transparent: boolean
}

export interface ReferenceParts {
  http: OutgoingHttp
  files: Files
  findImage(id: string): Promise<ImageRecord | undefined>
}

/** Of one reference that comes from outside. */
const maxReferenceBytes = 30_000_000
const fetchTimeoutMs = 20_000

/**
 * Reads one reference from any source. An upload belongs to this function until it returns, and is removed when
 * it is refused.
 * @param position among the references, for the path of a violation
 * @throws InvalidRequest, StorageError; the reason of `signal` as it is
 */
export async function readReference(
  input: ReferenceInput,
  position: number,
  parts: ReferenceParts,
  signal?: AbortSignal,
): Promise<Original> {
  try {
    if ('upload' in input) return await inspected({ ...input.upload, temporaryPath: input.upload.path })
    const text = input.text.trim()
    if (/^data:/i.test(text)) {
      return await inspected(await keepBytes(parts.files, inlineBytes(text), maxReferenceBytes))
    }
    if (/^https?:\/\//i.test(text)) return await inspected(await fetched(text, parts, signal))
    return await storedImage(text, parts)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw toViolation(error, position)
  }
}

async function inspected(kept: { temporaryPath: string; bytes: number; sha256: string }): Promise<Original> {
  const { temporaryPath, bytes, sha256 } = kept
  try {
    if (bytes > maxReferenceBytes) throw new FetchError('too_large', '')
    const facts = await pictureFacts(temporaryPath, maxPixels)
    if (isDecodable(facts.mimeType)) await provePicture(temporaryPath)
    else if (!(await isWhole(temporaryPath, facts))) throw damaged()
    return { ...facts, bytes, sha256, temporaryPath }
  } catch (error) {
    await rm(temporaryPath, { force: true }).catch(() => {})
    throw error
  }
}

async function fetched(url: string, { http, files }: ReferenceParts, signal?: AbortSignal) {
  const deadline = AbortSignal.timeout(fetchTimeoutMs)
  const response = await http.download(url, {
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    maxBytes: maxReferenceBytes,
    headersTimeoutMs: fetchTimeoutMs,
    idleTimeoutMs: fetchTimeoutMs,
  })
  if (response.status !== 200) {
    response.discard()
    throw new NotAPicture(
      `Its address answered ${response.status} instead of a picture. Check the address, or upload the file.`,
    )
  }
  return keepBytes(files, response.body, maxReferenceBytes)
}

async function storedImage(id: string, { files, findImage }: ReferenceParts): Promise<Original> {
  const shown = JSON.stringify(id.length > 60 ? `${id.slice(0, 60)}…` : id)
  const stored = await findImage(id)
  if (!stored)
    throw new NotAPicture(`${shown} is neither the id of a stored image nor a data URI nor an http(s) address.`)
  if ((await files.size(stored.file)) === undefined) {
    throw new NotAPicture(`The file of the stored image ${shown} is missing. Give the picture itself.`)
  }
  const { mimeType, width, height, bytes, sha256 } = stored
  return { mimeType, extension: stored.file.split('.').at(-1) ?? '', width, height, bytes, sha256, stored }
}

/** The bytes of a stored image. @throws StorageError */
export async function storedBytes(image: Pick<ImageRecord, 'file'>, files: Files): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of await files.open(image.file)) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function toViolation(error: unknown, position: number): unknown {
  const say = (message: string) =>
    new InvalidRequest([{ path: `images.${position}`, message: `Reference ${position + 1}: ${message}` }])
  if (error instanceof NotAPicture) return say(error.message)
  if (error instanceof FetchError && error.kind === 'unusable') {
    return say('It is not a readable data URI. Write data:image/png;base64,… in full.')
  }
  if ((error instanceof FetchError || error instanceof ExchangeError) && isTooLarge(error)) {
    return say(`It is larger than ${maxReferenceBytes / 1_000_000} MB. Make it smaller.`)
  }
  if (error instanceof FetchError && error.cause instanceof StorageError) return error.cause
  if (error instanceof ExchangeError) return say(`Its address could not be fetched. ${error.message}`)
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return say(`Its address took longer than ${fetchTimeoutMs / 1000} s. Upload the file instead.`)
  }
  return error
}

function isTooLarge(error: Error): boolean {
  return error.name === 'BodyTooLarge' || (error instanceof FetchError && error.kind === 'too_large')
}

// ── Preparing for a model ────────────────────────────────────────────────────────────────────────────────────────────

/**
 * All references of a call: turned upright, in sRGB, of an allowed type, within every limit. Pictures that had the same
 * size keep the same size, as a picture and its mask have to. The same input always gives the same bytes.
 * @throws InvalidRequest with the violations of all of them
 */
export async function prepareReferences(
  pictures: readonly PictureSource[],
  limits: ReferenceLimits,
): Promise<PreparedReference[]> {
  const prepareAll = async (sizes: (Dimensions | undefined)[]) => {
    const outcomes = await Promise.allSettled(
      pictures.map((picture, position) =>
        prepareReference(picture, limits, { references: pictures.length, position, size: sizes[position] }),
      ),
    )
    const failed = outcomes.filter(outcome => outcome.status === 'rejected').map(outcome => outcome.reason as unknown)
    const other = failed.find(reason => !(reason instanceof InvalidRequest))
    if (other !== undefined) throw other
    if (failed.length > 0) throw new InvalidRequest(failed.flatMap(reason => (reason as InvalidRequest).violations))
    return outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  }

  let all = await prepareAll([])
  for (;;) {
    // One of a pair may have had to shrink further to fit the byte limit; the other follows.
    const sizes = all.map(({ originalSize }) => {
      const twins = all.filter(twin => twin.originalSize === originalSize)
      return twins.reduce((least, twin) => (twin.width * twin.height < least.width * least.height ? twin : least))
    })
    const agree = all.every(
      ({ width, height }, position) => sizes[position]!.width === width && sizes[position]!.height === height,
    )
    if (agree) return all.map(withoutSize)
    all = await prepareAll(sizes.map(({ width, height }) => ({ width, height })))
  }
}

function withoutSize({
  originalSize: _,
  ...reference
}: PreparedReference & { originalSize: string }): PreparedReference {
  return reference
}

interface Dimensions {
  width: number
  height: number
}

interface Sized extends PreparedReference {
  /** Identifies images that belong together. */
  originalSize: string
}

interface PrepareOptions {
  /** Number of references that share the total limit. */
  references: number
  position: number
  /** To shrink to, instead of the largest that fits. */
  size?: Dimensions
}

async function prepareReference(
  picture: PictureSource,
  limits: ReferenceLimits,
  options: PrepareOptions,
): Promise<Sized> {
  try {
    return await inTurn(() => prepared(picture, limits, options))
  } catch (error) {
    throw toViolation(error, options.position)
  }
}

async function prepared(picture: PictureSource, limits: ReferenceLimits, options: PrepareOptions): Promise<Sized> {
  const facts = await pictureFacts(picture, maxPixels)
  const target = options.size ?? fittingSize(facts, limits)
  const originalSize = `${facts.width}x${facts.height}`
  const maxEncoded = Math.min(limits.maxEncodedBytes, Math.floor(limits.maxTotalEncodedBytes / options.references))
  // The text around the base64, "data:image/jpeg;base64,", counts for some services.
  const maxBytes = Math.floor((maxEncoded - 40) / 4) * 3
  const isSameSize = target.width === facts.width && target.height === facts.height
  if (!isDecodable(facts.mimeType)) {
    if (!limits.types.includes(facts.mimeType)) throw notConvertible(facts, limits)
    const bytes = await contentOf(picture)
    if (!isSameSize || bytes.length > maxBytes) throw notShrinkable(facts)
    return { bytes, mimeType: facts.mimeType, ...target, transparent: false, originalSize }
  }

  const metadata = await (await decoderOf(picture, { limitInputPixels: maxPixels })).metadata()
  const isPlain =
    facts.mimeType !== 'image/bmp' &&
    (metadata.orientation ?? 1) === 1 &&
    (metadata.pages ?? 1) === 1 &&
    metadata.depth === 'uchar' &&
    (metadata.space === 'srgb' || metadata.space === 'b-w') &&
    (metadata.icc === undefined || isSrgbProfile(metadata.icc)) &&
    // Location and author of a photograph are not sent to the service.
    metadata.exif === undefined &&
    metadata.xmp === undefined &&
    (limits.alpha || !metadata.hasAlpha)
  if (isPlain && isSameSize && limits.types.includes(facts.mimeType) && (metadata.size ?? 0) <= maxBytes) {
    const bytes = await contentOf(picture)
    if (bytes.length <= maxBytes) {
      const transparent = metadata.hasAlpha === true && (await hasTransparentPixel(picture))
      return { bytes, mimeType: facts.mimeType, ...target, transparent, originalSize }
    }
  }

  // Transparency can only be kept if a type that supports it is accepted.
  const keepsAlpha = limits.alpha && (limits.types.includes('image/png') || limits.types.includes('image/webp'))
  const pixels = await decodedPixels(picture, target, keepsAlpha)
  const result = await encodedWithin(pixels, facts.mimeType, limits, maxBytes)
  return { ...result, transparent: pixels.transparent, originalSize }
}

/**
 * The largest size of the same shape within the limits; depends on the size alone.
 * @throws NotAPicture when there is none
 */
function fittingSize(size: Dimensions, limits: ReferenceLimits): Dimensions {
  const long = Math.max(size.width, size.height)
  const short = Math.min(size.width, size.height)
  const shown = `${size.width}×${size.height}`
  const { minSide, maxSide, maxRatio, maxArea = Number.POSITIVE_INFINITY } = limits
  if (short < minSide) {
    throw new NotAPicture(`It is ${shown} pixels, and the model takes no side under ${minSide}. Give a larger picture.`)
  }
  if (maxRatio !== undefined && long > short * maxRatio) {
    throw new NotAPicture(`It is ${shown} pixels, and the model takes at most ${maxRatio}:1. Crop it to that.`)
  }
  const fitting = shrunk(size, Math.min(1, maxSide / long, Math.sqrt(maxArea / (long * short))), maxRatio)
  if (Math.min(fitting.width, fitting.height) < minSide) {
    throw new NotAPicture(
      `It is ${shown} pixels; shrunk to the ${maxSide} that the model takes, one side would be under ${minSide}. Crop it.`,
    )
  }
  return fitting
}

/** Rounded down, so that no limit is exceeded. */
function shrunk(size: Dimensions, scale: number, maxRatio = Number.POSITIVE_INFINITY) {
  if (scale === 1) return { width: size.width, height: size.height }
  const floor = (side: number) => Math.max(1, Math.floor(side * scale + 1e-6))
  const width = floor(size.width)
  const height = floor(size.height)
  return {
    width: Math.min(width, Math.floor(height * maxRatio)),
    height: Math.min(height, Math.floor(width * maxRatio)),
  }
}

interface Pixels {
  data: Buffer
  width: number
  height: number
  channels: 1 | 2 | 3 | 4
  transparent: boolean
}

/** Upright, first frame, sRGB, 8 bits, of that size; with a channel for transparency only when some pixel needs it. */
async function decodedPixels(picture: PictureSource, size: Dimensions, alpha: boolean): Promise<Pixels> {
  try {
    const decoder = await decoderOf(picture, { limitInputPixels: maxPixels, failOn: 'error' })
    const image = decoder.autoOrient().resize(size.width, size.height, { fit: 'fill' }).toColourspace('srgb')
    const { data, info } = await (alpha ? image : image.flatten({ background: '#ffffff' }))
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const channels = info.channels as 1 | 2 | 3 | 4
    const decoded = { data, width: info.width, height: info.height, channels, transparent: false }
    if (channels === 1 || channels === 3) return decoded
    if (isTransparent(data, channels)) return { ...decoded, transparent: true }
    const opaque = await sharp(data, { raw: { width: info.width, height: info.height, channels } })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { ...decoded, data: opaque.data, channels: opaque.info.channels as 1 | 3 }
  } catch (error) {
    throw damaged(error)
  }
}

function isTransparent(data: Buffer, channels: number): boolean {
  for (let place = channels - 1; place < data.length; place += channels) {
    if (data[place] !== 255) return true
  }
  return false
}

async function hasTransparentPixel(picture: PictureSource): Promise<boolean> {
  try {
    const alpha = await sharp(picture, { limitInputPixels: maxPixels }).extractChannel('alpha').raw().toBuffer()
    return isTransparent(alpha, 1)
  } catch (error) {
    throw damaged(error)
  }
}

/** HEIC, as phones make it, is passed on unchanged or not at all. */
function notConvertible({ mimeType }: PictureFacts, { types }: ReferenceLimits): NotAPicture {
  const taken = types.map(type => type.replace('image/', '').toUpperCase()).join(', ')
  return new NotAPicture(
    `It is ${mimeType}, which the model does not take and which cannot be converted here. It takes ${taken}; save it as JPEG first.`,
  )
}

function notShrinkable({ mimeType, width, height }: PictureFacts): NotAPicture {
  return new NotAPicture(
    `It is ${mimeType} of ${width}×${height} pixels, larger than the model takes, and cannot be shrunk here. Save it as JPEG first.`,
  )
}

function damaged(cause?: unknown): NotAPicture {
  return new NotAPicture('It is damaged or incomplete. Save it again, as JPEG or PNG for example.', { cause })
}

/** The first form that fits: lossless where the original was, then lower quality, then smaller. */
async function encodedWithin(pixels: Pixels, originalType: string, limits: ReferenceLimits, maxBytes: number) {
  const { types, minSide } = limits
  const wasLossless = ['image/png', 'image/apng', 'image/gif', 'image/tiff', 'image/bmp'].includes(originalType)
  const lossy = pixels.transparent || !types.includes('image/jpeg') ? ['image/webp'] : ['image/jpeg']
  const forms: { mimeType: string; quality: number }[] = []
  if (types.includes('image/png') && (wasLossless || pixels.transparent || !lossy.some(type => types.includes(type)))) {
    forms.push({ mimeType: 'image/png', quality: 100 })
  }
  for (const mimeType of lossy) {
    if (types.includes(mimeType)) forms.push(...[92, 82, 70].map(quality => ({ mimeType, quality })))
  }
  const fallback = forms.at(-1)
  if (!fallback) {
    throw new NotAPicture(
      `The model takes ${types.join(', ')}only, and this picture cannot be converted to that here. Convert it first.`,
    )
  }
  for (let scale = 1; ; scale *= 0.8) {
    const { width, height } = shrunk(pixels, scale, limits.maxRatio)
    if (scale < 1 && Math.min(width, height) < minSide) break
    // Once it has to shrink, only the smallest encodings are worth the time.
    for (const form of scale === 1 ? forms : [fallback]) {
      const bytes = await encode(pixels, { width, height }, form)
      if (bytes.length <= maxBytes) return { bytes, mimeType: form.mimeType, width, height }
    }
    if (Math.max(width, height) <= 16) break
  }
  throw new NotAPicture(
    `It cannot be made small enough: at most ${Math.max(0, maxBytes)} bytes are left for it. Give fewer or simpler pictures.`,
  )
}

function encode(pixels: Pixels, size: Dimensions, form: { mimeType: string; quality: number }) {
  const { width, height, channels } = pixels
  const image = sharp(pixels.data, { raw: { width, height, channels } }).resize(size.width, size.height, {
    fit: 'fill',
  })
  if (form.mimeType === 'image/jpeg')
    return image.jpeg({ quality: form.quality, chromaSubsampling: '4:4:4' }).toBuffer()
  if (form.mimeType === 'image/webp') return image.webp({ quality: form.quality, effort: 2 }).toBuffer()
  return image.png({ compressionLevel: 6 }).toBuffer()
}

/** The description of a profile is text in 8 or 16 bits. */
function isSrgbProfile(profile: Buffer): boolean {
  return profile.includes('sRGB') || profile.includes('s\0R\0G\0B')
}

async function contentOf(picture: PictureSource): Promise<Buffer> {
  if (typeof picture !== 'string') return picture
  return readFile(picture)
}
