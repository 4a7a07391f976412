/**
 * The file of models that the user keeps: JSON in the words of `GET /api/models`, whose whole answer it takes as well. An entry of a
 * listed model corrects what it names and leaves the rest; any other is a new model, in the form of its family.
 */
import { isDeepStrictEqual } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { z } from 'zod'
import type { JsonSchema, Model, ModelLife, Price, SizeRule } from '../catalogue/model.ts'
import { resolveSize } from '../catalogue/sizes.ts'
import { type Catalogue, createCatalogue, type ProviderId, providerIds, providers } from '../providers/index.ts'
import { faultIn, OwnFileError, readOwnFile } from './own-file.ts'
import { priceForm, priceOf } from './price-file.ts'

export interface OwnModels {
  catalogue: Catalogue
  /** By id, wherever a request goes: those of the file that stand in no price list of the model. */
  prices: Map<string, Price>
}

// ── The form ────────────────────────────────────────────────────────────────────────────────────────────────────────

const word = z.string().trim().min(1, 'must not be empty').max(200)
const sentence = z.string().trim().min(1, 'must not be empty').max(500)
const flag = z.boolean('must be true or false')
const positive = z.number('must be a number').positive('must be greater than 0')
const count = z.int('must be a whole number').nonnegative('must not be negative')
const pixels = z.string().regex(/^\d{1,5}x\d{1,5}$/, 'must be a size such as 2048x2048')
const day = z.string().regex(/^\d{4}-\d\d(-\d\d)?$/, 'must be a month such as 2026-11, or a day')
const time = z
  .string()
  .refine(
    text => /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text) && Date.parse(text) > 0,
    'must be a day such as 2026-11-24, or a time with its zone such as 2026-11-24T14:00+08:00',
  )
const certainty = z.enum(['documented', 'reported', 'inferred'], 'must be documented, reported or inferred')
/** Only in answers; computed by the server. */
const derived = z.unknown().optional()

const sizeRule = z
  .strictObject({
    keywords: z.array(word),
    exact: z.array(pixels),
    free: z
      .strictObject({
        min_area: positive.nullable(),
        max_area: positive.nullable(),
        min_side: positive.nullable(),
        max_side: positive.nullable(),
        min_ratio: positive.nullable(),
        max_ratio: positive.nullable(),
      })
      .partial()
      .nullable(),
    recommended: z.record(
      z.string().max(20),
      z.record(z.string().regex(/^\d+(\.\d+)?:\d+(\.\d+)?$/, 'must be a ratio such as 16:9'), pixels),
    ),
    default_tier: word.nullable(),
    default: word.nullable(),
    follows_last_reference: flag,
  })
  .partial()
  .nullable()

const lifeEntry = {
  platforms: z.array(word).min(1, 'must name a platform, or be null for all').nullish(),
  announced_at: time.nullish(),
  closed_to_new_at: time.nullish(),
  ends_at: time.nullish(),
  has_ended: flag.optional(),
  successors: z.array(word).optional(),
  certainty: certainty.nullish(),
  source: sentence.nullish(),
  checked: day.nullish(),
}

const life = z
  .strictObject({
    ...lifeEntry,
    by_platform: z.array(z.strictObject(lifeEntry)).optional(),
    stage: derived,
    ended_at: derived,
    learned_at: derived,
  })
  .nullable()

