/** Reads a request to `images/generations` as Ark does: refuses what it knows and the model does not take, ignores what it does not know. */
import sharp from 'sharp'
import { thumbnailOf } from '../drawing/picture.ts'
import { type Family, offTable, type ServedModel } from './models.ts'

/** An error answer; the request id is added to the message when it is sent. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number
  readonly code: string
  readonly param: string
  /** Where it is not the usual one of the status. */
  readonly type: string | undefined
  /** Real seconds of the service until it says so. */
  readonly seconds: number

  constructor(
    status: number,
    code: string,
    message: string,
    options: { param?: string; type?: string; seconds?: number } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.param = options.param ?? ''
    this.type = options.type
    this.seconds = options.seconds ?? 0.3
  }
}

export type Body = Record<string, unknown>

/** What is to be made, once nothing is left to complain about. */
export interface Order {
  model: ServedModel
  prompt: string
  /** Most pictures; the prompt may want fewer. */
  pictures: number
  isGroup: boolean
  layers: boolean
  stream: boolean
  base64: boolean
  type: 'png' | 'jpeg'
  watermark: boolean
  background: string | undefined
  seed: number | undefined
  tools: unknown
  /** `2K`, `auto` or `WxH`. */
  size: string
  references: string[]
}

export interface Reference {
  width: number
  height: number
  format: string
  transparent: boolean
  thumbnail: Buffer | undefined
}

const referenceFormats = ['jpeg', 'png', 'webp', 'bmp', 'tiff', 'gif', 'heic', 'heif']
const maxInGroup = 15

export function invalid(param: string, reason: string, code = 'InvalidParameter'): Refusal {
  return new Refusal(400, code, `The parameter \`${param}\` specified in the request is not valid: ${reason}.`, {
    param,
  })
}

export function missing(param: string): Refusal {
  return new Refusal(
    400,
    'MissingParameter',
    'The request failed because it is missing one or multiple required parameters.',
    { param },
  )
}

/** @throws Refusal with the first fault only, as the service does. */
export function readOrder(sent: Body, model: ServedModel): Order {
  // The official Python SDK sends null for what is unset, but for `stream`.
  const body = Object.fromEntries(Object.entries(sent).filter(([name, value]) => value !== null || name === 'stream'))
  const { family } = model
  const layers = family.maxLayers > 0 && body.layer_decomposition === true
  const references = readReferences(body.image)
  if (!layers && (body.prompt === undefined || body.prompt === '')) throw missing('prompt')
  if (body.prompt !== undefined && typeof body.prompt !== 'string') throw invalid('prompt', 'must be a string')

  const checks = [() => checkSize(body, model, layers), () => checkBackground(body, family, references, layers)]
  if (family.checkedFirst === 'background') checks.reverse()
  const [first, second] = checks
  first?.()
  refuseUnsupported(body, family)
  second?.()
  checkLayers(body, family, references, layers)
  checkChoices(body, family)
  checkCount(family, references)
  const pictures = checkGroup(body, family, references)
  references.forEach(checkReferenceForm)

  return {
    model,
    prompt: (body.prompt as string | undefined) ?? '',
    pictures,
    isGroup: body.sequential_image_generation === 'auto',
    layers,
    stream: body.stream === true,
    base64: body.response_format === 'b64_json',
    type: formatOf(body, family),
    watermark: body.watermark !== false,
    background: body.background as string | undefined,
    seed: family.honoursSeed && typeof body.seed === 'number' && body.seed >= 0 ? body.seed : undefined,
    tools: body.tools,
    size:
      tierOrPixels(body.size as string | undefined) ??
      (layers ? 'auto' : family.minArea > 921_600 || family.name === '4.0' ? '2048x2048' : '2K'),
    references,
  }
}

/** Tiers are taken in any case. */
function tierOrPixels(size: string | undefined): string | undefined {
  return size !== undefined && /^[\d.]+k$/i.test(size) ? size.toUpperCase() : size
}

function formatOf(body: Body, family: Family): 'png' | 'jpeg' {
  if (!family.formats) return 'jpeg'
  return (body.output_format as 'png' | 'jpeg' | undefined) ?? family.formats[0]!
}

function readReferences(image: unknown): string[] {
  if (image === undefined) return []
  const list = typeof image === 'string' ? [image] : image
  if (!Array.isArray(list) || list.length === 0 || list.some(one => typeof one !== 'string'))
    throw invalid('image', 'must be a string or an array of strings')
  return list
}

// ── Fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function refuseUnsupported(body: Body, family: Family): void {
  const supported: Record<string, boolean> = {
    output_format: family.formats !== null,
    stream: family.stream,
    sequential_image_generation: family.group,
    sequential_image_generation_options: family.group,
    tools: family.search,
    background: family.backgrounds.length > 0,
    layer_decomposition: family.maxLayers > 0,
  }
  // Even the value that means nothing, such as "disabled" or false, is refused where the model does not know the field.
  for (const [name, isSupported] of Object.entries(supported)) {
    if (!isSupported && body[name] !== undefined)
      throw invalid(name, `the parameter \`${name}\` is not supported by the current model`)
  }
}

