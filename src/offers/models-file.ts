/**
 * The file of models that the user keeps: JSON in the words of `GET /api/models`, whose whole answer it takes as well. An entry of a
 * listed model corrects what it names and leaves the rest; any other is a new model, in the form of its family.
 */
import { isDeepStrictEqual } from 'node:util'
import { type CardJson, noGroup, noRule, readCard, readLife, writeCard } from '../catalogue/card.ts'
import type { Model, ModelLife, Price } from '../catalogue/model.ts'
import { type Catalogue, createCatalogue } from '../providers/registry.ts'
import { checkModel, findStrangers, type NoteFault } from './models-check.ts'
import { type Entry, type Facts, type LifeEntry, modelsForm } from './models-form.ts'
import { faultIn, OwnFileError, readOwnFile } from './own-file.ts'
import { completePrice } from './price-file.ts'

export interface OwnModels {
  catalogue: Catalogue
  /** By id, wherever a request goes: those of the file that stand in no price list of the model. */
  prices: Map<string, Price>
}

const variable = 'MODELS_FILE'

/** @throws OwnFileError */
export function readModelsFile(path: string, base: Catalogue): OwnModels {
  const { items } = readOwnFile(variable, path, modelsForm, placeInItems)
  const faults: OwnFileError['faults'] = []
  const models = new Map(Object.entries(base.models).map(([id, models]) => [id, [...models]]))
  const prices = new Map<string, Price>()
  const seen = new Set<string>()
  for (const entry of items) {
    const fault: NoteFault = (message, ...place) => {
      faults.push(faultIn(variable, path, [entry.id, ...place], message))
    }
    if (seen.has(entry.id)) fault('appears twice')
    seen.add(entry.id)
    const provider = findProvider(entry, base, fault)
    const former = provider && findFormer(entry, provider, base, fault)
    if (!former) continue
    const made = correct(entry, former.model)
    const list = models.get(provider) ?? []
    const position = list.findIndex(({ id }) => id === entry.id)
    // An unchanged model keeps its object, because caches are keyed by it.
    const model = position >= 0 && isSame(made, list[position]!) ? list[position]! : made
    list.splice(position >= 0 ? position : list.length, position >= 0 ? 1 : 0, model)
    checkModel(model, provider, base, fault)
    const price = entry.price && completePrice(entry.price, variable)
    const listed = [former.model.price, former.model.priceAbroad]
    if (price && !listed.some(one => one && isSame(one, price))) prices.set(entry.id, price)
  }
  const catalogue = createCatalogue(base.providers, Object.fromEntries(models))
  for (const entry of items)
    faults.push(
      ...findStrangers(entry, catalogue).map(([place, message]) =>
        faultIn(variable, path, [entry.id, ...place], message),
      ),
    )
  if (faults.length > 0) throw new OwnFileError(faults)
  return { catalogue, prices }
}

/** The id is more helpful than the index of an item. */
function placeInItems(place: readonly PropertyKey[], json: unknown): readonly PropertyKey[] {
  const [members, index, ...rest] = place
  if (members !== 'items' || typeof index !== 'number') return place
  const id = (json as { items: { id?: unknown }[] }).items[index]?.id
  return [typeof id === 'string' ? id : `items → ${index}`, ...rest]
}

function findProvider(entry: Entry, base: Catalogue, fault: NoteFault): string | undefined {
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
  const names = base.providerIds.join(', ')
  if (provider && !base.findProvider(provider)) {
    fault(`must be one of ${names}`, 'provider')
    return undefined
  }
  if (!provider) fault(`is missing: which service has this model? One of ${names}`, 'provider')
  return provider
}

/** The model that an entry corrects; for a new model, that of its family, or the cautious default. */
function findFormer(entry: Entry, provider: string, base: Catalogue, fault: NoteFault) {
  const own = base.models[provider]?.find(({ id }) => id === entry.id)
  if (own) {
    if (entry.family !== undefined && entry.family !== own.family)
      fault(`cannot be changed; it is ${own.family}`, 'family')
    return { model: own, isListed: true }
  }
  const cautious = base.provider(provider).unlisted(entry.id, true)
  const families = new Map((base.models[provider] ?? []).map(model => [model.family, model]))
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

// ── A card and what corrects it ─────────────────────────────────────────────────────────────────────────────────────

/** Facts that no answer shows, and those that the server finds out anew, stay. */
function correct(entry: Entry, former: Model): Model {
  const card = writeCard(former)
  const { price, life, state, about, prompt, references, sizes, images, parameters, ...plain } = entry
  const corrected = readCard({
    ...card,
    ...plain,
    about: { ...card.about, ...(about?.en && !about.zh ? { zh: about.en } : {}), ...about },
    prompt: { ...card.prompt, ...prompt },
    references: { ...card.references, ...references },
    sizes: {
      text_to_image: correctRule(sizes?.text_to_image, card.sizes.text_to_image),
      with_references: correctRule(sizes?.with_references, card.sizes.with_references),
      group: correctRule(sizes?.group, card.sizes.group),
    },
    images: correctImages(images, card.images),
    parameters: { properties: correctParameters(parameters?.properties, former.parameters) },
  } as CardJson)
  const { price: _, ...facts } = corrected
  return {
    ...former,
    ...facts,
    // Whether it has ended is a matter of its life, which is read beside it.
    state: state === 'legacy' || state === 'current' ? state : former.state,
    life: correctLife(entry, former),
  }
}

type RuleJson = CardJson['sizes']['group']

function correctRule(given: NonNullable<Facts['sizes']>['group'], former: RuleJson) {
  if (!given) return given === null ? null : former
  const rule = { ...noRule, ...former, ...given }
  return { ...rule, free: given.free ? { ...former?.free, ...given.free } : rule.free }
}

function correctImages(given: Facts['images'], former: CardJson['images']) {
  if (!given) return former
  const group =
    given.group === undefined ? former.group : given.group && { ...noGroup, ...former.group, ...given.group }
  // If only `max` is given, it is the maximum of a series as well.
  const isOfAll = given.max !== undefined && given.max_separate === undefined && given.group?.max === undefined
  const max = given.max_separate ?? given.max ?? former.max_separate
  return {
    max_separate: max,
    per_call: given.per_call ?? Math.min(former.per_call, Math.max(max, group?.max ?? 0)),
    group: group && isOfAll ? { ...group, max: Math.min(group.max, max) } : group,
  }
}

/** Null takes a parameter away. */
function correctParameters(
  given: NonNullable<Entry['parameters']>['properties'] | undefined,
  former: Model['parameters'],
) {
  return Object.fromEntries(Object.entries({ ...former, ...given }).filter(([, schema]) => schema !== null))
}

function correctLife({ life, state }: Entry, former: Model): Model['life'] {
  if (life === null) return undefined
  if (life === undefined) return state === 'retired' ? [readEntry({ has_ended: true })] : former.life
  const { by_platform, stage, ended_at, learned_at, ...single } = life
  if (by_platform) return by_platform.length > 0 ? by_platform.map(readEntry) : undefined
  // Without platforms it applies to all, and replaces entries for some.
  return single.platforms ? [readEntry(single), ...(former.life ?? [])] : [readEntry(single)]
}

function readEntry(entry: LifeEntry): ModelLife {
  return readLife({
    ...entry,
    certainty: entry.certainty ?? 'documented',
    source: entry.source ?? variable,
    checked: entry.checked ?? today(),
  })
}

/** A member that is left out and one that is undefined are the same. */
function isSame(one: object, other: object): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)))
}

function today() {
  return new Date().toISOString().slice(0, 10)
}
