/**
 * A server that speaks the image API of OpenAI: generations, edits and the list of models. Facts: the public API
 * reference and error guide of OpenAI as of 2025; `generic-image` stands for the many services that copy the API and
 * take less of it, `task-image-…` for gateways that answer with a task, each in a way of its own.
 *
 * Prompt triggers for people: `[[input-blocked]] [[fewer]] [[empty]] [[slow:30]] [[hang]] [[cut]] [[429]] [[quota]]
 * [[500]] [[503]] [[503-html]] [[task-fails]]`.
 */
import { createHmac, randomBytes, randomInt } from 'node:crypto'
import sharp from 'sharp'
import { thumbnailOf } from '../drawing/picture.ts'
import { deliver, isLate, meetFault } from '../faults.ts'
import {
  type Exchange,
  type Fault,
  type FileRefusal,
  type KeyRule,
  openServer,
  type Simulator,
  type SimulatorOptions,
  type SimulatorServer,
  triggersOf,
} from '../server.ts'
import { createGatewayTasks, type TaskDialect } from './tasks.ts'

export const OPENAI_DEMO_KEY = 'sk-simulator-openai-demo'
/** 429 insufficient_quota for every picture. */
export const OPENAI_NO_QUOTA_KEY = 'sk-simulator-openai-no-quota'
/** 429 rate_limit_exceeded with `retry-after` for every picture. */
export const OPENAI_BUSY_KEY = 'sk-simulator-openai-busy'
/** An organization that may not use the gpt-image models: 403. */
export const OPENAI_UNVERIFIED_KEY = 'sk-simulator-openai-unverified'

interface OpenaiKeyRule extends KeyRule {
  /** Default `good`. */
  state?: 'good' | 'no-quota' | 'busy' | 'unverified'
}

export type OpenaiSimulatorOptions = SimulatorOptions<OpenaiKeyRule>
export interface OpenaiSimulator extends Simulator {
  /** Tasks of `task-image-…` do not end until `releaseTasks`; `word` stands in place of the usual one for a task that works. */
  holdTasks(word?: string): void
  releaseTasks(): void
}

const demoKeys: Readonly<Record<string, OpenaiKeyRule>> = {
  [OPENAI_DEMO_KEY]: { name: 'demo' },
  [OPENAI_NO_QUOTA_KEY]: { name: 'no-quota', state: 'no-quota' },
  [OPENAI_BUSY_KEY]: { name: 'busy', state: 'busy' },
  [OPENAI_UNVERIFIED_KEY]: { name: 'unverified', state: 'unverified' },
}

const filesPath = '/files/'

class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number
  readonly error: { message: string; type: string; param: string | null; code: string | null }
  readonly headers: Record<string, string>

  constructor(
    status: number,
    error: { message: string; type?: string; param?: string; code: string | null },
    headers: Record<string, string> = {},
  ) {
    super(error.message)
    this.status = status
    this.error = {
      message: error.message,
      type: error.type ?? 'invalid_request_error',
      param: error.param ?? null,
      code: error.code,
    }
    this.headers = headers
  }
}

// ── Models ──────────────────────────────────────────────────────────────────────────────────────────────────────────

interface ImageModel {
  id: string
  family: 'gpt-image' | 'dall-e-3' | 'dall-e-2' | 'generic'
  /** Beside `model`, `prompt` and `user`; anything else is unknown. */
  parameters: Readonly<Record<string, readonly string[] | 'size' | 'integer' | 'boolean'>>
  maxCount: number
  promptCharacters: number
  /** Pictures that one edit takes; 0 when the model cannot edit. */
  maxReferences: number
  seconds: number
  /** It answers with a task, in this way. */
  tasks?: TaskDialect
}

const responseFormats = ['url', 'b64_json']

const gptImage = {
  family: 'gpt-image',
  parameters: {
    size: ['1024x1024', '1024x1536', '1536x1024', 'auto'],
    quality: ['low', 'medium', 'high', 'auto'],
    background: ['transparent', 'opaque', 'auto'],
    output_format: ['png', 'jpeg', 'webp'],
    output_compression: 'integer',
    moderation: ['low', 'auto'],
    stream: 'boolean',
  },
  maxCount: 10,
  promptCharacters: 32_000,
  maxReferences: 16,
  seconds: 20,
} as const satisfies Omit<ImageModel, 'id'>