function checkSize(body: Body, model: ServedModel, layers: boolean): void {
  const { size } = body
  const { family } = model
  if (size === undefined) return
  if (typeof size !== 'string') throw invalid('size', 'must be a string')
  if (size.toUpperCase() in family.tiers) return
  const unsupported =
    family.name === '5.0-lite' && /^[\d.]+k$/i.test(size)
      ? invalid('size', "size must be one of 'WIDTHxHEIGHT', '2k', '3k', or '4k'")
      : invalid('size', `the specified size is not supported for model ${model.id}`)
  if (layers) {
    if (size === 'auto') return
    throw unsupported
  }
  const pixels = parseSize(size)
  if (!pixels) throw unsupported
  const { width, height } = pixels
  if (width * height < family.minArea) throw invalid('size', `image size must be at least ${family.minArea} pixels`)
  if (width * height > family.maxArea) throw invalid('size', `image size must be at most ${family.maxArea} pixels`)
  if (width > height * 16 || height > width * 16)
    throw invalid('size', 'image aspect ratio must be between 1/16 and 16')
}

function checkBackground(body: Body, family: Family, references: string[], layers: boolean): void {
  const { background } = body
  if (background === undefined || family.backgrounds.length === 0) return
  if (!family.backgrounds.includes(String(background)))
    throw invalid('background', `must be one of: ${family.backgrounds.join(', ')}`)
  if (layers) throw invalid('background', 'background cannot be used together with layer_decomposition')
  if (family.backgroundNeedsReference && references.length !== 1) {
    throw invalid('background', `${background} background requires exactly one input image`)
  }
  if (background === 'transparent' && formatOf(body, family) !== 'png') {
    throw invalid('output_format', 'must be png when background is transparent')
  }
}

function checkLayers(body: Body, family: Family, references: string[], layers: boolean): void {
  if (body.layer_decomposition !== undefined && family.maxLayers > 0 && typeof body.layer_decomposition !== 'boolean') {
    throw invalid('layer_decomposition', 'must be a boolean')
  }
  if (layers && references.length !== 1) throw invalid('image', 'layer decomposition requires exactly one input image')
}

function checkChoices(body: Body, family: Family): void {
  const oneOf = (name: string, choices: readonly string[]) => {
    if (body[name] !== undefined && !choices.includes(body[name] as string))
      throw invalid(name, `must be one of: ${choices.join(', ')}`)
  }
  oneOf('output_format', ['jpeg', 'png'])
  oneOf('response_format', ['url', 'b64_json'])
  oneOf('sequential_image_generation', ['auto', 'disabled'])
  for (const name of ['watermark', 'stream']) {
    if (body[name] !== undefined && typeof body[name] !== 'boolean') throw invalid(name, 'must be a boolean')
  }
  const { seed, guidance_scale: guidance, tools, optimize_prompt_options: options } = body
  if (guidance !== undefined && typeof guidance !== 'number') throw invalid('guidance_scale', 'must be a number')
  if (seed !== undefined && !(Number.isInteger(seed) && (seed as number) >= -1 && (seed as number) <= 2_147_483_647)) {
    throw invalid('seed', 'must be an integer between -1 and 2147483647')
  }
  if (tools !== undefined) {
    const isSearch = Array.isArray(tools) && tools.every(tool => isBody(tool) && tool.type === 'web_search')
    if (!isSearch) throw invalid('tools', 'tools.type must be one of: web_search')
  }
  if (options === undefined) return
  if (!isBody(options)) throw invalid('optimize_prompt_options', 'must be an object')
  const { mode } = options
  if (mode === undefined || mode === null || family.modes.includes(mode as string)) return
  throw invalid(
    'optimize_prompt_options.mode',
    `optimize_prompt_options.mode must be ${family.modes.map(one => `'${one}'`).join(' or ')}`,
  )
}

function checkCount(family: Family, references: string[]): void {
  if (references.length > family.maxReferences)
    throw invalid('image', `number of reference images cannot exceed ${family.maxReferences}`)
}

