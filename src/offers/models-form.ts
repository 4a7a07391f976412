/** What an entry of MODELS_FILE may say: the JSON of `GET /api/models`, of which every member may be left out. */
import { z } from 'zod'
import { ModelLife, Model as ModelSchema } from '../api/models.ts'
import { priceForm } from './price-file.ts'

const word = z.string().trim().min(1).max(200)
const sentence = z.string().trim().min(1).max(500)
const day = z.string().regex(/^\d{4}-\d\d(-\d\d)?$/, 'must be a month such as 2026-11, or a day')
const time = z
  .string()
  .refine(
    text => /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text) && Date.parse(text) > 0,
    'must be a day such as 2026-11-24, or a time with its zone such as 2026-11-24T14:00+08:00',
  )
const platforms = z.array(word).min(1, 'must name a platform, or be null for all').nullable()
/** Members that stand only in answers, because the server computes them. */
const derived = z.unknown()

const lifeEntry = z
  .strictObject({
    platforms,
    announced_at: time.nullable(),
    closed_to_new_at: time.nullable(),
    ends_at: time.nullable(),
    has_ended: z.boolean(),
    successors: z.array(word),
    certainty: ModelLife.shape.certainty,
    source: sentence.nullable(),
    checked: day.nullable(),
  })
  .partial()

export type LifeEntry = z.output<typeof lifeEntry>

const facts = ModelSchema.pick({
  text_to_image: true,
  prompt: true,
  references: true,
  mask: true,
  sizes: true,
  images: true,
  typical_seconds: true,
  concurrency: true,
})

export type Facts = Correction<z.output<typeof facts>>
/** Every member may be left out; tables and lists are whole. */
type Correction<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? string extends keyof Value
      ? Value
      : { [Name in keyof Value]?: Correction<Value[Name]> }
    : Value

/** No other member may stand there. */
function correction(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodNullable) return correction(schema.unwrap() as z.ZodType).nullable()
  return schema instanceof z.ZodObject ? z.strictObject(corrections(schema)) : schema
}

function corrections({ shape }: z.ZodObject) {
  return Object.fromEntries(
    Object.entries(shape).map(([name, member]) => [name, correction(member as z.ZodType).optional()]),
  )
}

const entryForm = z
  .strictObject({
    id: word,
    provider: word,
    family: word,
    name: word,
    state: ModelSchema.shape.state,
    life: lifeEntry
      .extend({ by_platform: z.array(lifeEntry), stage: derived, ended_at: derived, learned_at: derived })
      .partial()
      .nullable(),
    platforms,
    aliases: z.array(word),
    id_at: z.record(word, word),
    about: z.strictObject({ en: sentence, zh: sentence }).partial(),
    parameters: z.looseObject({ properties: z.record(z.string(), z.record(z.string(), z.unknown()).nullable()) }),
    price: priceForm,
    source: sentence,
    checked: day,
    provider_name: derived,
    configured: derived,
    is_default: derived,
    is_served: derived,
  })
  .partial()
  .required({ id: true })

export type Entry = z.output<typeof entryForm> & Facts

export const modelsForm = z.strictObject(
  { items: z.array(entryForm.extend(corrections(facts)) as unknown as z.ZodType<Entry>) },
  'must be an object with "items", a list of models, as GET /api/models answers',
)