const { moderation: _notInEdits, ...sharedWithEdits } = gptImage.parameters
/** Edits have no `moderation`, but a wish for how closely the input is kept. */
const gptImageEdits = { ...sharedWithEdits, input_fidelity: ['low', 'high'] } as const

const imageModels: readonly ImageModel[] = [
  { id: 'gpt-image-1', ...gptImage },
  { id: 'gpt-image-1-mini', ...gptImage, seconds: 12 },
  {
    id: 'dall-e-3',
    family: 'dall-e-3',
    parameters: {
      size: ['1024x1024', '1792x1024', '1024x1792'],
      quality: ['standard', 'hd'],
      style: ['vivid', 'natural'],
      response_format: responseFormats,
    },
    maxCount: 1,
    promptCharacters: 4000,
    maxReferences: 0,
    seconds: 12,
  },
  {
    id: 'dall-e-2',
    family: 'dall-e-2',
    parameters: {
      size: ['256x256', '512x512', '1024x1024'],
      quality: ['standard'],
      response_format: responseFormats,
    },
    maxCount: 10,
    promptCharacters: 1000,
    maxReferences: 1,
    seconds: 8,
  },
  {
    id: 'generic-image',
    family: 'generic',
    parameters: { size: 'size', response_format: responseFormats },
    maxCount: 4,
    promptCharacters: 4000,
    maxReferences: 4,
    seconds: 6,
  },
  ...(['list', 'object', 'plain', 'location'] as const).map(
    (tasks): ImageModel => ({
      id: `task-image-${tasks}`,
      family: 'generic',
      parameters: { size: 'size', response_format: responseFormats },
      maxCount: 4,
      promptCharacters: 4000,
      maxReferences: 4,
      seconds: 6,
      tasks,
    }),
  ),
]

function findModel(id: string): ImageModel {
  const model = imageModels.find(each => each.id === id)
  if (model) return model
  throw new Refusal(404, {
    message: `The model '${id}' does not exist or you do not have access to it.`,
    param: 'model',
    code: 'model_not_found',
  })
}

// ── Reading requests ────────────────────────────────────────────────────────────────────────────────────────────────

interface Job {
  model: ImageModel
  prompt: string
  count: number
  width: number
  height: number
  parameters: Record<string, string>
  type: 'png' | 'jpeg' | 'webp'
  quality?: number
  references: Buffer[]
  inputs: number
}

type Members = Record<string, unknown>

const quoted = (values: readonly string[]) =>
  values.length > 1
    ? `${values
        .slice(0, -1)
        .map(value => `'${value}'`)
        .join(', ')}, and '${values.at(-1)}'`
    : `'${values[0]}'`

function checkContentType(exchange: Exchange, wanted: string) {
  const given = exchange.headers['content-type'] ?? ''
  if (given.toLowerCase().startsWith(wanted)) return
  throw new Refusal(400, {
    message: `Unsupported content type: '${given}'. This API method only accepts '${wanted}' requests, but you specified the header 'Content-Type: ${given}'. Please try again with a supported content type.`,
    code: 'unsupported_content_type',
  })
}

/** @throws Refusal */
function readMembers(exchange: Exchange): Members {
  checkContentType(exchange, 'application/json')
  const body = exchange.json
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Members
  throw new Refusal(400, {
    message: 'We could not parse the JSON body of your request. The OpenAI API expects a JSON payload.',
    code: null,
  })
}

/** @throws Refusal with the first thing that is wrong */
function readJob(body: Members, edits: boolean): Job {
  const named = findModel(readString(body, 'model') ?? 'dall-e-2')
  const model = edits && named.family === 'gpt-image' ? { ...named, parameters: gptImageEdits } : named
  for (const name of Object.keys(body)) {
    if (['model', 'prompt', 'n', 'user'].includes(name) || Object.hasOwn(model.parameters, name)) continue
    throw new Refusal(400, { message: `Unknown parameter: '${name}'.`, param: name, code: 'unknown_parameter' })
  }
  const prompt = readPrompt(body, model)
  const count = readCount(body, model)
  const parameters = Object.fromEntries(
    Object.entries(model.parameters).flatMap(([name, rule]) => {
      const value = readParameter(body, name, rule)
      return value === undefined ? [] : [[name, value]]
    }),
  )
  const type = (parameters.output_format ?? 'png') as Job['type']
  const quality = parameters.output_compression === undefined ? undefined : Number(parameters.output_compression)
  if (parameters.background === 'transparent' && type === 'jpeg') {
    throw new Refusal(400, {
      message: "Transparent background is not supported for image format 'jpeg'.",
      param: 'background',
      code: 'invalid_value',
    })
  }
  if (quality !== undefined && quality < 100 && type === 'png') {
    throw new Refusal(400, {
      message: 'Compression less than 100 is not supported for PNG output format',
      param: 'output_compression',
      code: 'invalid_png_output_compression',
    })
  }
  if (parameters.stream === 'true') {
    throw new Refusal(400, { message: 'This server does not stream.', param: 'stream', code: 'invalid_value' })
  }
  const asked = parameters.size === undefined || parameters.size === 'auto' ? '1024x1024' : parameters.size
  const [width, height] = asked.split('x').map(Number) as [number, number]
  return { model, prompt, count, width, height, parameters, type, quality, references: [], inputs: 0 }
}