/** The most pictures this request may make. */
function checkGroup(body: Body, family: Family, references: string[]): number {
  const options = body.sequential_image_generation_options
  const isGroup = family.group && body.sequential_image_generation === 'auto'
  // Without a limit the model decides alone, up to the most of all; where the prompt does not say, it makes a few.
  const unlimited = () => Math.min(countInPrompt(String(body.prompt)) ?? 4, maxInGroup - references.length)
  if (options === undefined) return isGroup ? unlimited() : 1
  const name = 'sequential_image_generation_options'
  if (!isBody(options)) throw invalid(name, 'must be an object')
  if (!isGroup) throw invalid(name, `only valid when sequential_image_generation is 'auto'`)
  const most = options.max_images
  if (most === undefined || most === null) return unlimited()
  if (!Number.isInteger(most) || (most as number) < 1 || (most as number) > maxInGroup) {
    throw invalid(`${name}.max_images`, `must be an integer between 1 and ${maxInGroup}`)
  }
  if ((most as number) + references.length > maxInGroup) {
    throw invalid(`${name}.max_images`, `the sum of reference images and max_images cannot exceed ${maxInGroup}`)
  }
  return most as number
}

function checkReferenceForm(reference: string): void {
  if (reference === '') throw invalid('image', 'the image url is empty', 'InvalidImageURL.EmptyURL')
  if (/^https?:\/\/[^\s/]+/.test(reference)) return
  if (!reference.startsWith('data:'))
    throw invalid('image', 'the image url must be an http(s) url or a data uri', 'InvalidImageURL.InvalidFormat')
}

export function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// ── References ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Fetches and opens the references. @throws Refusal for the first that the service would not take. */
export async function openReferences(
  order: Order,
  options: { reachable: (url: URL) => boolean; timeoutMs: number },
): Promise<Reference[]> {
  const opened: Reference[] = []
  for (const text of order.references) opened.push(await openReference(text, order, options))
  const [only] = opened
  const { family } = order.model
  if (
    order.background === 'transparent' &&
    family.backgroundNeedsReference &&
    !(only?.format === 'png' && only.transparent)
  ) {
    throw invalid('image', 'transparent background requires a PNG input with at least one transparent pixel')
  }
  if (order.layers && only && only.width * only.height < 262_144) {
    throw invalid(
      'image',
      `expected the area to be at least 262144px, but received a ${only.width}x${only.height}px image instead`,
    )
  }
  return opened
}

async function openReference(
  text: string,
  order: Order,
  options: { reachable: (url: URL) => boolean; timeoutMs: number },
): Promise<Reference> {
  const { family } = order.model
  const bytes = text.startsWith('data:') ? decodeDataUri(text, order) : await download(text, options)
  if (bytes.length > family.maxReferenceBytes) {
    throw invalid(
      'image',
      `the image is larger than ${family.maxReferenceBytes / 2 ** 20} MB`,
      'InvalidParameter.OversizedImage',
    )
  }
  const facts = await inspect(bytes)
  if (!facts || !takes(order, facts.format))
    throw invalid('image', 'the image format is not supported', 'InvalidParameter.UnsupportedImageFormat')
  const { width, height } = facts
  const received = `but received a ${width}x${height}px image instead`
  // The message says "at least 14px" where the documents say "more than 14": the stricter of both.
  if (width <= 14) throw invalid('image', `expected the width to be at least 14px, ${received}`)
  if (height <= 14) throw invalid('image', `expected the height to be at least 14px, ${received}`)
  if (width > height * 16 || height > width * 16)
    throw invalid('image', `expected the aspect ratio to be between 1/16 and 16, ${received}`)
  if (width * height > 36_000_000) throw invalid('image', `expected the area to be at most 36000000px, ${received}`)
  return { ...facts, thumbnail: await thumbnailOf(bytes) }
}

function takes(order: Order, format: string): boolean {
  const isHeic = format === 'heic' || format === 'heif'
  if (isHeic && (!order.model.family.heic || order.layers)) return false
  return referenceFormats.includes(format)
}

function decodeDataUri(text: string, order: Order): Buffer {
  const comma = text.indexOf(',')
  const head = /^data:image\/([^;]*);base64$/.exec(text.slice(0, Math.max(0, comma)))
  const encoded = text.slice(comma + 1)
  // Only lower case is taken as a format, and `jpg` is none.
  if (!head || /[A-Z]/.test(head[1]!)) throw invalid('image', 'Invalid base64 image_url')
  if (!takes(order, head[1]!))
    throw invalid('image', 'the image format is not supported', 'InvalidParameter.UnsupportedImageFormat')
  if (encoded === '' || encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded))
    throw invalid('image', 'Invalid base64 image_url')
  return Buffer.from(encoded, 'base64')
}

async function download(
  text: string,
  { reachable, timeoutMs }: { reachable: (url: URL) => boolean; timeoutMs: number },
): Promise<Buffer> {
  const failed = (reason: string, seconds = 1) =>
    new Refusal(400, 'InvalidParameter', `The parameter \`image\` specified in the request is not valid: ${reason}.`, {
      param: 'image',
      seconds,
    })
  const url = new URL(text)
  // The service stands in the internet: the networks of its users are as unreachable as a host that drops packets.
  if (!reachable(url)) throw failed(`Timeout while downloading url=${text}`, 10)
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    if (!answer.ok) throw failed(`Error while downloading: ${text}, status code: ${answer.status}`)
    return Buffer.from(await answer.arrayBuffer())
  } catch (error) {
    if (error instanceof Refusal) throw error
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    // The wait has passed already when it timed out.
    throw timedOut ? failed(`Timeout while downloading url=${text}`, 0) : failed(`Error while downloading: ${text}`)
  }
}

