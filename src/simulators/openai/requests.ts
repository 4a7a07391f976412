/** Reads a request to the simulated OpenAI as strictly as the service does, and with its words. */
import type { Exchange } from '../exchange.ts'
import { Refusal } from '../refusal.ts'
import { findModel, gptImageEdits, type ImageModel } from './models.ts'

/** What was asked for, after every check. */
export interface Job {
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

export interface Form {
  members: Members
  images: File[]
  mask?: File
}

export const badRequest = (code: string | null, message: string, param?: string) =>
  new Refusal(400, code, message, { param })

export function quoted(values: readonly string[]): string {
  const [last = '', ...others] = values.map(value => `'${value}'`).reverse()
  return others.length > 0 ? `${others.reverse().join(', ')}, and ${last}` : last
}

function checkContentType(exchange: Exchange, wanted: string) {
  const given = exchange.headers['content-type'] ?? ''
  if (given.toLowerCase().startsWith(wanted)) return
  throw badRequest(
    'unsupported_content_type',
    `Unsupported content type: '${given}'. This API method only accepts '${wanted}' requests, but you specified the header 'Content-Type: ${given}'. Please try again with a supported content type.`,
  )
}

/** @throws Refusal */
export function readMembers(exchange: Exchange): Members {
  checkContentType(exchange, 'application/json')
  const body = exchange.json
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Members
  const message = 'We could not parse the JSON body of your request. The OpenAI API expects a JSON payload.'
  throw badRequest(null, message)
}

/** @throws Refusal */
export async function readForm(exchange: Exchange): Promise<Form> {
  checkContentType(exchange, 'multipart/form-data')
  const headers = { 'content-type': exchange.headers['content-type'] ?? '' }
  const data = await new Response(new Uint8Array(exchange.body), { headers }).formData().catch(() => {
    throw badRequest(null, 'Could not parse multipart form.')
  })
  const form: Form = { members: {}, images: [] }
  const seen = new Set<string>()
  for (const [name, value] of data) {
    if (name !== 'image[]' && seen.has(name)) {
      const message = `Duplicate parameter: '${name}'. You provided multiple values for this parameter, whereas only one is allowed. If you are trying to provide a list of values, use the array syntax instead e.g. '${name}[]=<value>'.`
      throw badRequest('duplicate_parameter', message, name)
    }
    seen.add(name)
    const isFile = name === 'image' || name === 'image[]' || name === 'mask'
    if (isFile === (typeof value === 'string')) throw wrongType(name, isFile ? 'a file' : 'a string', value)
    if (typeof value === 'string') form.members[name] = fromText(name, value)
    else if (name === 'mask') form.mask = value
    else form.images.push(value)
  }
  if (form.images.length > 0) return form
  throw badRequest('missing_required_parameter', "Missing required parameter: 'image'.", 'image')
}

/** A form has only text; numbers and booleans are read from it. */
function fromText(name: string, value: string): unknown {
  if ((name === 'n' || name === 'output_compression') && /^\d+$/.test(value)) return Number(value)
  return name === 'stream' && (value === 'true' || value === 'false') ? value === 'true' : value
}

/** @throws Refusal with the first thing that is wrong */
export function readJob(body: Members, edits: boolean): Job {
  const named = findModel(readString(body, 'model') ?? 'dall-e-2')
  const model = edits && named.family === 'gpt-image' ? { ...named, parameters: gptImageEdits } : named
  for (const name of Object.keys(body)) {
    if (['model', 'prompt', 'n', 'user'].includes(name) || Object.hasOwn(model.parameters, name)) continue
    throw badRequest('unknown_parameter', `Unknown parameter: '${name}'.`, name)
  }
  const prompt = readPrompt(body, model)
  const count = readCount(body, model)
  const parameters: Record<string, string> = {}
  for (const [name, rule] of Object.entries(model.parameters)) {
    if (body[name] !== undefined) parameters[name] = readParameter(body[name], name, rule)
  }
  checkTogether(parameters)
  const { size = 'auto', output_format: type = 'png', output_compression: quality } = parameters
  const [width, height] = (size === 'auto' ? '1024x1024' : size).split('x').map(Number) as [number, number]
  return {
    model,
    prompt,
    count,
    width,
    height,
    parameters,
    type: type as Job['type'],
    quality: quality === undefined ? undefined : Number(quality),
    references: [],
    inputs: 0,
  }
}

function checkTogether({
  output_format: type = 'png',
  output_compression: quality,
  ...others
}: Record<string, string>) {
  if (others.background === 'transparent' && type === 'jpeg') {
    const message = "Transparent background is not supported for image format 'jpeg'."
    throw badRequest('invalid_value', message, 'background')
  }
  if (quality !== undefined && Number(quality) < 100 && type === 'png') {
    const message = 'Compression less than 100 is not supported for PNG output format'
    throw badRequest('invalid_png_output_compression', message, 'output_compression')
  }
  if (others.stream === 'true') throw badRequest('invalid_value', 'This server does not stream.', 'stream')
}

function readPrompt(body: Members, model: ImageModel): string {
  const prompt = readString(body, 'prompt')
  if (prompt === undefined)
    throw badRequest('missing_required_parameter', "Missing required parameter: 'prompt'.", 'prompt')
  if (prompt === '') {
    const message = "Invalid 'prompt': empty string. Expected a string with minimum length 1."
    throw badRequest('empty_string', message, 'prompt')
  }
  if (prompt.length <= model.promptCharacters) return prompt
  const message = `Invalid 'prompt': string too long. Expected a string with maximum length ${model.promptCharacters}, but got a string with length ${prompt.length} instead.`
  throw badRequest('string_above_max_length', message, 'prompt')
}

function readString(body: Members, name: string): string | undefined {
  const value = body[name]
  if (value === undefined || typeof value === 'string') return value
  throw wrongType(name, 'a string', value)
}

function wrongType(name: string, wanted: string, value: unknown): Refusal {
  const given = value === null ? 'null' : `a ${typeof value}`
  return badRequest('invalid_type', `Invalid type for '${name}': expected ${wanted}, but got ${given} instead.`, name)
}

function readCount(body: Members, model: ImageModel): number {
  return body.n === undefined ? 1 : readInteger(body.n, 'n', 1, model.maxCount)
}

function readInteger(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'an integer', value)
  if (value >= min && value <= max) return value
  const [side, word, code] = value > max ? ['<=', 'above maximum', 'above_max'] : ['>=', 'below minimum', 'below_min']
  const bound = value > max ? max : min
  const message = `Invalid '${name}': integer ${word} value. Expected a value ${side} ${bound}, but got ${value} instead.`
  throw badRequest(`integer_${code}_value`, message, name)
}

function readParameter(value: unknown, name: string, rule: ImageModel['parameters'][string]): string {
  if (rule === 'integer') return String(readInteger(value, name, 0, 100))
  if (rule === 'boolean') {
    if (typeof value !== 'boolean') throw wrongType(name, 'a boolean', value)
    return String(value)
  }
  if (typeof value !== 'string') throw wrongType(name, 'a string', value)
  if (rule === 'size') {
    const [, width, height] = (/^(\d{2,4})x(\d{2,4})$/.exec(value) ?? []).map(Number)
    if (width && height && Math.min(width, height) >= 64 && Math.max(width, height) <= 2048) return value
    const message = `Invalid value: '${value}'. Sizes are WIDTHxHEIGHT, each from 64 to 2048.`
    throw badRequest('invalid_value', message, name)
  }
  if (rule.includes(value)) return value
  throw badRequest('invalid_value', `Invalid value: '${value}'. Supported values are: ${quoted(rule)}.`, name)
}
