/** What each model accepts: enough to draw its form and to reject a bad request without asking the service. */
import { z } from 'zod'

const count = z.int().nonnegative()
const positive = z.number().positive()
const pixels = z.string().regex(/^\d{1,5}x\d{1,5}$/, 'must be a size such as 2048x2048')
const ratio = z.string().regex(/^\d+(\.\d+)?:\d+(\.\d+)?$/, 'must be a ratio such as 16:9')

const sizeRule = z
  .object({
    keywords: z.array(z.string()).describe('Words that the service itself understands.'),
    exact: z.array(pixels).describe('The only accepted `WxH`, if not empty and `free` is null.'),
    free: z
      .object({
        min_area: positive.nullable(),
        max_area: positive.nullable(),
        min_side: positive.nullable(),
        max_side: positive.nullable(),
        min_ratio: positive.nullable(),
        max_ratio: positive.nullable(),
      })
      .nullable()
      .describe('Bounds of any other `WxH`, inclusive, in pixels; ratios are width over height.'),
    recommended: z.record(z.string(), z.record(ratio, pixels)).describe('Tier → ratio → `WxH`.'),
    default_tier: z.string().nullable(),
    default: z.string().nullable(),
    follows_last_reference: z
      .boolean()
      .describe('A tier that is no keyword takes the ratio of the last reference instead of 1:1.'),
  })
  .meta({ id: 'SizeRule' })

const priceSteps = z.array(z.object({ up_to_area: z.number().nullable(), amount: z.number() }))

const time = z.string().nullable()

export const ModelLife = z
  .object({
    stage: z
      .enum(['current', 'announced', 'retiring', 'ended'])
      .describe(
        '`announced`: it will end. `retiring`: it will end, and accounts that never opened it can no longer open it. `ended`: requests are refused.',
      ),
    announced_at: time,
    closed_to_new_at: time,
    ends_at: time.describe('From then on requests are refused.'),
    ended_at: time.describe('When it ended, as far as that is known.'),
    successors: z.array(z.string()).describe('Equivalent models there that have not ended, the best first.'),
    certainty: z.enum(['documented', 'reported', 'inferred']).nullable(),
    source: z.string().nullable().describe('The source for its end.'),
    checked: z.string().nullable(),
    learned_at: time.describe(
      "When the service's own list last gave the stage of the model, which takes precedence over older entries. Null if it never did.",
    ),
  })
  .meta({ id: 'ModelLife', description: 'The stage of a model at the address that a request goes to.' })

export type ModelLife = z.infer<typeof ModelLife>

export const Model = z
  .object({
    id: z.string(),
    name: z.string(),
    provider: z.string(),
    provider_name: z.string(),
    configured: z.boolean().describe('There is an active configuration with a key for this provider.'),
    is_default: z
      .boolean()
      .describe('The default for a request that names this provider and no model: the cheapest general one.'),
    is_served: z
      .boolean()
      .describe('False where the platform of the address that a request would go to is not known to serve it.'),
    state: z
      .enum(['current', 'legacy', 'retired', 'unlisted'])
      .describe(
        '`unlisted`: the service offers it and this program does not know it yet; requests use the defaults of its family.',
      ),
    life: ModelLife.extend({
      by_platform: z
        .array(
          z.object({
            platforms: z.array(z.string()).nullable().describe('Null: all.'),
            announced_at: time,
            closed_to_new_at: time,
            ends_at: time,
            has_ended: z.boolean().describe('It ended on an unknown day.'),
            successors: z.array(z.string()),
            certainty: z.enum(['documented', 'reported', 'inferred']),
            source: z.string(),
            checked: z.string(),
          }),
        )
        .describe('What is known about its end, by platform.'),
    }).describe('Its stage at the address that is used when a request names only the model.'),
    platforms: z
      .array(z.string())
      .nullable()
      .describe('The platforms of the service that are known to serve it; null: all. docs/providers.md names them.'),
    family: z.string(),
    aliases: z.array(z.string()),
    id_at: z
      .record(z.string(), z.string())
      .describe('By platform, the alias that is sent where it does not know `id`; requests always use `id`.'),
    about: z.object({ en: z.string(), zh: z.string() }),
    text_to_image: z.boolean().describe('False for models that only edit pictures.'),
    prompt: z.object({ required: z.boolean(), max_characters: count.nullable() }),
    mask: z
      .object({
        marks: z.enum(['white', 'transparent']).describe('What the parts to change are in the mask that is sent.'),
        parameters: z.record(z.string(), z.unknown()).describe('These say that the last reference is a mask.'),
      })
      .nullable()
      .describe('Null for models that take no mask; others take the `mask` of a request.'),
    references: z.object({
      min: count,
      max: count,
      types: z
        .array(z.string().regex(/^image\/[\w.+-]+$/, 'must be a type such as image/png'))
        .describe('Other types are re-encoded.'),
      alpha: z.boolean().describe('False: transparent references are flattened onto white.'),
      min_side: positive.describe('In pixels; smaller ones are refused.'),
      max_side: positive.describe('Larger ones are shrunk.'),
      max_area: positive.nullable(),
      max_ratio: positive.nullable(),
      max_encoded_bytes: positive.describe('Of the base64 text of one reference.'),
      max_total_encoded_bytes: positive.describe('Of all of them together.'),
    }),
    sizes: z.object({
      text_to_image: sizeRule.nullable(),
      with_references: sizeRule.nullable(),
      group: sizeRule.nullable(),
    }),
    images: z.object({
      max: count.min(1).describe('The most that one generation may ask for.'),
      max_separate: count.min(1).describe('The most where no series is asked for.'),
      per_call: count.min(1).describe('Made by one paid request.'),
      group: z
        .object({
          max: count.min(1),
          counts_references: z.boolean(),
          asked_by: z.string().nullable(),
          is_implied: z.boolean().describe('Without references it is a series unless `asked_by` is false.'),
          max_references: count.min(1).nullable().describe('Of a series, where it takes fewer than other requests.'),
          max_layers: count.describe('Come on top of the pictures of each request, and each is charged.'),
        })
        .nullable(),
    }),
    parameters: z.record(z.string(), z.unknown()).describe('JSON Schema (draft 2020-12) of `parameters`.'),
    price: z
      .object({
        currency: z.enum(['CNY', 'USD']),
        image: priceSteps.describe('Per picture, by its area.'),
        layer: priceSteps.nullable(),
        reference: z.object({ amount: z.number(), free: z.int() }).nullable(),
        factor_when: z.object({ parameter: z.string(), factor: z.number() }).nullable(),
        certainty: z.enum(['documented', 'reported', 'inferred']),
        source: z.string(),
        checked: z.string(),
      })
      .nullable(),
    typical_seconds: z.tuple([positive, positive]).describe('From request to picture, fast and slow.'),
    concurrency: count.min(1).describe('Paid requests at a time with one configuration.'),
    source: z.string(),
    checked: z.string(),
  })
  .meta({ id: 'Model' })

export const ModelList = z.object({ items: z.array(Model) }).meta({ id: 'ModelList' })

export type Model = z.infer<typeof Model>