function readPrompt(body: Members, model: ImageModel): string {
  const prompt = readString(body, 'prompt')
  if (prompt === undefined) {
    const message = "Missing required parameter: 'prompt'."
    throw new Refusal(400, { message, param: 'prompt', code: 'missing_required_parameter' })
  }
  if (prompt === '') {
    const message = "Invalid 'prompt': empty string. Expected a string with minimum length 1."
    throw new Refusal(400, { message, param: 'prompt', code: 'empty_string' })
  }
  if (prompt.length <= model.promptCharacters) return prompt
  throw new Refusal(400, {
    message: `Invalid 'prompt': string too long. Expected a string with maximum length ${model.promptCharacters}, but got a string with length ${prompt.length} instead.`,
    param: 'prompt',
    code: 'string_above_max_length',
  })
}

function readString(body: Members, name: string): string | undefined {
  const value = body[name]
  if (value === undefined || typeof value === 'string') return value
  throw wrongType(name, 'a string', value)
}

const wrongType = (name: string, wanted: string, value: unknown) =>
  new Refusal(400, {
    message: `Invalid type for '${name}': expected ${wanted}, but got ${value === null ? 'null' : `a ${typeof value}`} instead.`,
    param: name,
    code: 'invalid_type',
  })

function readCount(body: Members, model: ImageModel): number {
  const value = body.n
  if (value === undefined) return 1
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType('n', 'an integer', value)
  checkRange('n', value, 1, model.maxCount)
  return value
}

function checkRange(name: string, value: number, min: number, max: number) {
  if (value >= min && value <= max) return
  const [side, word, code] = value > max ? ['<=', 'above maximum', 'above_max'] : ['>=', 'below minimum', 'below_min']
  throw new Refusal(400, {
    message: `Invalid '${name}': integer ${word} value. Expected a value ${side} ${value > max ? max : min}, but got ${value} instead.`,
    param: name,
    code: `integer_${code}_value`,
  })
}

function readParameter(body: Members, name: string, rule: ImageModel['parameters'][string]): string | undefined {
  const value = body[name]
  if (value === undefined) return undefined
  if (rule === 'integer') {
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'an integer', value)
    checkRange(name, value, 0, 100)
    return String(value)
  }
  if (rule === 'boolean') {
    if (typeof value !== 'boolean') throw wrongType(name, 'a boolean', value)
    return String(value)
  }
  if (typeof value !== 'string') throw wrongType(name, 'a string', value)
  if (rule === 'size') {
    const [, width, height] = (/^(\d{2,4})x(\d{2,4})$/.exec(value) ?? []).map(Number)
    if (width && height && Math.min(width, height) >= 64 && Math.max(width, height) <= 2048) return value
    const message = `Invalid value: '${value}'. Sizes are WIDTHxHEIGHT, each from 64 to 2048.`
    throw new Refusal(400, { message, param: name, code: 'invalid_value' })
  }
  if (rule.includes(value)) return value
  throw new Refusal(400, {
    message: `Invalid value: '${value}'. Supported values are: ${quoted(rule)}.`,
    param: name,
    code: 'invalid_value',
  })
}

interface Form {
  members: Members
  images: File[]
  mask?: File
}

