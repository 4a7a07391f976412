/** What the tools take and answer, with descriptions for models. */
import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { GenerationStatus } from '../api/generations.ts'
import { maxWaitSeconds, usualWaitSeconds } from './waiting.ts'

/** What models call an argument that has another name here. */
const otherNames: Record<string, string> = {
  width: 'size, such as "1024x1536"',
  height: 'size, such as "1024x1536"',
  aspect_ratio: 'size, such as "16:9"',
  resolution: 'size, such as "2K"',
  count: 'n',
  num: 'n',
  num_images: 'n',
  number_of_images: 'n',
  batch_size: 'n',
  negative: 'negative_prompt',
  text: 'prompt',
  description: 'prompt',
  instruction: 'prompt',
  image_url: 'references, or image of edit_image',
  image: 'references, or call edit_image',
  images: 'references',
  input_image: 'references, or image of edit_image',
  reference_images: 'references',
  id: 'generation_id',
  q: 'query',
  style: 'prompt: describe the style there',
  quality: 'parameters, if list_models shows that the model has it',
  watermark: 'parameters: {"watermark": true}',
  guidance_scale: 'parameters: {"guidance_scale": 7}',
  output_format: 'parameters: {"output_format": "png"}',
}

/** Refuses unknown arguments with the name that was meant; null counts as left out. */
export function argumentsOf<Shape extends z.ZodRawShape>(shape: Shape) {
  const schema = z.strictObject(shape, {
    error: issue => {
      if (issue.code !== 'unrecognized_keys') return undefined
      const meant = issue.keys.map(key => {
        const other = Object.hasOwn(otherNames, key) ? otherNames[key] : undefined
        return other ? `There is no argument "${key}"; use ${other}.` : `There is no argument "${key}".`
      })
      return `${meant.join(' ')} The arguments are: ${Object.keys(shape).join(', ')}.`
    },
  })
  return withoutNulls(schema)
}

/** Many models send every argument that they know of, with null for those they do not mean. */
function withoutNulls<Schema extends z.ZodType>(schema: Schema) {
  const standard = schema['~standard'] as unknown as StandardSchemaWithJSON<
    z.input<Schema>,
    z.output<Schema>
  >['~standard']
  return {
    '~standard': { ...standard, validate: (value: unknown) => standard.validate(dropNulls(value)) },
  } as StandardSchemaWithJSON<z.input<Schema>, z.output<Schema>>
}

function dropNulls(value: unknown) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null))
}

const id = z.string().min(1).max(200)

export const waitSeconds = z
  .int()
  .min(0)
  .max(maxWaitSeconds)
  .optional()
  .describe(
    `How long to wait for the pictures, in seconds; ${usualWaitSeconds} when left out, 0 returns at once. When the time is over the work goes on, and get_generation finds it.`,
  )

const withThumbnails = z
  .boolean()
  .optional()
  .describe('false: leave out the small previews of the pictures. Default: true.')

const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'Use 1 to 200 printable ASCII characters without spaces.')
  .optional()
  .describe(
    'Any text that names this one order, such as a UUID. A repeated call with the same key and the same arguments never pays twice, also after a lost connection. Give a new key to make another picture of the same arguments.',
  )

const order = {
  model: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('An id from list_models. Leave it out for the usual model of this server.'),
  size: z
    .string()
    .min(1)
    .max(40)
    .optional()
    .describe(
      'One text: pixels as "WIDTHxHEIGHT" ("2048x2048"), a ratio ("16:9"), or a tier ("2K"). list_models says what a model takes. Leave it out for the usual size.',
    ),
  n: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('Pictures wanted; 1 when left out. Each one costs. Use this instead of several equal calls.'),
  negative_prompt: z
    .string()
    .max(10_000)
    .optional()
    .describe('What should not be in the picture, where the model takes it.'),
  seed: z.int().optional().describe('The same seed and arguments give a similar picture, where the model takes it.'),
  parameters: z
    .record(z.string().max(100), z.unknown())
    .meta({ additionalProperties: true })
    .optional()
    .describe('Further parameters of the model, by the names that list_models shows, such as {"watermark": true}.'),
}

const reference = z.string().min(1)

const references = z
  .array(reference)
  .max(16)
  .optional()
  .describe(
    'Pictures to draw from: ids of stored pictures, webimgui://images/… addresses, http(s) URLs, or data URIs. list_models says how many a model takes.',
  )

const prompt = z.string().min(1).max(100_000)

export const GenerateArguments = {
  prompt: prompt.describe(
    'What the picture should show, in any language. Describe style and composition here as well.',
  ),
  references,
  ...order,
}

export const EditArguments = {
  prompt: prompt.describe('What to change, such as "make the sky red". Say what should stay as it is.'),
  image: reference.describe(
    'The picture to change: the id of a stored picture (images[].id in earlier results), a webimgui://images/… address, an http(s) URL, or a data URI.',
  ),
  references: references.describe('Further pictures to draw from, in the same forms as image.'),
  mask: reference
    .optional()
    .describe(
      'Where to change it: a picture as large as image, transparent where to change, in the same forms. Only models with takes_mask in list_models; leave it out otherwise.',
    ),
  ...order,
}