const entryForm = z
  .strictObject({
    id: word,
    provider: z.enum(providerIds, `must be one of ${providerIds.join(', ')}`),
    family: word,
    name: word,
    state: z.enum(['current', 'legacy', 'retired', 'unlisted'], 'must be current, legacy or retired'),
    life,
    platforms: z.array(word).min(1, 'must name a platform, or be null for all').nullable(),
    aliases: z.array(word),
    id_at: z.record(word, word),
    about: z.strictObject({ en: sentence, zh: sentence }).partial(),
    text_to_image: flag,
    prompt: z.strictObject({ required: flag, max_characters: count.nullable() }).partial(),
    references: z
      .strictObject({
        min: count,
        max: count,
        types: z.array(z.string().regex(/^image\/[\w.+-]+$/, 'must be a type such as image/png')),
        alpha: flag,
        min_side: positive,
        max_side: positive,
        max_area: positive.nullable(),
        max_ratio: positive.nullable(),
        max_encoded_bytes: positive,
        max_total_encoded_bytes: positive,
      })
      .partial(),
    sizes: z.strictObject({ text_to_image: sizeRule, with_references: sizeRule, group: sizeRule }).partial(),
    images: z
      .strictObject({
        max: count.min(1),
        max_separate: count.min(1),
        per_call: count.min(1),
        group: z
          .strictObject({ max: count.min(1), counts_references: flag, asked_by: word.nullable(), max_layers: count })
          .partial()
          .nullable(),
      })
      .partial(),
    parameters: z.looseObject({
      properties: z.record(z.string(), z.record(z.string(), z.unknown()).nullable()),
    }),
    price: priceForm,
    typical_seconds: z.tuple([positive, positive]),
    concurrency: count.min(1),
    source: sentence,
    checked: day,
    provider_name: derived,
    configured: derived,
    is_default: derived,
  })
  .partial()
  .required({ id: true })

type Entry = z.output<typeof entryForm>

const file = z.strictObject(
  { items: z.array(entryForm, 'must be a list of models') },
  'must be an object with "items", a list of models, as GET /api/models answers',
)

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const variable = 'MODELS_FILE'

/** @throws OwnFileError */
export function readModelsFile(path: string, base: Catalogue): OwnModels {
  const { items } = readOwnFile(variable, path, file, placeInItems)
  const faults: OwnFileError['faults'] = []
  const models = Object.fromEntries(providerIds.map(id => [id, [...base.models[id]]])) as Record<ProviderId, Model[]>
  const prices = new Map<string, Price>()
  const seen = new Set<string>()
  for (const entry of items) {
    const fault = (message: string, ...place: PropertyKey[]) => {
      faults.push(faultIn(variable, path, [entry.id, ...place], message))
    }
    if (seen.has(entry.id)) fault('appears twice')
    seen.add(entry.id)
    const provider = providerOf(entry, base, fault)
    const former = provider && formerOf(entry, provider, base, fault)
    if (!former) continue
    const made = modelOf(entry, former.model, former.isListed, fault)
    const list = models[provider]
    const position = list.findIndex(({ id }) => id === entry.id)
    // Who made something of a model remembers it by its object.
    const model = position >= 0 && isSame(made, list[position]!) ? list[position]! : made
    list.splice(position >= 0 ? position : list.length, position >= 0 ? 1 : 0, model)
    checkParameters(model, provider, base, fault)
    checkSizes(model, fault)
    checkCounts(model, fault)
    const price = entry.price && priceOf(entry.price, variable)
    const listed = [former.model.price, former.model.priceAbroad]
    if (price && !listed.some(one => one && isSame(one, price))) prices.set(entry.id, price)
  }
  const catalogue = createCatalogue(models)
  for (const entry of items)
    faults.push(
      ...strangersIn(entry, catalogue).map(([place, message]) =>
        faultIn(variable, path, [entry.id, ...place], message),
      ),
    )
  if (faults.length > 0) throw new OwnFileError(faults)
  return { catalogue, prices }
}

type Fault = (message: string, ...place: PropertyKey[]) => void

/** The id is more helpful than the index of an item. */
function placeInItems(place: readonly PropertyKey[], json: unknown): readonly PropertyKey[] {
  const [members, index, ...rest] = place
  if (members !== 'items' || typeof index !== 'number') return place
  const id = (json as { items: { id?: unknown }[] }).items[index]?.id
  return [typeof id === 'string' ? id : `items → ${index}`, ...rest]
}

function providerOf(entry: Entry, base: Catalogue, fault: Fault): ProviderId | undefined {
  const found = base.find(entry.id)
  const isListed = found !== undefined && found.model.state !== 'unlisted'
  if (isListed && found.model.id !== entry.id) {
    fault(`is another name of ${found.model.id}; correct that one`)
    return undefined
  }
  if (isListed && entry.provider && entry.provider !== found.provider) {
    fault(`is a model of ${found.provider}`, 'provider')
    return undefined
  }
  const provider = entry.provider ?? found?.provider
  if (!provider) fault(`is missing: which service has this model? One of ${providerIds.join(', ')}`, 'provider')
  return provider
}

