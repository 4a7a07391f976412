/** What can be asked of each model: enough to draw its form and to refuse a bad request without asking the service. */
import { z } from 'zod'

const sizeRule = z
  .object({
    keywords: z.array(z.string()).describe('Words that the service itself understands.'),
    exact: z.array(z.string()).describe('The only `WxH` taken, where not empty and `free` is null.'),
    free: z
      .object({
        min_area: z.number().nullable(),
        max_area: z.number().nullable(),
        min_side: z.number().nullable(),
        max_side: z.number().nullable(),
        min_ratio: z.number().nullable(),
        max_ratio: z.number().nullable(),
      })
      .nullable()
      .describe('Bounds of any other `WxH`, inclusive, in pixels; ratios are width over height.'),
    recommended: z.record(z.string(), z.record(z.string(), z.string())).describe('Tier → ratio → `WxH`.'),
    default_tier: z.string().nullable(),
    default: z.string().nullable(),
  })
  .meta({ id: 'SizeRule' })

const priceSteps = z.array(z.object({ up_to_area: z.number().nullable(), amount: z.number() }))

export const Model = z
  .object({
    id: z.string(),
    name: z.string(),
    provider: z.string(),
    provider_name: z.string(),
    configured: z.boolean().describe('There is an active configuration with a key for this provider.'),
    is_default: z
      .boolean()
      .describe('The one that is taken when a request names this provider and no model: the cheapest general one.'),
    state: z.enum(['current', 'legacy', 'retired', 'unlisted']),
    family: z.string(),
    aliases: z.array(z.string()),
    about: z.object({ en: z.string(), zh: z.string() }),
    text_to_image: z.boolean().describe('False for models that only edit pictures.'),
    prompt: z.object({ required: z.boolean(), max_characters: z.int().nullable() }),
    references: z.object({
      min: z.int(),
      max: z.int(),
      types: z.array(z.string()),
      min_side: z.number(),
      max_side: z.number(),
      max_ratio: z.number().nullable(),
    }),
    sizes: z.object({
      text_to_image: sizeRule.nullable(),
      with_references: sizeRule.nullable(),
      group: sizeRule.nullable(),
    }),
    images: z.object({
      max: z.int().describe('The most that one generation may ask for.'),
      per_call: z.int().describe('Made by one paid request.'),
      group: z.object({ max: z.int(), counts_references: z.boolean(), asked_by: z.string().nullable() }).nullable(),
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
    typical_seconds: z.tuple([z.number(), z.number()]).describe('From request to picture, fast and slow.'),
    source: z.string(),
    checked: z.string(),
  })
  .meta({ id: 'Model' })

export const ModelList = z.object({ items: z.array(Model) }).meta({ id: 'ModelList' })

export type Model = z.infer<typeof Model>