export const making = { idempotency_key: idempotencyKey, wait_seconds: waitSeconds, thumbnails: withThumbnails }

export const OneGeneration = {
  generation_id: id.describe('generation_id of an earlier result.'),
}

export const GetArguments = {
  ...OneGeneration,
  wait_seconds: waitSeconds.describe('If it is still running, wait for its end so many seconds; 0 when left out.'),
  thumbnails: withThumbnails,
}

export const RetryArguments = { ...OneGeneration, ...making }

export const SearchArguments = {
  query: z
    .string()
    .max(1000)
    .optional()
    .describe(
      'Words that must all occur in the prompt or the tags; any part of a word counts. Leave it out for the newest.',
    ),
  model: z.string().max(200).optional().describe('Only of this model id.'),
  status: GenerationStatus.optional(),
  favorite: z.boolean().optional().describe('true: only favourites.'),
  tag: z.string().max(100).optional().describe('Only with exactly this tag.'),
  from: z.string().max(40).optional().describe('A date or time, inclusive, such as "2026-11-23".'),
  to: z.string().max(40).optional().describe('A date (to its end) or time, inclusive.'),
  limit: z.int().min(1).max(50).optional().describe('10 when left out.'),
  cursor: z.string().max(500).optional().describe('next_cursor of the page before.'),
}

export const ModelArguments = {
  model: z.string().min(1).max(200).optional().describe('Only this one, with the JSON Schema of its parameters.'),
  all: z.boolean().optional().describe('true: also older models, and those that no key of this server can use.'),
}

// ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const Money = z.object({ amount: z.number(), currency: z.string() })
const Range = z.object({ min: z.number(), max: z.number(), currency: z.string() })

export const ModelsAnswer = z.object({
  models: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      provider: z.string(),
      is_default: z.boolean().describe('Used when a call names no model.'),
      usable: z.boolean().describe('This server has a key for it.'),
      about: z.string(),
      makes: z.array(z.enum(['text_to_image', 'edit'])),
      sizes: z.array(z.string()).describe('What size may be, shortened.'),
      default_size: z.string().optional(),
      max_n: z.int(),
      max_references: z.int(),
      takes_mask: z.boolean(),
      price: z.string().describe('Of one picture, in words.'),
      typical_seconds: z.array(z.number()),
      parameters: z.array(z.string()).describe('Names that `parameters` may have.'),
      parameters_schema: z.record(z.string(), z.unknown()).meta({ additionalProperties: true }).optional(),
      note: z.string().optional(),
    }),
  ),
})

export const EstimateAnswer = z.object({
  model: z.string(),
  images: z.int(),
  paid_requests: z.int(),
  cost: Range.nullable().describe('Null: no price is known.'),
  reasons: z.array(z.string()),
  warnings: z.array(z.string()),
  session_left: Money.nullable().describe('What this session may still spend; null without a cap.'),
})

const Picture = z.object({
  id: z.string(),
  resource: z.string().describe('Its address as a resource of this server.'),
  url: z.string().describe('Opens the original.'),
  path: z.string().optional().describe('Where the original was saved on this machine.'),
  width: z.int(),
  height: z.int(),
  mime_type: z.string(),
  bytes: z.int(),
})

export const GenerationAnswer = z.object({
  generation_id: z.string(),
  status: GenerationStatus,
  prompt: z.string(),
  model: z.string().optional(),
  size: z.string().optional(),
  images: z.array(Picture),
  wanted: z.int().describe('Pictures that were asked for.'),
  missing: z.array(z.object({ code: z.string(), message: z.string() })),
  warnings: z.array(z.string()),
  charge: z
    .enum(['none', 'charged', 'unknown'])
    .describe('`unknown`: it may have been billed, and the answer was lost.'),
  cost: Money.nullable().describe('What it did cost, as far as that is known.'),
  session_left: Money.nullable().describe('What this session may still spend; null without a cap.'),
  joined: z.boolean().describe('It was begun by an earlier equal call; nothing new was paid.'),
  timestamp: z.string(),
  next: z.string().describe('What to do now.'),
})

export const CancelAnswer = z.object({
  generation_id: z.string(),
  status: GenerationStatus,
  saves: z.enum(['all', 'some', 'perhaps', 'nothing']).describe('What is not charged because of the cancel.'),
  message: z.string(),
})

export const SearchAnswer = z.object({
  generations: z.array(
    z.object({
      generation_id: z.string(),
      timestamp: z.string(),
      status: GenerationStatus,
      prompt: z.string(),
      model: z.string().optional(),
      images: z.array(z.object({ id: z.string(), url: z.string(), width: z.int(), height: z.int() })),
      cost: Money.nullable(),
      favorite: z.boolean(),
      tags: z.array(z.string()),
    }),
  ),
  next_cursor: z.string().optional(),
})
