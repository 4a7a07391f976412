/** Reads a request to `images/generations` as Ark does: refuses what it knows and the model does not take, ignores what it does not know. */
import { Refusal } from '../refusal.ts'
import { type Family, parseSize, type ServedModel } from './models.ts'

export type Body = Record<string, unknown>

/** What is to be made, once nothing is left to complain about. */
export interface Order {
  model: ServedModel
  prompt: string
  /** Most pictures; the prompt may want fewer. */
  images: number
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
  if (references.length > family.maxReferences) {
    throw invalid('image', `number of reference images cannot exceed ${family.maxReferences}`)
  }
  const images = checkGroup(body, family, references)
  references.forEach(checkReferenceForm)

  return {
    model,
    prompt: (body.prompt as string | undefined) ?? '',
    images,
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
  const max = options.max_images
  if (max === undefined || max === null) return unlimited()
  if (!Number.isInteger(max) || (max as number) < 1 || (max as number) > maxInGroup) {
    throw invalid(`${name}.max_images`, `must be an integer between 1 and ${maxInGroup}`)
  }
  if ((max as number) + references.length > maxInGroup) {
    throw invalid(`${name}.max_images`, `the sum of reference images and max_images cannot exceed ${maxInGroup}`)
  }
  return max as number
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

// ── What is read out of a prompt ─────────────────────────────────────────────────────────────────────────────────────

const chinese = '一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五'.split(' ')
const english = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'.split(' ')
const numerals = new Map([chinese, english].flatMap(words => words.map((word, index) => [word, index + 1] as const)))
numerals.set('两', 2)

/** How many pictures the words ask for; undefined when they do not say. */
export function countInPrompt(prompt: string): number | undefined {
  // The longest first: fifteen is not five.
  const words = [...numerals.keys()].toSorted((a, b) => b.length - a.length).join('|')
  const found =
    new RegExp(`(\\d+|${words})\\s*(?:张|幅|页|格)`, 'i').exec(prompt) ??
    new RegExp(
      `\\b(\\d+|${words})\\s+(?:[a-z-]+\\s+){0,2}?(?:images?|pictures?|photos?|illustrations?|frames?|panels?|scenes?)\\b`,
      'i',
    ).exec(prompt)
  const word = found?.[1]?.toLowerCase()
  return word === undefined ? undefined : (numerals.get(word) ?? Number(word))
}