/** @throws Refusal */
async function readForm(exchange: Exchange): Promise<Form> {
  checkContentType(exchange, 'multipart/form-data')
  const headers = { 'content-type': exchange.headers['content-type'] ?? '' }
  const data = await new Response(new Uint8Array(exchange.body), { headers }).formData().catch(() => {
    throw new Refusal(400, { message: 'Could not parse multipart form.', code: null })
  })
  const form: Form = { members: {}, images: [] }
  const seen = new Set<string>()
  for (const [name, value] of data) {
    if (name !== 'image[]' && seen.has(name)) {
      throw new Refusal(400, {
        message: `Duplicate parameter: '${name}'. You provided multiple values for this parameter, whereas only one is allowed. If you are trying to provide a list of values, use the array syntax instead e.g. '${name}[]=<value>'.`,
        param: name,
        code: 'duplicate_parameter',
      })
    }
    seen.add(name)
    const isFile = name === 'image' || name === 'image[]' || name === 'mask'
    if (isFile && typeof value === 'string') throw wrongType(name, 'a file', value)
    if (!isFile && typeof value !== 'string') throw wrongType(name, 'a string', value)
    if (typeof value === 'string') form.members[name] = fromText(name, value)
    else if (name === 'mask') form.mask = value
    else form.images.push(value)
  }
  if (form.images.length > 0) return form
  const message = "Missing required parameter: 'image'."
  throw new Refusal(400, { message, param: 'image', code: 'missing_required_parameter' })
}

/** A form has only text; numbers and booleans are read from it. */
function fromText(name: string, value: string): unknown {
  if ((name === 'n' || name === 'output_compression') && /^\d+$/.test(value)) return Number(value)
  return name === 'stream' && (value === 'true' || value === 'false') ? value === 'true' : value
}

/** @throws Refusal */
async function addInputs(job: Job, form: Form) {
  const { model } = job
  if (model.maxReferences === 0) {
    const able = imageModels.filter(each => each.maxReferences > 0).map(each => each.id)
    const message = `Invalid value: '${model.id}'. Value must be one of ${quoted(able)}.`
    throw new Refusal(400, { message, param: 'model', code: 'invalid_value' })
  }
  if (form.images.length > model.maxReferences) {
    const message = `Invalid 'image': array too long. Expected an array with maximum length ${model.maxReferences}, but got an array with length ${form.images.length} instead.`
    throw new Refusal(400, { message, param: 'image', code: 'array_above_max_length' })
  }
  const pictures = await Promise.all(form.images.map(file => readPicture(file, 'image', model)))
  const first = pictures[0]!
  if (form.mask) {
    const mask = await readPicture(form.mask, 'mask', model)
    if (mask.width !== first.width || mask.height !== first.height || !mask.alpha) {
      const message = 'Invalid mask image format - mask size must match the image size and have an alpha channel.'
      throw new Refusal(400, { message, param: 'mask', code: 'invalid_mask_image_format' })
    }
  }
  for (const picture of pictures) {
    const preview = await thumbnailOf(picture.bytes)
    if (preview) job.references.push(preview)
  }
  job.inputs = pictures.length
  const free = job.parameters.size === undefined || job.parameters.size === 'auto'
  if (free && model.family === 'gpt-image' && first.width !== first.height) {
    const wide = first.width > first.height
    job.width = wide ? 1536 : 1024
    job.height = wide ? 1024 : 1536
  }
}

const megabyte = 2 ** 20

async function readPicture(file: File, name: string, model: ImageModel) {
  const bytes = Buffer.from(await file.arrayBuffer())
  const most = model.family === 'dall-e-2' ? 4 : 50
  const refuse = (message: string, code: string) => new Refusal(400, { message, param: name, code })
  if (bytes.length > most * megabyte) {
    throw refuse(`Invalid image file: must be less than ${most}MB.`, 'image_too_large')
  }
  const { width, height, format, hasAlpha } = await sharp(bytes)
    .metadata()
    .catch(() => {
      throw refuse('Invalid image file or mode for image, please check your image file.', 'invalid_image_file')
    })
  const types = model.family === 'dall-e-2' || name === 'mask' ? ['png'] : ['png', 'jpeg', 'webp']
  // A file is judged by what it is, and by what the form says it is.
  if (!types.includes(format) || file.type !== `image/${format}`) {
    const supported = types.map(each => `image/${each}`)
    throw refuse(
      `Invalid file '${name}': unsupported mimetype ('${file.type}'). Supported file formats are ${quoted(supported)}.`,
      'unsupported_file_mimetype',
    )
  }
  if (model.family === 'dall-e-2' && width !== height) {
    throw refuse('Invalid image size: the image must be square.', 'invalid_image_size')
  }
  return { bytes, width, height, alpha: hasAlpha }
}

// ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Output tokens of one square picture (OpenAI price list, 2025). */
const outputTokens: Readonly<Record<string, number>> = { low: 272, medium: 1056, high: 4160 }

function usageOf(job: Job, made: number): object {
  const text = Math.ceil(job.prompt.length / 4)
  const image = job.inputs * 323
  const output = made * outputTokens[qualityOf(job)]!
  return {
    input_tokens: text + image,
    input_tokens_details: { image_tokens: image, text_tokens: text },
    output_tokens: output,
    total_tokens: text + image + output,
  }
}

function qualityOf(job: Job): string {
  const { quality = 'auto' } = job.parameters
  return quality === 'auto' ? 'medium' : quality
}

const slowDown = (seconds: number) =>
  new Refusal(
    429,
    {
      message: `Rate limit reached for images per minute. Please try again in ${seconds}s.`,
      type: 'requests',
      code: 'rate_limit_exceeded',
    },
    { 'retry-after': String(seconds) },
  )

const noQuota = () =>
  new Refusal(429, {
    message: 'You exceeded your current quota, please check your plan and billing details.',
    type: 'insufficient_quota',
    code: 'insufficient_quota',
  })

function refuseContent(family: ImageModel['family']): Refusal {
  return family === 'gpt-image'
    ? new Refusal(400, {
        message: 'Your request was rejected by the safety system. safety_violations=[violence].',
        type: 'image_generation_user_error',
        code: 'moderation_blocked',
      })
    : new Refusal(400, {
        message: 'Your request was rejected as a result of our safety system.',
        code: 'content_policy_violation',
      })
}

const gatewayPage = '<html><head><title>503 Service Temporarily Unavailable</title></head><body></body></html>'

const answerHeaders = (requestId: string): Record<string, string> => ({
  'content-type': 'application/json',
  'x-request-id': requestId,
  'openai-version': '2020-10-01',
})

