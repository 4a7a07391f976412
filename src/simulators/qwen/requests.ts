/** Reads a submit as strictly as the simulated DashScope does: body, model, route, header, parameters, pictures. */
import { Refusal } from '../refusal.ts'
import { type InputImage, type InputSources, loadInput } from './inputs.ts'
import { type Dimensions, imageEditFunctions, type QwenModel, type QwenRoute, qwenModels } from './models.ts'
import { invalidParameter } from './refusals.ts'

export const qwenRoutePaths: Readonly<Record<string, QwenRoute>> = {
  '/api/v1/services/aigc/multimodal-generation/generation': 'MM',
  '/api/v1/services/aigc/image-generation/generation': 'IG',
  '/api/v1/services/aigc/text2image/image-synthesis': 'T2I',
  '/api/v1/services/aigc/image2image/image-synthesis': 'I2I',
}

/** What was asked for, after every check. */
export interface QwenJob {
  model: QwenModel
  route: QwenRoute
  /** As the service uses it: cut at the model's limit, without a word (DashScope documentation). */
  prompt: string
  size: Dimensions
  /** Pictures to make; with a sequence or interleaved text the model decides on fewer. */
  count: number
  seed?: number
  promptExtend: boolean
  watermark: boolean
  references: InputImage[]
  sequential: boolean
  interleaved: boolean
  /** Old routes tell of a wrong size only by a task that fails (measured). */
  failure?: { code: string; message: string }
}

type Members = Record<string, unknown>

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const wrongRoute = () =>
  invalidParameter(
    'url error, please check url！ For details, see: https://help.aliyun.com/zh/model-studio/error-code#error-url',
  )

/** @throws Refusal when the text is no JSON object or names no model */
export function readBody(text: string, contentType: string | undefined): { body: Members; modelId: string } {
  const malformed = invalidParameter('Required body invalid, please check the request body format.')
  if (!contentType?.toLowerCase().startsWith('application/json')) throw malformed
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw malformed
  }
  if (!isMembers(body)) throw malformed
  const modelId = body.model
  if (typeof modelId !== 'string' || modelId === '') {
    throw new Refusal(400, 'BadRequest.EmptyModel', 'Required parameter "model" missing from request.')
  }
  return { body, modelId }
}

/** Model ids are case-sensitive and carry no vendor's name. @throws Refusal "Model not exist." */
export function findModel(modelId: string, options: { region: string; missingStatus: number }): QwenModel {
  const model = qwenModels.find(each => each.id === modelId && (each.region ?? options.region) === options.region)
  if (!model) throw missingModel(options.missingStatus)
  return model
}

export const missingModel = (status: number) => new Refusal(status, 'InvalidParameter', 'Model not exist.')

/** @throws Refusal for the wrong route or the wrong header for it */
export function checkRoute(model: QwenModel, route: QwenRoute, asyncHeader: string | undefined) {
  if (!model.routes.includes(route)) throw wrongRoute()
  const asynchronous = asyncHeader?.toLowerCase() === 'enable'
  if (route === 'MM' && asynchronous) {
    throw new Refusal(403, 'AccessDenied', 'Current user api does not support asynchronous calls.')
  }
  if (route !== 'MM' && !asynchronous) {
    throw new Refusal(403, 'AccessDenied', 'current user api does not support synchronous calls.')
  }
}

/** @throws Refusal with the first thing that is wrong, as the service words it */
export async function readJob(
  body: Members,
  options: InputSources & { route: QwenRoute; streamed: boolean },
): Promise<QwenJob> {
  const { route, model } = options
  const { input, parameters } = readMembers(body, route)
  const content = route === 'MM' || route === 'IG' ? readMessages(input) : readOldInput(input, model)

  const interleaved = model.interleave === true && readBoolean(parameters, 'enable_interleave', false)
  if (interleaved && route === 'MM') checkStreaming(parameters, options.streamed)

  const sequential = model.sequential === true && readBoolean(parameters, 'enable_sequential', false)
  const count = readCount(model, parameters, { sequential, interleaved })
  const seed = readInteger(parameters, 'seed')
  if (seed !== undefined && (seed < 0 || seed > Number('9223372036854775807'))) {
    throw invalidParameter('Range of seed should be [0, 9223372036854775807]')
  }
  const negativePrompt = readString(parameters, 'negative_prompt')
  if (model.refusesNegativePrompt && negativePrompt !== undefined) {
    throw invalidParameter(`negative_prompt is not supported by model ${model.id}.`)
  }
  if (input.negative_prompt !== undefined) readString(input, 'negative_prompt', 'input')
  const watermark = readBoolean(parameters, 'watermark', false)
  const promptExtend =
    model.promptExtend === undefined ? false : readBoolean(parameters, 'prompt_extend', model.promptExtend)
  checkExtras(model, parameters, content.images.length)
  const wordForSize = readString(parameters, 'size')
  const askedSize = model.autoSize && wordForSize === 'auto' ? undefined : wordForSize
  const sizeAlone = model.size(askedSize, { modelId: model.id, references: placeholders(content.images), sequential })
  const old = route === 'T2I' || route === 'I2I'
  if (typeof sizeAlone === 'string' && !old) throw invalidParameter(sizeAlone)
  checkReferenceCount(model, content, interleaved)
  if (content.texts.length !== 1 || content.texts[0] === '') throw invalidParameter('lack of image or text')

  const references: InputImage[] = []
  for (const image of content.images) references.push(await loadInput(image, options))
  const maskFailure = content.mask === undefined ? undefined : await checkMask(content.mask, references, options)
  const size = model.size(askedSize, { modelId: model.id, references, sequential })
  const failure = typeof size === 'string' ? size : maskFailure
  return {
    model,
    route,
    prompt: [...content.texts[0]!].slice(0, model.promptCharacters).join(''),
    size: typeof size === 'string' ? { width: 0, height: 0 } : size,
    count,
    seed,
    promptExtend,
    watermark,
    references,
    sequential,
    interleaved,
    failure: failure === undefined ? undefined : { code: 'InvalidParameter', message: failure },
  }
}

