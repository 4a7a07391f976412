/** Requests for images, and their outcome. */
import { z } from 'zod'
import { Image } from './images.ts'
import { callbackUrl, idempotencyKey, optional } from './schemas.ts'

export const GenerateRequest = z
  .strictObject({
    prompt: optional(z.string().max(100_000)).describe('What to draw. Required unless the model says otherwise.'),
    model: optional(z.string().trim().min(1).max(200)).describe(
      "A model id of `GET /api/models`, or any other of a service. Default: the active configuration's model.",
    ),
    config_id: optional(z.string().trim().min(1).max(200)).describe('The configuration to use.'),
    provider: optional(z.string().trim().min(1).max(50)).describe(
      'An id of `GET /api/providers`; needed only for a model id that the catalogue does not know.',
    ),
    parameters: optional(z.record(z.string().max(100), z.unknown())).describe(
      'One vocabulary for all services, such as `size` and `n`; each model lists its own at `GET /api/models`.',
    ),
    images: optional(z.array(z.string().min(1)).max(16)).describe(
      'References: data URIs, http(s) URLs, or ids of stored pictures.',
    ),
    callback_url: callbackUrl,
    mask: optional(z.string().min(1)).describe(
      'Where to change the first of `images`: a picture as large as that, transparent where to change. Only for models with `mask` in `GET /api/models`.',
    ),
  })
  .meta({
    id: 'GenerateRequest',
    examples: [
      {
        prompt: '水墨山水，远处一叶小舟',
        model: 'doubao-seedream-4-0-20260415',
        parameters: { size: '2048x2048', n: 2, watermark: false },
      },
    ],
  })

export type GenerateRequest = z.output<typeof GenerateRequest>

/** Only for the description: a form is converted to a `GenerateRequest`. */
export const GenerateForm = z
  .object({
    prompt: z.string().optional(),
    model: z.string().optional(),
    config_id: z.string().optional(),
    provider: z.string().optional(),
    parameters: z.string().optional().describe('A JSON object, as in the JSON form of this request.'),
    callback_url: z.string().optional(),
    images: z
      .array(z.string().meta({ format: 'binary' }))
      .optional()
      .describe('References: files, or texts as in the JSON form; repeat the field for several.'),
    mask: z.string().meta({ format: 'binary' }).optional(),
  })
  .meta({ id: 'GenerateForm' })

export const GenerationStatus = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled'])

export const Advice = z
  .object({ en: z.string(), zh: z.string() })
  .meta({ id: 'Advice', description: 'What a person can do, in two languages.' })

export type Advice = z.infer<typeof Advice>

/** The values in a sentence, by name. */
export const Values = z.record(z.string(), z.union([z.string(), z.number()]))

export const Warning = z
  .object({
    code: z.string().nullable().describe('One of the warnings of docs/api.md; null in records of earlier versions.'),
    parameter: z.string(),
    message: z.string(),
    values: Values.describe('Values in the sentence, such as `most`.'),
  })
  .meta({ id: 'Warning' })

export type Warning = z.infer<typeof Warning>

export const Generation = z
  .object({
    id: z.string(),
    status: GenerationStatus.describe('`succeeded` means at least one picture; what is missing is in `failures`.'),
    prompt: z.string(),
    revised_prompt: z.string().nullable().describe('As rewritten by the service.'),
    provider: z.string().nullable(),
    model: z.string().nullable(),
    config_id: z.string().nullable(),
    parameters: z.record(z.string(), z.unknown()).describe('As requested.'),
    resolved: z.record(z.string(), z.unknown()).nullable().describe('As sent, after defaults and limits.'),
    timestamp: z.string(),
    started_at: z.string().nullable(),
    finished_at: z.string().nullable(),
    duration_ms: z.int().nullable().describe('From the request to the end.'),
    image_urls: z.array(z.string()),
    images: z.array(Image),
    references: z.array(Image),
    failures: z.array(
      z.object({ index: z.int(), code: z.string(), message: z.string(), provider_code: z.string().nullable() }),
    ),
    warnings: z.array(Warning).describe('What the model could not honour, and what a cap could not count.'),
    error: z
      .object({
        code: z.string(),
        message: z.string(),
        provider_code: z.string().nullable(),
        provider_message: z.string().nullable(),
        provider_request_id: z.string().nullable(),
        reason_code: z
          .string()
          .nullable()
          .describe('Where `message` says more than `code`: one of the reasons of docs/api.md, such as `model_ended`.'),
        reason_values: Values.describe('Values in that sentence, such as `successor`.'),
      })
      .nullable(),
    charge: z
      .enum(['none', 'charged', 'unknown'])
      .describe('`unknown`: a request may have been billed and its answer was lost.'),
    advice: Advice.optional().describe('With an end whose charge is `unknown`: what to do about it.'),
    cost: z.object({ amount: z.number(), currency: z.string() }).nullable(),
    favorite: z.boolean(),
    tags: z.array(z.string()),
    cover: z.int().nullable().describe('Position of the picture that stands for the group; null: the first.'),
    provider_request_ids: z
      .array(z.string())
      .describe('What the service calls the requests of this generation; its support asks for them.'),
    retry_of: z.string().nullable(),
    imported_from: z
      .string()
      .nullable()
      .describe('The program that made it, such as `comfyui`, if it was imported: `POST /api/imports`.'),
    waiting: z.string().nullable().describe('Why a running generation is not progressing at the moment.'),
    waiting_code: z.string().nullable().describe('The same for programs: one of the codes in docs/api.md.'),
    waiting_values: Values.describe('Values in the sentence, such as `detail`.'),
    cancel_requested: z.boolean(),
    cancel_saves: z
      .enum(['all', 'some', 'perhaps', 'nothing'])
      .nullable()
      .describe(
        'What a cancel would still save: nothing was sent yet, some of it was not, a task may still wait at the service, or all of it is being made and will be charged. Null at the end.',
      ),
  })
  .meta({ id: 'Generation' })

export type Generation = z.infer<typeof Generation>

/** For every request that may be charged. */
const generationKey = idempotencyKey.describe(
  'The same key with the same body returns the same generation and never makes a second one.',
)

/** A cap of the client's own, beside those of tokens, configurations and the server. */
const SessionHeaders = {
  'x-spending-cap': z
    .string()
    .optional()
    .describe(
      'Such as `5 CNY`: what would exceed it together with the rest of the session is refused. Needs `x-session`.',
    ),
  'x-session': z.string().optional().describe('Names a session of this token; what it spends is kept for good.'),
}

/** Loose, because every other header passes through. */
export const SpendingHeaders = z.looseObject(SessionHeaders)

const joins = z
  .enum(['unanswered'])
  .optional()
  .describe(
    '`unanswered`: an equal request of the same token that was not answered to its end gets the generation of the first one; the header `x-webimgui-joined` says so. `answered` of `PATCH /api/history/{id}` ends that.',
  )

export const GenerateHeaders = z.looseObject({
  prefer: z
    .string()
    .optional()
    .describe(
      '`respond-async` answers 202 at once, `wait=20` after at most that many seconds. Otherwise the answer waits for the end.',
    ),
  'idempotency-key': generationKey,
  'x-webimgui-join': joins,
  ...SessionHeaders,
})

export const RetryHeaders = z.looseObject({
  'idempotency-key': generationKey,
  'x-webimgui-join': joins,
  ...SessionHeaders,
})