/** Listens at once; `baseUrl` is `${origin}/v1`. */
export async function startOpenaiSimulator(options: OpenaiSimulatorOptions = {}): Promise<OpenaiSimulator> {
  const keys = options.keys ?? demoKeys
  const signingSecret = randomBytes(20)
  const server = await openServer({ options, filesPath, refuseFile, handle })
  const tasks = createGatewayTasks()
  const { reset } = server
  return Object.assign(server, {
    baseUrl: `${server.origin}/v1`,
    holdTasks: tasks.hold,
    releaseTasks: tasks.release,
    reset() {
      // A service forgets no task because somebody looks through its books.
      tasks.release()
      reset()
    },
  })

  async function handle(exchange: Exchange): Promise<void> {
    const requestId = `req_${randomBytes(16).toString('hex')}`
    try {
      await answer(exchange, requestId)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      await exchange.send(error.status, { error: error.error }, { ...answerHeaders(requestId), ...error.headers })
    }
  }

  async function answer(exchange: Exchange, requestId: string): Promise<void> {
    const { key, state } = findCaller(exchange)
    const { method, path } = exchange
    if (method === 'POST' && (path === '/v1/images/generations' || path === '/v1/images/edits')) {
      return generate(exchange, { edits: path.endsWith('edits'), key, state, requestId })
    }
    const isLook = method === 'GET' && /\/(?:tasks|jobs)\//.test(path)
    if (await metFault(exchange, server.takeFault(exchange.log, isLook ? 'task' : 'other'), requestId)) return
    const reply = isLook ? tasks.look(path) : undefined
    if (reply) return exchange.send(reply.status, reply.body, { ...answerHeaders(requestId), ...reply.headers })
    if (method === 'GET' && path === '/v1/models') {
      const data = imageModels.map(listed)
      return exchange.send(200, { object: 'list', data }, answerHeaders(requestId))
    }
    const id = /^\/v1\/models\/([^/]+)$/.exec(path)?.[1]
    if (method === 'GET' && id) {
      return exchange.send(200, listed(findModel(decodeURIComponent(id))), answerHeaders(requestId))
    }
    throw new Refusal(404, { message: `Invalid URL (${method} ${path})`, code: null })
  }

  function findCaller(exchange: Exchange): { key: string; state: OpenaiKeyRule['state'] } {
    const { authorization } = exchange.headers
    if (!authorization) {
      const message =
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth."
      throw new Refusal(401, { message, code: null })
    }
    const key = /^Bearer (\S+)$/.exec(authorization)?.[1] ?? ''
    const rule = Object.hasOwn(keys, key) ? keys[key] : undefined
    if (!rule) {
      const shown = `${key.slice(0, 3)}***${key.slice(-4)}`
      throw new Refusal(401, { message: `Incorrect API key provided: ${shown}.`, code: 'invalid_api_key' })
    }
    exchange.log.keyName = rule.name ?? key
    return { key: rule.name ?? key, state: rule.state }
  }

  function metFault(exchange: Exchange, fault: Fault | undefined, requestId: string): Promise<boolean> {
    return meetFault(exchange, fault, {
      headers: answerHeaders(requestId),
      body: { created: 0, data: [] },
      unwrapped: (code, message) => ({ message, type: 'invalid_request_error', param: null, code }),
    })
  }

  async function generate(
    exchange: Exchange,
    call: { edits: boolean; key: string; state: OpenaiKeyRule['state']; requestId: string },
  ): Promise<void> {
    const fault = server.takeFault(exchange.log, 'generation')
    if (fault && !isLate(fault) && (await metFault(exchange, fault, call.requestId))) return
    const form = call.edits ? await readForm(exchange) : undefined
    const job = readJob(form ? form.members : readMembers(exchange), call.edits)
    if (call.state === 'no-quota') throw noQuota()
    if (call.state === 'busy') throw slowDown(1)
    if (call.state === 'unverified' && job.model.family === 'gpt-image') {
      const message = `Your organization must be verified to use the model \`${job.model.id}\`.`
      throw new Refusal(403, { message, code: null })
    }
    if (form) await addInputs(job, form)
    const triggers = triggersOf(job.prompt)
    checkTriggers(job, triggers)
    if (triggers.has('503-html')) return exchange.send(503, gatewayPage, { 'content-type': 'text/html' })
    if (fault?.kind === 'all-refused' && fault.form !== 'empty') throw refuseContent(job.model.family)
    if (triggers.has('hang')) return exchange.hang()

    if (job.model.tasks) return submit(exchange, job, { ...call, dialect: job.model.tasks, fault, triggers })

    const slow = Number(triggers.get('slow'))
    await exchange.wait(slow > 0 ? slow * 1000 : job.model.seconds * 1000 * server.timeScale)
    const late = triggers.has('cut') ? ({ kind: 'cut', after: 'request' } as const) : lateOf(fault)
    const made = madeOf(job, fault, triggers)
    const body = await draw(job, made, call)
    return deliver(exchange, late, body, answerHeaders(call.requestId))
  }

  /** Made and billed whether or not anybody hears of the task. */
  async function submit(
    exchange: Exchange,
    job: Job,
    call: {
      key: string
      requestId: string
      dialect: TaskDialect
      fault: Fault | undefined
      triggers: ReadonlyMap<string, string>
    },
  ): Promise<void> {
    const isFailing = call.triggers.has('task-fails')
    const made = isFailing ? [] : (await draw(job, madeOf(job, call.fault, call.triggers), call)).data
    const { status, body, headers } = tasks.add({
      dialect: call.dialect,
      readyAt: Date.now() + job.model.seconds * 1000 * server.timeScale,
      urls: made.flatMap(item => ('url' in item ? [String(item.url)] : [])),
      ...(isFailing ? { failure: 'upstream gave up: no channel is available' } : {}),
    })
    const all = { ...answerHeaders(call.requestId), ...headers }
    const late = call.triggers.has('cut') ? ({ kind: 'cut', after: 'request' } as const) : lateOf(call.fault)
    if (late) return deliver(exchange, late, Object(body) as object, all)
    return exchange.send(status, body, all)
  }

  async function draw(
    job: Job,
    made: number,
    call: { key: string; requestId: string },
  ): Promise<{ data: object[]; [member: string]: unknown }> {
    const seed = randomInt(2 ** 31)
    const data: object[] = []
    for (let index = 0; index < made; index += 1) {
      const { width, height, prompt } = job
      const model = job.model.id
      server.billed.push({
        requestId: call.requestId,
        model,
        key: call.key,
        prompt,
        index,
        width,
        height,
        at: Date.now(),
      })
      const revised =
        job.model.family === 'dall-e-3' ? { revised_prompt: `${prompt}, in fine detail and soft light` } : {}
      const inline =
        !job.model.tasks && (job.model.family === 'gpt-image' || job.parameters.response_format === 'b64_json')
      const place = inline
        ? { b64_json: (await picture(job, seed, index, server.draw)).toString('base64') }
        : {
            url: server.publish({
              ...signedPlace(),
              contentType: 'image/png',
              draw: () => picture(job, seed, index, server.draw),
            }),
          }
      data.push({ ...revised, ...place })
    }
    const created = Math.floor(Date.now() / 1000)
    if (job.model.family !== 'gpt-image') return { created, data }
    return {
      created,
      background: job.parameters.background === 'transparent' ? 'transparent' : 'opaque',
      data,
      output_format: job.type,
      quality: qualityOf(job),
      size: `${job.width}x${job.height}`,
      usage: usageOf(job, made),
    }
  }

  /** In the manner of the blob store behind dall-e: every byte of the query is signed. */
  function signedPlace(): { path: string; query: string } {
    const name = `img-${randomBytes(18).toString('base64url')}.png`
    const path = `${filesPath}${name}`
    const from = new Date()
    const until = new Date(from.getTime() + server.urlLifetimeSeconds * 1000)
    let signature: string
    do {
      const salt = randomBytes(8).toString('hex')
      signature = createHmac('sha256', signingSecret)
        .update(`${path}\n${until.toISOString()}\n${salt}`)
        .digest('base64')
    } while (!signature.includes('+') || !signature.includes('/'))
    const times = `st=${encodeURIComponent(stamp(from))}&se=${encodeURIComponent(stamp(until))}`
    const query = `${times}&sp=r&sv=2024-08-04&sr=b&rscd=inline&rsct=image/png&sig=${encodeURIComponent(signature)}`
    return { path, query }
  }

  async function refuseFile(exchange: Exchange, reason: FileRefusal): Promise<void> {
    const missing = reason === 'missing'
    const code = missing ? 'BlobNotFound' : 'AuthenticationFailed'
    const message = missing
      ? 'The specified blob does not exist.'
      : 'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.'
    const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
    await exchange.send(missing ? 404 : 403, body, { 'content-type': 'application/xml' })
  }
}