/** The syntax and bounds of a size can be checked before any picture was fetched. */
const placeholders = (images: readonly string[]): Dimensions[] => images.map(() => ({ width: 1024, height: 1024 }))

function readMembers(body: Members, route: QwenRoute): { input: Members; parameters: Members } {
  const old = route === 'T2I' || route === 'I2I'
  if (body.parameters === null) {
    throw new Refusal(400, 'BadRequest.EmptyParameters', 'Required parameter "parameters" missing from request.')
  }
  const parameters = body.parameters ?? {}
  if (body.input === undefined || body.input === null) {
    // Messages on the top level are the common mistake, and the service names the field it missed.
    if (!old && body.messages !== undefined) throw invalidParameter('Field required: input.messages')
    throw new Refusal(400, 'BadRequest.EmptyInput', 'Required input parameter missing from request.')
  }
  if (!isMembers(body.input) || !isMembers(parameters)) {
    throw new Refusal(400, 'BadRequest.IllegalInput', 'The input parameter requires json format.')
  }
  return { input: body.input, parameters }
}

interface Content {
  texts: string[]
  images: string[]
  mask?: string
}

function readMessages(input: Members): Content {
  const messages = input.messages
  if (messages === undefined || messages === null) throw invalidParameter('Field required: input.messages')
  if (!Array.isArray(messages)) throw invalidParameter('Input should be a valid list: input.messages')
  if (messages.length === 0) throw invalidParameter('No messages found in input')
  if (messages.length > 1) throw invalidParameter('messages length only support 1')
  const message: unknown = messages[0]
  if (!isMembers(message) || message.role !== 'user') throw invalidParameter('Field required: input.messages.0.role')
  const items = message.content
  if (!Array.isArray(items)) throw invalidParameter('Input should be a valid list: input.messages.0.content')
  const content: Content = { texts: [], images: [] }
  for (const item of items as unknown[]) {
    if (isMembers(item) && typeof item.text === 'string' && item.image === undefined) content.texts.push(item.text)
    else if (isMembers(item) && typeof item.image === 'string' && item.text === undefined)
      content.images.push(item.image)
    else throw invalidParameter('lack of image or text')
  }
  return content
}

function readOldInput(input: Members, model: QwenModel): Content {
  const prompt = readString(input, 'prompt', 'input')
  if (prompt === undefined || prompt === '') throw invalidParameter('Field required: input.prompt')
  if (model.oldInput === 'images') {
    const images = input.images
    if (images === undefined) throw invalidParameter('Field required: input.images')
    if (!Array.isArray(images) || images.some(image => typeof image !== 'string')) {
      throw invalidParameter('Input should be a valid list: input.images')
    }
    return { texts: [prompt], images: images as string[] }
  }
  if (model.oldInput === 'imageedit') return readImageEdit(input, prompt)
  const reference = model.oldInput === 'ref_img' ? readString(input, 'ref_img', 'input') : undefined
  return { texts: [prompt], images: reference === undefined ? [] : [reference] }
}

function readImageEdit(input: Members, prompt: string): Content {
  const wanted = readString(input, 'function', 'input')
  if (wanted === undefined) throw invalidParameter('Field required: input.function')
  if (!imageEditFunctions.includes(wanted)) throw invalidParameter(`Unsupported function: ${wanted}`)
  const base = readString(input, 'base_image_url', 'input')
  if (base === undefined) throw invalidParameter('Field required: input.base_image_url')
  const mask = readString(input, 'mask_image_url', 'input')
  if (mask === undefined && wanted === 'description_edit_with_mask') {
    throw invalidParameter('Field required: input.mask_image_url')
  }
  return { texts: [prompt], images: [base], mask }
}