async function inspect(bytes: Buffer): Promise<Omit<Reference, 'thumbnail'> | undefined> {
  // Two formats that the service reads and sharp as it is built for npm does not: their headers are enough here.
  if (bytes.length >= 26 && bytes.toString('latin1', 0, 2) === 'BM') {
    return {
      format: 'bmp',
      width: Math.abs(bytes.readInt32LE(18)),
      height: Math.abs(bytes.readInt32LE(22)),
      transparent: false,
    }
  }
  const brand = bytes.toString('latin1', 4, 12)
  if (/^ftyp(?:hei[cxms]|hev[cx]|mif1)$/.test(brand)) {
    const extents = bytes.indexOf('ispe', 0, 'latin1')
    if (extents < 0 || bytes.length < extents + 16) return undefined
    return {
      format: 'heic',
      width: bytes.readUInt32BE(extents + 8),
      height: bytes.readUInt32BE(extents + 12),
      transparent: false,
    }
  }
  try {
    const { format, width, height, hasAlpha } = await sharp(bytes, { limitInputPixels: 400_000_000 }).metadata()
    const transparent = hasAlpha && format === 'png' ? !(await sharp(bytes).stats()).isOpaque : false
    return { format, width, height, transparent }
  } catch {
    return undefined
  }
}

// ── Sizes and counts ────────────────────────────────────────────────────────────────────────────────────────────────

function parseSize(size: string): { width: number; height: number } | undefined {
  const found = /^([1-9]\d{0,5})x([1-9]\d{0,5})$/.exec(size)
  return found ? { width: Number(found[1]), height: Number(found[2]) } : undefined
}

/** The pixels of a picture of this order. `chance` is any whole number; a tier leaves the choice to the model. */
export function sizeOf(
  order: Order,
  references: readonly Reference[],
  chance: number,
): { width: number; height: number } {
  const exact = parseSize(order.size)
  if (exact) return exact
  const last = references.at(-1)
  const { family } = order.model
  if (order.layers && last) return layerBase(order, last)
  const table = [...family.tiers[order.size]!, ...(offTable[order.size] ?? [])].map(size => parseSize(size)!)
  if (!last) return table[chance % table.length]!
  const distance = (size: { width: number; height: number }) =>
    Math.abs(Math.log((size.width * last.height) / (size.height * last.width)))
  return table.reduce((best, size) => (distance(size) < distance(best) ? size : best))
}

/** The base of layers has the form of the input: its own size within the limits, or the area of the tier. */
function layerBase(order: Order, { width, height }: Reference): { width: number; height: number } {
  const { family } = order.model
  const square = order.size === 'auto' ? undefined : parseSize(family.tiers[order.size]![0]!)
  const area = square
    ? square.width * square.height
    : Math.min(Math.max(width * height, family.minArea), family.maxArea)
  const scale = Math.sqrt(area / (width * height))
  // Rounded so that the area stays within the limits.
  const whole = scale > 1 ? Math.ceil : Math.floor
  return scale === 1 ? { width, height } : { width: whole(width * scale), height: whole(height * scale) }
}

const numerals: Readonly<Record<string, number>> = {
  一: 1,
  两: 2,
  二: 2,
  三: 3,
  四: 4,
  五: 5,
  六: 6,
  七: 7,
  八: 8,
  九: 9,
  十: 10,
  十一: 11,
  十二: 12,
  十三: 13,
  十四: 14,
  十五: 15,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
  thirteen: 13,
  fourteen: 14,
  fifteen: 15,
}

/** How many pictures the words ask for; undefined when they do not say. */
export function countInPrompt(prompt: string): number | undefined {
  // The longest first: fifteen is not five.
  const words = Object.keys(numerals)
    .toSorted((a, b) => b.length - a.length)
    .join('|')
  const chinese = new RegExp(`(\\d+|${words})\\s*(?:张|幅|页|格)`, 'i').exec(prompt)
  const english = new RegExp(
    `\\b(\\d+|${words})\\s+(?:[a-z-]+\\s+){0,2}?(?:images?|pictures?|photos?|illustrations?|frames?|panels?|scenes?)\\b`,
    'i',
  ).exec(prompt)
  const found = (chinese ?? english)?.[1]?.toLowerCase()
  if (found === undefined) return undefined
  return numerals[found] ?? Number(found)
}