const stamp = (date: Date) => date.toISOString().replace(/\.\d+Z$/, 'Z')

const lateOf = (fault: Fault | undefined) => (fault && isLate(fault) ? fault : undefined)

const listed = (model: ImageModel) => ({ id: model.id, object: 'model', created: 1_745_000_000, owned_by: 'system' })

function checkTriggers(job: Job, triggers: ReadonlyMap<string, string>) {
  if (triggers.has('input-blocked')) throw refuseContent(job.model.family)
  if (triggers.has('429')) throw slowDown(1)
  if (triggers.has('quota')) throw noQuota()
  if (triggers.has('500')) {
    const message = 'The server had an error while processing your request. Sorry about that!'
    throw new Refusal(500, { message, type: 'server_error', code: null })
  }
  if (triggers.has('503')) {
    const message = 'The engine is currently overloaded, please try again later.'
    throw new Refusal(503, { message, type: 'server_error', code: null })
  }
}

function madeOf(job: Job, fault: Fault | undefined, triggers: ReadonlyMap<string, string>): number {
  if (triggers.has('empty') || fault?.kind === 'all-refused') return 0
  if (fault?.kind === 'fewer') return Math.min(job.count, fault.count)
  if (fault?.kind === 'stops') return Math.min(job.count, fault.atIndex)
  // There is no place in an answer for a picture that failed: it is missing.
  if (fault?.kind === 'partial') return job.count - new Set(fault.failIndexes.filter(index => index < job.count)).size
  return triggers.has('fewer') ? Math.max(1, job.count - 1) : job.count
}

async function picture(job: Job, seed: number, index: number, draw: SimulatorServer['draw']): Promise<Buffer> {
  const { width, height, prompt, references, type, quality } = job
  const transparent = job.parameters.background === 'transparent'
  const plain = { width, height, prompt, seed, index, references, transparent }
  if (type === 'jpeg' && quality === undefined) return draw({ ...plain, type: 'jpeg' })
  const png = await draw({ ...plain, type: 'png' })
  if (type === 'jpeg')
    return sharp(png)
      .jpeg({ quality: Math.max(1, quality ?? 100) })
      .toBuffer()
  return type === 'webp'
    ? sharp(png)
        .webp({ quality: Math.max(1, quality ?? 90), effort: 1 })
        .toBuffer()
    : png
}