/** The model that an entry corrects; for a new model, that of its family, or the cautious default. */
function formerOf(entry: Entry, provider: ProviderId, base: Catalogue, fault: Fault) {
  const own = base.models[provider].find(({ id }) => id === entry.id)
  if (own) {
    if (entry.family !== undefined && entry.family !== own.family)
      fault(`cannot be changed; it is ${own.family}`, 'family')
    return { model: own, isListed: true }
  }
  const cautious = providers[provider].unlisted(entry.id, true)
  const families = new Map(base.models[provider].map(model => [model.family, model]))
  const relative =
    entry.family === undefined || entry.family === cautious?.family ? cautious : families.get(entry.family)
  if (!relative) {
    fault(`is none of ${provider}; choose one of ${[...families.keys()].join(', ')}, or leave it out`, 'family')
    return undefined
  }
  // Facts about its relative do not apply to it.
  const { life: _, aliases: __, price: ___, priceAbroad: ____, unpriced: _____, ...form } = relative
  const about = {
    en: `Added by ${variable}, in the form of ${relative.id === entry.id ? 'its family' : relative.name}.`,
    zh: `由 ${variable} 添加，按${relative.id === entry.id ? '所属系列' : relative.name}的方式请求。`,
  }
  const model: Model = {
    ...form,
    id: entry.id,
    name: entry.id,
    about,
    state: 'current',
    idAt: undefined,
    platforms: undefined,
    source: variable,
    checked: today(),
  }
  return { model, isListed: false }
}

function modelOf(entry: Entry, former: Model, isListed: boolean, fault: Fault): Model {
  const { prompt, references, sizes, images } = entry
  const made: Model = {
    ...former,
    name: entry.name ?? former.name,
    // Whether it has ended is a matter of its life, which is read beside it.
    state: entry.state === 'legacy' || entry.state === 'current' ? entry.state : former.state,
    about: { ...former.about, ...(entry.about?.en && !entry.about.zh ? { zh: entry.about.en } : {}), ...entry.about },
    aliases: entry.aliases ? filled(entry.aliases) : former.aliases,
    idAt: entry.id_at && Object.keys(entry.id_at).length > 0 ? entry.id_at : entry.id_at ? undefined : former.idAt,
    life: lifeOf(entry, former),
    platforms: entry.platforms === undefined ? former.platforms : (entry.platforms ?? undefined),
    textToImage: entry.text_to_image ?? former.textToImage,
    promptRequired: prompt?.required ?? former.promptRequired,
    promptMaxCharacters: kept(prompt?.max_characters, former.promptMaxCharacters),
    references: defined({
      ...former.references,
      ...defined({
        min: references?.min,
        max: references?.max,
        types: references?.types,
        alpha: references?.alpha,
        minSide: references?.min_side,
        maxSide: references?.max_side,
        maxEncodedBytes: references?.max_encoded_bytes,
        maxTotalEncodedBytes: references?.max_total_encoded_bytes,
      }),
      maxArea: kept(references?.max_area, former.references.maxArea),
      maxRatio: kept(references?.max_ratio, former.references.maxRatio),
    }) as Model['references'],
    sizes: defined({
      textToImage: ruleOf(sizes?.text_to_image, former.sizes.textToImage),
      withReferences: ruleOf(sizes?.with_references, former.sizes.withReferences),
      group: ruleOf(sizes?.group, former.sizes.group),
    }),
    images: countOf(images, former.images),
    parameters: parametersOf(entry.parameters, former.parameters),
    typicalSeconds: entry.typical_seconds ?? former.typicalSeconds,
    concurrency: entry.concurrency ?? former.concurrency,
    source: entry.source ?? (isListed ? former.source : variable),
    checked: entry.checked ?? (isListed ? former.checked : today()),
  }
  if (made.typicalSeconds[0] > made.typicalSeconds[1]) fault('must be fast first, then slow', 'typical_seconds')
  return defined(made) as Model
}

