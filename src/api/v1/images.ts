/** Requests for pictures and their answers, as clients of the OpenAI API write and read them. */
import { z } from 'zod'
import { callbackUrl, idempotencyKey, optional } from '../schemas.ts'
import { V1Error } from './errors.ts'

// In a form, and from some clients in JSON as well, everything is text.
const whole = z.union([
  z.int(),
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number),
])
const yes = z.union([z.boolean(), z.enum(['true', 'false']).transform(text => text === 'true')])

const shared = {
  model: optional(z.string().trim().min(1).max(200)).describe(
    'An id of `GET /v1/models`, an alias, or any other of a service. Default: the usual model of this server.',
  ),
  n: optional(whole).describe('Pictures wanted.'),
  size: optional(z.string().max(50)).describe(
    '`auto`, `WxH`, a ratio, or a tier. A size in pixels that the model does not have becomes the nearest one; the header `x-webimgui-size` names it.',
  ),
  response_format: optional(z.enum(['url', 'b64_json'])).describe('Without it the answer holds both.'),
  quality: optional(z.string().max(50)).describe('Left out where the model has none.'),
  background: optional(z.string().max(50)).describe('`transparent` is refused where the model has none.'),
  output_format: optional(z.string().max(50)).describe(
    '`png`, `jpeg` or `webp`: converted for the answer where the model cannot make it; the header `x-webimgui-converted` says so, and the original is stored.',
  ),
  output_compression: optional(whole).describe(
    'Percent, together with `output_format` jpeg or webp; made for the answer where the model has none.',
  ),
  style: optional(z.string().max(50)).describe('Left out where the model has none.'),
  moderation: optional(z.string().max(50)).describe('Left out where the model has none.'),
  input_fidelity: optional(z.string().max(50)).describe('Left out where the model has none.'),
  user: optional(z.string().max(1000)).describe('Not used.'),
  stream: optional(yes).describe('Server-sent events: each picture as soon as it is stored.'),
  partial_images: optional(whole).describe(
    'So many pictures of a series come early as `partial_image`, before the request as a whole has ended: 0 to 3.',
  ),
  async: optional(yes).describe('202 with a task at once, as `Prefer: respond-async`.'),
  callback_url: callbackUrl,
  extra_body: optional(z.record(z.string().max(100), z.unknown())).describe('As if its members stood beside it.'),
}

const text = z.string().max(100_000)
const pictureText = z.string().min(1)
const picture = z.union([
  pictureText,
  z
    .looseObject({ image_url: z.union([pictureText, z.looseObject({ url: pictureText })]) })
    .describe('As the OpenAI API has it in JSON.'),
])
const pictures = optional(z.union([picture, z.array(picture).max(16)])).describe(
  'Data URIs, http(s) URLs, or ids of stored pictures; in a form, files.',
)

const references = {
  image: pictures,
  images: pictures,
  mask: optional(picture).describe(
    'Where to change the first picture: as large as that, and transparent where to change. Refused where the model takes no mask.',
  ),
}

const modelParameters = 'Any other member is a parameter of the model, see `GET /api/models`.'

export const V1GenerationRequest = z
  .looseObject({ prompt: optional(text).describe('What to draw.'), ...shared, ...references })
  .meta({
    id: 'V1GenerationRequest',
    description: modelParameters,
    examples: [{ prompt: '水墨山水，远处一叶小舟', model: 'doubao-seedream-4-0-20260415', size: '1024x1024', n: 1 }],
  })

export const V1EditRequest = z
  .looseObject({
    prompt: optional(text).describe('What to change.'),
    ...references,
    ...shared,
  })
  .meta({ id: 'V1EditRequest', description: modelParameters })

export const V1VariationRequest = z
  .looseObject({ ...references, ...shared })
  .meta({ id: 'V1VariationRequest', description: modelParameters })

/** Only for the description: a form is converted to one of the requests. */
export const V1ImageForm = z
  .looseObject({
    image: z
      .array(z.string().meta({ format: 'binary' }))
      .optional()
      .describe('Files, also as `image[]`; repeat the field for several.'),
    mask: z.string().meta({ format: 'binary' }).optional(),
    prompt: z.string().optional(),
    model: z.string().optional(),
    n: z.string().optional(),
    size: z.string().optional(),
  })
  .meta({ id: 'V1ImageForm', description: 'The members of the JSON form as fields.' })

export type V1ImageRequest = z.output<typeof V1EditRequest>

/** Loose, because every other header passes through. */
export const V1Headers = z.looseObject({
  prefer: z.string().optional().describe('`respond-async` answers 202 with a task at once.'),
  'idempotency-key': idempotencyKey.describe(
    'The same key with the same body returns the same pictures and never makes them a second time.',
  ),
  'x-stainless-retry-count': z
    .string()
    .optional()
    .describe('Sent by SDKs: above 0, the request joins the former one of the same body and token.'),
  'x-webimgui-join': z.string().optional().describe('`never`: another picture even though this looks like a repeat.'),
})

const Usage = z
  .object({
    input_tokens: z.int().describe('Always 0: these services do not bill by token.'),
    output_tokens: z.int(),
    total_tokens: z.int(),
    input_tokens_details: z.object({ text_tokens: z.int(), image_tokens: z.int() }),
    generated_images: z.int(),
    charge: z.enum(['none', 'charged', 'unknown']),
    cost: z.object({ amount: z.number(), currency: z.string() }).nullable(),
  })
  .meta({ id: 'V1ImageUsage' })

export const V1Images = z
  .object({
    created: z.int(),
    data: z.array(
      z.object({
        url: z.string().optional().describe('Absolute; opens without a header, where a token is needed for a time.'),
        b64_json: z.string().optional(),
        revised_prompt: z.string().optional().describe('As rewritten by the service.'),
      }),
    ),
    output_format: z.string().optional().describe('Of the first picture.'),
    size: z.string().optional().describe('Of the first picture.'),
    usage: Usage,
  })
  .meta({ id: 'V1Images' })

export type V1Images = z.infer<typeof V1Images>

export const V1Task = z
  .object({
    id: z.string(),
    object: z.literal('image.task'),
    status: z.enum(['queued', 'in_progress', 'completed', 'failed', 'cancelled']),
    created_at: z.int(),
    completed_at: z.int().nullable(),
    model: z.string().nullable(),
    images_ready: z.int().describe('Pictures that are stored so far.'),
    cancel_requested: z.boolean(),
    result: V1Images.nullable().describe('The answer, with addresses, once it is `completed`.'),
    error: V1Error.shape.error.nullable(),
  })
  .meta({ id: 'V1Task' })

export type V1Task = z.infer<typeof V1Task>
