/** How a picture gets into the simulated DashScope: data URI, web address or uploaded file, and what is refused. */
import sharp from 'sharp'
import { Refusal } from '../refusal.ts'
import type { QwenModel } from './models.ts'
import { invalidParameter } from './refusals.ts'

export interface InputImage {
  width: number
  height: number
  /** Small and decodable, for the drawing; absent for BMP, which the drawing cannot read. */
  preview?: Buffer
}

/** What stands at a web address when a test says so instead of a real server. */
export type WebImage = Buffer | 'refused' | 'timeout' | 'missing'

export interface InputSources {
  model: QwenModel
  web: Readonly<Record<string, WebImage>>
}

/** Encoded bytes of one data URI (DashScope documentation; twice that was measured outside China). */
const maxDataUriBytes = 10_485_760
const invalidUrl = 'The provided URL does not appear to be valid. Ensure it is correctly formatted.'

/** @throws Refusal with the message of the service */
export async function loadInput(text: string, sources: InputSources): Promise<InputImage> {
  const bytes = await readInput(text, sources)
  const image = await decode(bytes)
  const limits = sources.model.referenceLimits
  if (limits && bytes.length > limits.maxBytes) throw sizeRefusal()
  if (limits) {
    const short = Math.min(image.width, image.height)
    const long = Math.max(image.width, image.height)
    if (short < limits.minSide || long > limits.maxSide) throw sizeRefusal()
    if (limits.maxRatio && long / short > limits.maxRatio) throw sizeRefusal()
    if (!limits.alpha && image.alpha) throw invalidParameter('image format error')
  } else if (bytes.length > 10 * 1024 * 1024) {
    throw sizeRefusal()
  }
  return { width: image.width, height: image.height, preview: image.preview }
}

const sizeRefusal = () => invalidParameter('the size of input image is too small or too large.')

async function readInput(text: string, sources: InputSources): Promise<Buffer> {
  if (text.startsWith('data:')) return readDataUri(text)
  if (/^https?:\/\//i.test(text)) return readWeb(text, sources.web)
  throw invalidParameter(invalidUrl)
}

const dataUriTypes = ['image/jpeg', 'image/jpg', 'image/png', 'image/bmp', 'image/tiff', 'image/webp', 'image/gif']

function readDataUri(text: string): Buffer {
  const comma = text.indexOf(',')
  const head = text.slice(0, comma)
  const match = /^data:([a-z/+.-]+);base64$/.exec(head)
  if (comma < 0 || !match || !dataUriTypes.includes(match[1]!)) throw invalidParameter('image format error')
  const encoded = text.slice(comma + 1)
  if (Buffer.byteLength(encoded) > maxDataUriBytes) {
    throw invalidParameter(`Exceeded limit on max bytes per data-uri item : ${maxDataUriBytes}`)
  }
  const wellFormed = encoded.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(encoded)
  if (!wellFormed) throw invalidParameter('Invalid image format or corrupted file')
  return Buffer.from(encoded, 'base64')
}

async function readWeb(text: string, web: Readonly<Record<string, WebImage>>): Promise<Buffer> {
  const known = web[text]
  if (Buffer.isBuffer(known)) return known
  if (!URL.canParse(text)) throw invalidParameter(invalidUrl)
  const url = new URL(text)
  if (known === 'timeout') {
    throw new Refusal(400, 'InvalidURL.Timeout', `Download ${text} timeout, please check network connection.`)
  }
  // Only this machine is ever asked; every other address behaves like a host that is not there.
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (known === 'missing') throw invalidParameter('download image failed')
  if (known === 'refused' || !local) throw connectionRefused(text)
  return download(text)
}

const connectionRefused = (url: string) =>
  new Refusal(400, 'InvalidURL.ConnectionRefused', `Connection to ${url} refused, please provide available URL.`)

async function download(url: string): Promise<Buffer> {
  const response = await fetch(url, { redirect: 'manual' }).catch(() => undefined)
  if (!response) throw connectionRefused(url)
  const bytes = Buffer.from(await response.arrayBuffer())
  if (!response.ok) throw invalidParameter('download image failed')
  const described = response.headers.has('content-length') && response.headers.get('content-type')?.startsWith('image/')
  if (!described) {
    throw new Refusal(
      400,
      'InvalidParameter.DataInspection',
      'Unable to download the media resource during the data inspection process.',
    )
  }
  return bytes
}

async function decode(bytes: Buffer): Promise<{ width: number; height: number; alpha: boolean; preview?: Buffer }> {
  const bitmap = readBitmapHeader(bytes)
  if (bitmap) return { ...bitmap, alpha: false }
  try {
    const image = sharp(bytes, { failOn: 'error' })
    const { width, height, hasAlpha, format } = await image.metadata()
    if (!['jpeg', 'png', 'webp', 'tiff', 'gif'].includes(format)) throw new Error(format)
    // Drawing it small proves that the whole file can be decoded.
    const preview = await image.resize(512, 512, { fit: 'inside', withoutEnlargement: true }).png().toBuffer()
    return { width, height, alpha: hasAlpha, preview }
  } catch {
    throw invalidParameter('Invalid image format or corrupted file')
  }
}

function readBitmapHeader(bytes: Buffer) {
  if (bytes.length < 54 || bytes.toString('latin1', 0, 2) !== 'BM') return undefined
  const width = bytes.readInt32LE(18)
  const height = Math.abs(bytes.readInt32LE(22))
  return width > 0 && height > 0 && bytes.readUInt32LE(10) < bytes.length ? { width, height } : undefined
}