function lifeOf({ life, state }: Entry, former: Model): Model['life'] {
  if (life === null) return undefined
  if (life === undefined) return state === 'retired' ? [entryOf({ has_ended: true })] : former.life
  const { by_platform, stage, ended_at, learned_at, ...single } = life
  if (by_platform) return by_platform.length > 0 ? by_platform.map(entryOf) : undefined
  // Without platforms it applies to all, and replaces entries for some.
  return single.platforms ? [entryOf(single), ...(former.life ?? [])] : [entryOf(single)]
}

function entryOf(entry: z.output<z.ZodObject<typeof lifeEntry>>): ModelLife {
  return defined({
    platforms: entry.platforms ?? undefined,
    announcedAt: entry.announced_at ?? undefined,
    closedToNewAt: entry.closed_to_new_at ?? undefined,
    endsAt: entry.ends_at ?? undefined,
    hasEnded: entry.has_ended || undefined,
    successors: filled(entry.successors ?? []),
    certainty: entry.certainty ?? 'documented',
    source: entry.source ?? variable,
    checked: entry.checked ?? today(),
  }) as ModelLife
}

function ruleOf(given: z.output<typeof sizeRule> | undefined, former: SizeRule | undefined): SizeRule | undefined {
  if (given === undefined) return former
  if (given === null) return undefined
  const { free } = given
  return defined({
    keywords: given.keywords ? filled(given.keywords) : former?.keywords,
    exact: given.exact ? filled(given.exact) : former?.exact,
    free:
      free === null
        ? undefined
        : free === undefined
          ? former?.free
          : defined({
              minArea: kept(free.min_area, former?.free?.minArea),
              maxArea: kept(free.max_area, former?.free?.maxArea),
              minSide: kept(free.min_side, former?.free?.minSide),
              maxSide: kept(free.max_side, former?.free?.maxSide),
              minRatio: kept(free.min_ratio, former?.free?.minRatio),
              maxRatio: kept(free.max_ratio, former?.free?.maxRatio),
            }),
    table: given.recommended ?? former?.table ?? {},
    defaultTier: kept(given.default_tier, former?.defaultTier),
    default: kept(given.default, former?.default),
    followsLastReference: (given.follows_last_reference ?? former?.followsLastReference) || undefined,
  }) as SizeRule
}

function countOf(given: Entry['images'], former: Model['images']): Model['images'] {
  if (!given) return former
  const max = given.max_separate ?? given.max ?? former.max
  const group = given.group === undefined ? former.group : groupOf(given.group, former.group)
  // If only `max` is given, it is the maximum of a series as well.
  const isCapped =
    group && given.max !== undefined && given.max_separate === undefined && given.group?.max === undefined
  return defined({
    max,
    perCall: given.per_call ?? Math.min(former.perCall, Math.max(max, group?.limit ?? 0)),
    group: isCapped ? { ...group, limit: Math.min(group.limit, max) } : group,
  }) as Model['images']
}

function groupOf(
  given: NonNullable<NonNullable<Entry['images']>['group']> | null,
  former: Model['images']['group'],
): Model['images']['group'] {
  if (given === null) return undefined
  return defined({
    limit: given.max ?? former?.limit ?? 1,
    countsReferences: given.counts_references ?? former?.countsReferences ?? false,
    askedBy: kept(given.asked_by, former?.askedBy),
    maxLayers: (given.max_layers ?? former?.maxLayers) || undefined,
  }) as Model['images']['group']
}

function parametersOf(given: Entry['parameters'], former: Model['parameters']): Model['parameters'] {
  const merged: Record<string, JsonSchema> = { ...former }
  for (const [name, schema] of Object.entries(given?.properties ?? {})) {
    // Both follow from sizes and counts.
    if (name === 'size' || name === 'n') continue
    if (schema === null) delete merged[name]
    else merged[name] = schema
  }
  return merged
}

// ── What only the whole shows ───────────────────────────────────────────────────────────────────────────────────────

const ajv = new Ajv2020({ strict: false })

function checkParameters(model: Model, provider: ProviderId, base: Catalogue, fault: Fault) {
  const sent = new Set(base.models[provider].flatMap(({ parameters }) => Object.keys(parameters)))
  for (const [name, schema] of Object.entries(model.parameters)) {
    if (!sent.has(name)) {
      fault(`is a parameter that this program does not send to ${provider}`, 'parameters', 'properties', name)
      continue
    }
    try {
      ajv.compile(schema)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      fault(`is not a JSON Schema (${reason})`, 'parameters', 'properties', name)
    }
  }
}

