/** From a request in the form of the OpenAI API to one of ours. */
import type { V1ImageRequest } from '../../api/v1/images.ts'
import type { ValueSchema } from '../../catalogue/json-schema.ts'
import { modelSchema } from '../../catalogue/parameters.ts'
import { invalid } from '../../errors.ts'
import type { GenerationRequest } from '../../generation/services.ts'
import { type Conversion, conversionFormats } from '../../images/conversion.ts'
import type { ReferenceInput, UploadedFile } from '../../images/references.ts'
import type { JsonObject, JsonValue } from '../../storage/records.ts'
import type { NamedModel } from './models.ts'

/** Members of the API that are no parameters of a picture. */
const ownMembers: ReadonlySet<string> = new Set([
  ...['prompt', 'model', 'image', 'images', 'mask', 'response_format', 'user', 'stream', 'partial_images', 'async'],
  ...['callback_url', 'extra_body'],
])

/** Members of the API that other models than OpenAI's seldom have: left out where a model has none. */
const ownParameters: ReadonlySet<string> = new Set([
  ...['quality', 'background', 'output_format', 'output_compression', 'style', 'moderation', 'input_fidelity'],
])

/** How the file of a picture is written. */
const formMembers: ReadonlySet<string> = new Set(['output_format', 'output_compression'])

/** What these words ask for is what a model does anyway. */
const usualValues: ReadonlySet<unknown> = new Set(['auto', 'standard', 'vivid', 'opaque', 'low'])

export interface ReadRequest {
  request: GenerationRequest
  /** Members of the API that this model cannot honour and that were left out. */
  ignored: string[]
  /** The form of the answer's pictures, where the model cannot make it. */
  conversion?: Conversion
}

/**
 * @param ownImage the id of a stored picture, where a text is its address on this server
 * @throws Refusal `invalid_request`
 */
export function readImageRequest(
  body: V1ImageRequest,
  { id, found }: NamedModel,
  given: { uploads: Map<string, UploadedFile>; isForm: boolean; ownImage(address: string): string | undefined },
): ReadRequest {
  const schemas: Record<string, ValueSchema> = found ? modelSchema(found.model).properties : {}
  const members = Object.entries({ ...body, ...body.extra_body }).filter(
    ([name, value]) => !ownMembers.has(name) && value !== undefined && value !== null,
  )
  const parameters: JsonObject = {}
  const ignored: string[] = []
  const form = found && readForm(body, schemas)
  for (const [name, value] of members) {
    if (form?.conversion && formMembers.has(name)) continue
    const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined
    if (name === 'size' && value === 'auto' && !schema?.enum?.includes('auto')) continue
    if (ownParameters.has(name) && found && !takes(schema, value)) {
      if (usualValues.has(value)) continue
      if (value === 'transparent') throw noTransparency(found.model.id)
      ignored.push(name)
    } else parameters[name] = given.isForm ? readField(value, schema) : (value as JsonValue)
  }
  const references = [body.image, body.images].flat().filter(one => one !== undefined)
  return {
    request: {
      prompt: body.prompt,
      model: id,
      parameters: { ...parameters, ...form?.parameters },
      fitsSize: true,
      references: references.map(one => toReference(textOf(one), given)),
      callbackUrl: body.callback_url,
      mask: body.mask === undefined ? undefined : toReference(textOf(body.mask), given),
    },
    ignored,
    conversion: form?.conversion,
  }
}

/**
 * What of `output_format` and `output_compression` is made here after the model.
 * @throws Refusal `invalid_request` for what nobody can make
 */
function readForm(
  body: V1ImageRequest,
  schemas: Record<string, ValueSchema>,
): { conversion?: Conversion; parameters: JsonObject } {
  const { output_format: text, output_compression: quality, background } = { ...body, ...body.extra_body }
  if (text === undefined || text === null) return { parameters: {} }
  const isNative = takes(schemas.output_format, text)
  if (isNative && (quality === undefined || schemas.output_compression)) return { parameters: {} }
  const format = conversionFormats.find(one => one === text)
  if (!format) throw invalidMember('output_format', `must be one of ${conversionFormats.join(', ')}`)
  if (quality !== undefined && format === 'png') {
    throw invalidMember('output_compression', 'is for jpeg and webp; choose one of them as "output_format"')
  }
  if (quality !== undefined && (Number(quality) > 100 || !Number.isInteger(Number(quality)))) {
    throw invalidMember('output_compression', 'must be a whole number from 0 to 100')
  }
  if (background === 'transparent' && format === 'jpeg') {
    throw invalidMember('output_format', 'must be png or webp for a transparent background')
  }
  const conversion = { format, ...(quality === undefined ? {} : { quality: Math.max(1, Number(quality)) }) }
  // From PNG nothing is lost twice.
  const native = isNative ? format : takes(schemas.output_format, 'png') ? 'png' : undefined
  return { conversion, parameters: native === undefined ? {} : { output_format: native } }
}

function invalidMember(name: string, rule: string) {
  return invalid([{ path: name, message: `"${name}" ${rule}.` }])
}

function takes(schema: ValueSchema | undefined, value: unknown) {
  return schema !== undefined && (schema.enum === undefined || schema.enum.includes(value))
}

/** In a form everything is text. */
function readField(value: unknown, schema: ValueSchema | undefined): JsonValue {
  const isText = schema === undefined || [schema.type].flat().includes('string')
  if (typeof value !== 'string' || isText) return value as JsonValue
  try {
    return JSON.parse(value) as JsonValue
  } catch {
    return value
  }
}

function textOf(picture: NonNullable<V1ImageRequest['mask']>): string {
  if (typeof picture === 'string') return picture
  return typeof picture.image_url === 'string' ? picture.image_url : picture.image_url.url
}

export function toReference(
  text: string,
  { uploads, ownImage }: { uploads: Map<string, UploadedFile>; ownImage(address: string): string | undefined },
): ReferenceInput {
  const upload = uploads.get(text)
  if (upload) return { upload }
  return { text: /^https?:/i.test(text) ? (ownImage(text) ?? text) : text }
}

function noTransparency(model: string) {
  const message = `${model} makes no transparent backgrounds here. Leave "background" out, or choose another model.`
  return invalid([{ path: 'background', message }])
}