async function checkMask(mask: string, references: readonly InputImage[], sources: InputSources) {
  const picture = await loadInput(mask, sources)
  const base = references[0]!
  const same = picture.width === base.width && picture.height === base.height
  return same ? undefined : 'The mask image and the base image must have the same size.'
}

function checkReferenceCount(model: QwenModel, content: Content, interleaved: boolean) {
  const { min, max } = interleaved ? { min: 0, max: 1 } : model.references
  const given = content.images.length
  if (given >= min && given <= max) return
  if (min > 0) {
    throw invalidParameter(
      `For image editing, the message must contain ${min}~${max} image content items. Got ${given} image items.`,
    )
  }
  const modes = max === 0 ? '0 images = T2I mode' : `0 images = T2I mode, 1~${max} images = I2I mode`
  throw invalidParameter(
    `Model '${model.id}' supports 0~${max} image content items. Got ${given} image items. (${modes})`,
  )
}

function checkStreaming(parameters: Members, streamed: boolean) {
  if (readBoolean(parameters, 'stream', false) && streamed) return
  throw invalidParameter('Only streaming output is supported when enable_interleave is true.')
}

function readCount(model: QwenModel, parameters: Members, mode: { sequential: boolean; interleaved: boolean }) {
  if (model.count.refusal === undefined) return 1
  const asked = readInteger(parameters, 'n')
  if (mode.interleaved) {
    if (asked !== undefined && asked !== 1) throw invalidParameter('Range of n should be [1, 1]')
    const most = readInteger(parameters, 'max_images') ?? 5
    if (most < 1 || most > 5) throw invalidParameter('Range of max_images should be [1, 5]')
    return most
  }
  const max = mode.sequential ? 12 : model.count.max
  const count = asked ?? (mode.sequential ? 12 : model.count.default)
  if (count >= 1 && count <= max) return count
  throw invalidParameter(mode.sequential ? 'Range of n should be [1, 12]' : model.count.refusal)
}

function checkExtras(model: QwenModel, parameters: Members, references: number) {
  if (model.thinking) {
    const mode = readString(parameters, 'prompt_extend_mode') ?? 'direct'
    if (mode !== 'direct' && mode !== 'agent') {
      throw invalidParameter("prompt_extend_mode must be one of 'direct', 'agent'")
    }
    if (mode === 'agent' && references > 0) {
      throw invalidParameter("prompt_extend_mode 'agent' only supports text-to-image requests")
    }
    readBoolean(parameters, 'enable_thinking', true)
  }
  if (!model.sequential) return
  readBoolean(parameters, 'thinking_mode', true)
  if (parameters.color_palette !== undefined) checkPalette(parameters.color_palette)
  if (parameters.bbox_list !== undefined) checkBoxes(parameters.bbox_list, references)
}

function checkPalette(palette: unknown) {
  if (!Array.isArray(palette)) throw invalidParameter('Input should be a valid list: parameters.color_palette')
  if (palette.length < 3 || palette.length > 10) throw invalidParameter('Range of color_palette should be [3, 10]')
  let hundredths = 0
  for (const color of palette as unknown[]) {
    const wellFormed =
      isMembers(color) &&
      typeof color.hex === 'string' &&
      /^#[0-9a-f]{6}$/i.test(color.hex) &&
      typeof color.ratio === 'string' &&
      /^\d{1,3}\.\d{2}%$/.test(color.ratio)
    if (!wellFormed) throw invalidParameter('color_palette items need hex and ratio')
    hundredths += Math.round(Number.parseFloat(color.ratio as string) * 100)
  }
  if (hundredths !== 10_000) throw invalidParameter('The ratios of color_palette must sum up to 100.00%')
}

function checkBoxes(list: unknown, references: number) {
  const isBox = (box: unknown) =>
    Array.isArray(box) && box.length === 4 && box.every(edge => Number.isInteger(edge) && (edge as number) >= 0)
  const wellFormed = Array.isArray(list) && list.every(boxes => Array.isArray(boxes) && boxes.every(isBox))
  if (!wellFormed) throw invalidParameter('Input should be a valid list: parameters.bbox_list')
  if (list.length !== references) throw invalidParameter('The length of bbox_list must equal the number of images')
  if (list.some(boxes => (boxes as unknown[]).length > 2)) {
    throw invalidParameter('bbox_list supports at most 2 boxes per image')
  }
}

// Names that a model does not know are passed over; a wrong type is refused (inferred).

function readString(members: Members, name: string, place = 'parameters'): string | undefined {
  const value = members[name]
  if (value === undefined || typeof value === 'string') return value
  throw invalidParameter(`Input should be a valid string: ${place}.${name}`)
}

function readBoolean(members: Members, name: string, standard: boolean): boolean {
  const value = members[name]
  if (value === undefined) return standard
  if (typeof value === 'boolean') return value
  throw invalidParameter(`Input should be a valid boolean: parameters.${name}`)
}

function readInteger(members: Members, name: string): number | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value)) return value
  throw invalidParameter(`Input should be a valid integer: parameters.${name}`)
}