function checkSizes(model: Model, fault: Fault) {
  const rules = {
    text_to_image: model.sizes.textToImage,
    with_references: model.sizes.withReferences,
    group: model.sizes.group,
  }
  for (const [name, rule] of Object.entries(rules)) {
    if (!rule) continue
    const place = ['sizes', name] as const
    const tiers = [...Object.keys(rule.table), ...(rule.keywords ?? [])]
    if (rule.defaultTier !== undefined && !tiers.includes(rule.defaultTier))
      fault(`must be one of ${tiers.join(', ')}`, ...place, 'default_tier')
    const refused = (size: string | undefined) => {
      const resolved = resolveSize(rule, model.id, size)
      return 'violation' in resolved ? resolved.violation.message : undefined
    }
    const trouble = rule.default === undefined ? undefined : refused(rule.default)
    if (trouble) fault(`contradicts the rule itself: ${trouble}`, ...place, 'default')
    for (const [tier, sizes] of Object.entries(rule.table)) {
      for (const [ratio, size] of Object.entries(sizes)) {
        const trouble = refused(size)
        if (trouble) fault(`contradicts the rule itself: ${trouble}`, ...place, 'recommended', tier, ratio)
      }
    }
  }
}

function checkCounts({ references, images }: Model, fault: Fault) {
  if (references.max > 0 && references.types.length === 0) fault('must name a type', 'references', 'types')
  if (references.min > references.max) fault('must not be more than max', 'references', 'min')
  if (references.minSide > references.maxSide) fault('must not be more than max_side', 'references', 'min_side')
  if (images.perCall > Math.max(images.max, images.group?.limit ?? 0))
    fault('must not be more than max', 'images', 'per_call')
}

/** Unknown successors and platforms, and names that two models share. */
function strangersIn(
  { id, life, platforms, aliases, id_at: idAt }: Entry,
  { models, all, find }: Catalogue,
): [PropertyKey[], string][] {
  const found = all().find(({ model }) => model.id === id)
  if (!found) return []
  const named = [...(life?.successors ?? []), ...(life?.by_platform ?? []).flatMap(({ successors = [] }) => successors)]
  const unknown = named.filter(successor => {
    const heir = find(successor, found.provider)
    return !heir || heir.model.state === 'unlisted' || heir.model.id === id
  })
  const nameless = Object.values(idAt ?? {}).filter(alias => !found.model.aliases?.includes(alias))
  const taken = (aliases ?? []).filter(alias =>
    models[found.provider].some(other => other.id !== id && [other.id, ...(other.aliases ?? [])].includes(alias)),
  )
  const places = [
    ...(platforms ?? []),
    ...Object.keys(idAt ?? {}),
    ...[life, ...(life?.by_platform ?? [])].flatMap(one => one?.platforms ?? []),
  ]
  const known = providers[found.provider].platforms
  const elsewhere = places.filter(place => !(known as readonly string[]).includes(place))
  return [
    ...elsewhere.map((one): [PropertyKey[], string] => [
      ['platforms'],
      `${one} is not a platform of ${found.provider}; choose from ${known.join(', ')}`,
    ]),
    ...unknown.map((one): [PropertyKey[], string] => [
      ['life', 'successors'],
      `${one} is not another model of ${found.provider}`,
    ]),
    ...nameless.map((one): [PropertyKey[], string] => [['id_at'], `${one} is not one of its aliases`]),
    ...taken.map((one): [PropertyKey[], string] => [['aliases'], `${one} is the name of another model`]),
  ]
}

// ── Small things ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Undefined: stays; null: is taken away. */
function kept<Value>(given: Value | null | undefined, former: Value | undefined): Value | undefined {
  return given === undefined ? former : (given ?? undefined)
}

/** An empty list is the same as none. */
function filled(list: string[]): string[] | undefined {
  return list.length > 0 ? list : undefined
}

function defined<Members extends object>(members: Members): Partial<Members> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<Members>
}

/** A member that is left out and one that is undefined are the same. */
function isSame(one: object, other: object): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)))
}

function today() {
  return new Date().toISOString().slice(0, 10)
}
