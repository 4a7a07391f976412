/** Chats with a model that draws, as chat programs of the OpenAI API hold them. */
import { z } from 'zod'
import { optional } from '../schemas.ts'

const text = z.string().max(10_000_000)

const part = z.union([
  z.looseObject({ type: z.enum(['text', 'input_text', 'output_text']), text }),
  z.looseObject({
    type: z.enum(['image_url', 'input_image']),
    image_url: z.union([z.string().min(1), z.looseObject({ url: z.string().min(1) })]),
  }),
  z.looseObject({ type: z.string().max(50) }),
])

export const V1ChatRequest = z
  .looseObject({
    model: optional(z.string().trim().min(1).max(200)).describe('As in `POST /v1/images/generations`.'),
    messages: z
      .array(
        z.looseObject({
          role: z.string().max(50),
          content: optional(z.union([text, z.array(part).max(100)])),
          images: optional(z.array(z.looseObject({ image_url: z.looseObject({ url: z.string().min(1) }) })).max(16)),
        }),
      )
      .min(1)
      .max(2000)
      .describe(
        'The last message of the user says what to draw; its pictures, and those of the answer before it, are the references.',
      ),
    n: optional(z.int()).describe('Pictures wanted.'),
    size: optional(z.string().max(50)),
    modalities: optional(z.array(z.string().max(50)).max(10)).describe(
      'With `image` the pictures come as parts in `images` of the message, otherwise as Markdown in its text.',
    ),
    stream: optional(z.boolean()),
    stream_options: optional(z.looseObject({ include_usage: optional(z.boolean()) })),
  })
  .meta({
    id: 'V1ChatRequest',
    description: 'Other members are parameters of the model where it has one of that name; the rest is left out.',
    examples: [{ model: 'doubao-seedream-4-0-20260415', messages: [{ role: 'user', content: '水墨山水' }] }],
  })

export type V1ChatRequest = z.output<typeof V1ChatRequest>

export const V1ChatCompletion = z
  .object({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.int(),
        message: z.object({
          role: z.literal('assistant'),
          content: z.string(),
          images: z
            .array(z.object({ type: z.literal('image_url'), index: z.int(), image_url: z.object({ url: z.string() }) }))
            .optional(),
        }),
        finish_reason: z.literal('stop'),
      }),
    ),
    usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() }),
  })
  .meta({ id: 'V1ChatCompletion' })

export type V1ChatCompletion = z.infer<typeof V1ChatCompletion>
