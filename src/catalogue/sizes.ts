/** Resolves the requested `size` to the one that is sent. The limits are the model's data. */

import type { Size, SizeRule } from './model.ts'
import type { RuleViolation, Values, ViolationCode } from './violation.ts'

export interface Pixels {
  width: number
  height: number
}

export type ResolvedSize = { size?: Size } | { violation: RuleViolation }

/**
 * `asked`: `WxH`, a ratio, a tier, or nothing. `reference`: the last reference, whose ratio some models follow.
 * The violation names the limit and a value that would work.
 */
export function resolveSize(
  rule: SizeRule,
  modelId: string,
  asked: string | undefined,
  reference?: Pixels,
): ResolvedSize {
  const wanted = asked ?? rule.default
  if (wanted === undefined) return {}
  const text = wanted.trim().replace(/[×X*]/g, 'x')
  const pixels = parsePixels(text)
  if (pixels) return checkPixels(rule, modelId, pixels)
  const ratio = /^(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(text)
  if (ratio) return fromRatio(rule, modelId, text, Number(ratio[1]) / Number(ratio[2]))
  return fromTier(rule, modelId, text, reference)
}

function fromTier(rule: SizeRule, model: string, text: string, reference: Pixels | undefined): ResolvedSize {
  const keyword = rule.keywords?.find(keyword => keyword.toLowerCase() === text.toLowerCase())
  if (keyword) return { size: { keyword } }
  const tier = Object.keys(rule.table).find(tier => tier.toLowerCase() === text.toLowerCase())
  const listed = Object.entries(rule.table[tier ?? ''] ?? {})
  const ratio = rule.followsLastReference && reference ? reference.width / reference.height : 1
  const nearest = tier === undefined ? undefined : findNearest(listed, ([name]) => name, ratio)
  if (!nearest) return refuse('size_unknown', { size: text, model, ...listChoices(rule) })
  return { size: parsePixels(nearest[1])! }
}

function fromRatio(rule: SizeRule, model: string, text: string, ratio: number): ResolvedSize {
  if (!(ratio > 0 && Number.isFinite(ratio)))
    return refuse('size_no_ratio', { size: text, model, ...listChoices(rule) })
  const sizes = findTable(rule)
  const listed = Object.entries(sizes).find(([name]) => distance(parseRatio(name), ratio) < 0.001)
  if (listed) return { size: parsePixels(listed[1])! }
  if (!rule.free) return refuse('size_ratio_unlisted', { size: text, model, ...listChoices(rule) })
  const square = parsePixels(sizes['1:1'] ?? '')
  const area = square ? square.width * square.height : (rule.free.minArea ?? rule.free.maxArea ?? 1024 * 1024)
  // Rounded up first, because rounding down can fall under the smallest area (docs/providers.md, Doubao).
  const rounded = [up16, down16].map(round => ({
    width: round(Math.sqrt(area * ratio)),
    height: round(Math.sqrt(area / ratio)),
  }))
  const fitting = rounded.find(size => fits(rule.free!, size)) ?? shrinkToFit(rule.free, area, ratio)
  return fitting ? { size: fitting } : checkPixels(rule, model, rounded[0]!)
}

/** The largest size of about this ratio within bounds that the tier's area would exceed. */
function shrinkToFit(free: NonNullable<SizeRule['free']>, area: number, ratio: number): Pixels | undefined {
  for (let share = 0.98; share > 0.1; share -= 0.02) {
    const [width, height] = [Math.sqrt(area * share * ratio), Math.sqrt((area * share) / ratio)]
    for (const size of [
      { width: down16(width), height: down16(height) },
      { width: down16(width), height: up16(height) },
      { width: up16(width), height: down16(height) },
    ]) {
      if (fits(free, size) && distance(size.width / size.height, ratio) < 0.04) return size
    }
  }
  return undefined
}

function checkPixels(rule: SizeRule, model: string, wanted: Pixels): ResolvedSize {
  const size = formatPixels(wanted)
  if (wanted.width < 1 || wanted.height < 1) return refuse('size_no_area', { size, model, ...listChoices(rule) })
  if (rule.exact?.includes(size)) return { size: wanted }
  const ratio = wanted.width / wanted.height
  if (!rule.free) {
    const nearest = findNearest(rule.exact ?? [], text => text, ratio)
    if (nearest === undefined) return refuse('size_no_pixels', { size, model, ...listChoices(rule) })
    return refuse('size_unlisted', { size, model, allowed: rule.exact!.join(', '), nearest })
  }
  const { minArea = 1, maxArea, minSide = 1, maxSide, minRatio, maxRatio } = rule.free
  const area = wanted.width * wanted.height
  const proposal = propose(rule, wanted)
  const about = { size, model, ...(proposal && { proposal: formatPixels(proposal) }) }
  if ((minRatio && ratio < minRatio) || (maxRatio && ratio > maxRatio)) {
    const shape = ratio > 1 ? 'wide' : 'tall'
    return refuse('size_ratio', { ...about, shape, min: formatRatio(minRatio), max: formatRatio(maxRatio) })
  }
  if (Math.min(wanted.width, wanted.height) < minSide || (maxSide && Math.max(wanted.width, wanted.height) > maxSide)) {
    return refuse('size_side', { ...about, min: minSide, max: maxSide ?? '∞' })
  }
  if (area < minArea || (maxArea && area > maxArea)) {
    return refuse('size_area', { ...about, area, min: minArea, max: maxArea ?? '∞' })
  }
  return { size: wanted }
}

/** A size near the wanted one that the rule takes. */
function propose(rule: SizeRule, wanted: Pixels): Pixels | undefined {
  const free = rule.free
  if (!free) return undefined
  const ratio = Math.min(
    Math.max(wanted.width / wanted.height, free.minRatio ?? 0),
    free.maxRatio ?? Number.POSITIVE_INFINITY,
  )
  const area = Math.min(
    Math.max(wanted.width * wanted.height, free.minArea ?? 0),
    free.maxArea ?? Number.POSITIVE_INFINITY,
  )
  for (const round of [up16, down16]) {
    const clamp = (side: number) =>
      Math.min(Math.max(round(side), up16(free.minSide ?? 1)), down16(free.maxSide ?? 99_999))
    const proposal = { width: clamp(Math.sqrt(area * ratio)), height: clamp(Math.sqrt(area / ratio)) }
    if (fits(free, proposal)) return proposal
  }
  return parsePixels(findNearest(Object.values(rule.table).flatMap(Object.values), text => text, ratio) ?? '')
}

/**
 * The size in pixels that is nearest to one that the rule may not take: by its shape, then by its area. Undefined where `asked` is no
 * size in pixels, or the rule has none.
 */
export function findNearestSize(rule: SizeRule, asked: string): string | undefined {
  const wanted = parsePixels(asked.trim())
  if (!wanted || wanted.width < 1 || wanted.height < 1) return undefined
  const proposal = propose(rule, wanted)
  if (proposal) return formatPixels(proposal)
  const listed = rule.exact ?? Object.values(rule.table).flatMap(Object.values)
  const far = (size: string) => {
    const { width, height } = parsePixels(size)!
    const shape = Math.round(distance(width / height, wanted.width / wanted.height) * 100)
    return { shape, area: distance(width * height, wanted.width * wanted.height) }
  }
  return listed.toSorted((a, b) => far(a).shape - far(b).shape || far(a).area - far(b).area)[0]
}

function fits(free: NonNullable<SizeRule['free']>, { width, height }: Pixels) {
  const area = width * height
  const ratio = width / height
  return (
    area >= (free.minArea ?? 0) &&
    area <= (free.maxArea ?? Number.POSITIVE_INFINITY) &&
    Math.min(width, height) >= (free.minSide ?? 1) &&
    Math.max(width, height) <= (free.maxSide ?? Number.POSITIVE_INFINITY) &&
    ratio >= (free.minRatio ?? 0) &&
    ratio <= (free.maxRatio ?? Number.POSITIVE_INFINITY)
  )
}

/** Does an image of this tier take its shape from the last reference? Its pixels are known only with that reference. */
export function followsReference({ followsLastReference, table, keywords = [] }: SizeRule, tier: string): boolean {
  return followsLastReference === true && Object.hasOwn(table, tier) && !keywords.includes(tier)
}

/** The sizes to choose from, for a sentence. */
function listChoices(rule: SizeRule): Values {
  const forms = [...listTiers(rule), ...Object.keys(findTable(rule)), ...(rule.exact ?? [])]
  return { choices: forms.join(', '), ...(rule.free && { example: '2048x2048' }) }
}

/** Words that may stand in place of a size. */
export function listTiers(rule: SizeRule): string[] {
  return [...new Set([...(rule.keywords ?? []), ...Object.keys(rule.table).filter(Boolean)])]
}

/** Ratio → `WxH`; without `tier`, and for one that is not listed, of the default tier. */
export function findTable({ table, defaultTier }: SizeRule, tier?: string): Readonly<Record<string, string>> {
  const usual = table[defaultTier ?? Object.keys(table)[0] ?? ''] ?? {}
  return tier === undefined ? usual : (table[tier] ?? usual)
}

function refuse(code: ViolationCode, values: Values): ResolvedSize {
  return { violation: { path: 'parameters.size', code, values } }
}

/** Width over height, of `16:9` or `1664x928`. */
export function parseRatio(text: string): number {
  const [width = 1, height = 1] = text.split(/[:x]/).map(Number)
  return width / height
}

/** Reads `1664x928`, also with `×` or `*`. */
export function parsePixels(text: string): Pixels | undefined {
  const [, width, height] = /^(\d{1,5})[x×*](\d{1,5})$/i.exec(text) ?? []
  return width === undefined ? undefined : { width: Number(width), height: Number(height) }
}

export function formatSize(size: Size) {
  return 'keyword' in size ? size.keyword : formatPixels(size)
}

export function formatPixels({ width, height }: Pixels) {
  return `${width}x${height}`
}

/** Distance of two ratios, symmetric for wide and tall ones. */
function distance(a: number, b: number) {
  return Math.abs(Math.log(a / b))
}

/** The one of the nearest ratio, which `name` holds as text. */
export function findNearest<Item>(items: readonly Item[], name: (item: Item) => string, ratio: number) {
  const far = (item: Item) => distance(parseRatio(name(item)), ratio)
  return items.toSorted((a, b) => far(a) - far(b))[0]
}

const up16 = (side: number) => Math.ceil(side / 16 - 1e-9) * 16
const down16 = (side: number) => Math.floor(side / 16 + 1e-9) * 16

function formatRatio(ratio: number | undefined) {
  if (ratio === undefined) return '∞'
  const round = (value: number) => Math.round(value * 100) / 100
  return ratio >= 1 ? `${round(ratio)}:1` : `1:${round(1 / ratio)}`
}
