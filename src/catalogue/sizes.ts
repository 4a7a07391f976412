/** From the `size` that a person asks for to the one that is sent. The limits are the model's data. */

import type { Size, SizeRule } from './model.ts'
import type { Violation } from './violation.ts'

interface Pixels {
  width: number
  height: number
}

export type ResolvedSize = { size?: Size } | { violation: Violation }

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
  const pixels = /^(\d{1,5})x(\d{1,5})$/.exec(text)
  if (pixels) return checkPixels(rule, modelId, { width: Number(pixels[1]), height: Number(pixels[2]) })
  const ratio = /^(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(text)
  if (ratio) return fromRatio(rule, modelId, text, Number(ratio[1]) / Number(ratio[2]))
  return fromTier(rule, modelId, text, reference)
}

function fromTier(rule: SizeRule, modelId: string, text: string, reference: Pixels | undefined): ResolvedSize {
  const keyword = rule.keywords?.find(keyword => keyword.toLowerCase() === text.toLowerCase())
  if (keyword) return { size: { keyword } }
  const tier = Object.keys(rule.table).find(tier => tier.toLowerCase() === text.toLowerCase())
  const sizes = tier === undefined ? undefined : rule.table[tier]
  if (!sizes) return refuse(`size "${text}" is not one that ${modelId} takes. ${choices(rule)}`)
  const listed = Object.entries(sizes)
  const ratio = rule.followsLastReference && reference ? reference.width / reference.height : 1
  const nearest = listed.toSorted(([a], [b]) => distance(ratioOf(a), ratio) - distance(ratioOf(b), ratio))[0]
  if (!nearest) return refuse(`size "${text}" is not one that ${modelId} takes. ${choices(rule)}`)
  return { size: pixelsOf(nearest[1]) }
}

function fromRatio(rule: SizeRule, modelId: string, text: string, ratio: number): ResolvedSize {
  if (!(ratio > 0 && Number.isFinite(ratio))) return refuse(`size "${text}" is no ratio. ${choices(rule)}`)
  const sizes = rule.table[rule.defaultTier ?? Object.keys(rule.table)[0] ?? ''] ?? {}
  const listed = Object.entries(sizes).find(([name]) => distance(ratioOf(name), ratio) < 0.001)
  if (listed) return { size: pixelsOf(listed[1]) }
  if (!rule.free) return refuse(`${modelId} has no size of the ratio ${text}. ${choices(rule)}`)
  const square = sizes['1:1']
  const area = square ? areaOf(pixelsOf(square)) : (rule.free.minArea ?? rule.free.maxArea ?? 1024 * 1024)
  // Rounded up first, because rounding down can fall under the smallest area (docs/providers.md, Doubao).
  const rounded = [up16, down16].map(round => ({
    width: round(Math.sqrt(area * ratio)),
    height: round(Math.sqrt(area / ratio)),
  }))
  const fitting = rounded.find(size => fits(rule.free!, size)) ?? smallerOfRatio(rule.free, area, ratio)
  return fitting ? { size: fitting } : checkPixels(rule, modelId, rounded[0]!)
}

/** The largest size of about this ratio that keeps bounds which the tier's area would break. */
function smallerOfRatio(free: NonNullable<SizeRule['free']>, area: number, ratio: number): Pixels | undefined {
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

function checkPixels(rule: SizeRule, modelId: string, wanted: Pixels): ResolvedSize {
  const text = textOf(wanted)
  if (wanted.width < 1 || wanted.height < 1) return refuse(`size ${text} has no area. ${choices(rule)}`)
  if (rule.exact?.includes(text)) return { size: wanted }
  if (!rule.free) {
    if (!rule.exact?.length) return refuse(`${modelId} takes no size in pixels. ${choices(rule)}`)
    const ratio = wanted.width / wanted.height
    const nearest = rule.exact.toSorted((a, b) => distance(ratioOf(a), ratio) - distance(ratioOf(b), ratio))[0]
    return refuse(`${modelId} takes only the sizes ${rule.exact.join(', ')}; ${nearest} is the nearest to ${text}.`)
  }
  const { minArea, maxArea, minSide, maxSide, minRatio, maxRatio } = rule.free
  const area = areaOf(wanted)
  const ratio = wanted.width / wanted.height
  const proposal = propose(rule, wanted)
  const advice = proposal ? ` ${textOf(proposal)} would work.` : ''
  if ((minRatio && ratio < minRatio) || (maxRatio && ratio > maxRatio)) {
    return refuse(
      `size ${text} is too ${ratio > 1 ? 'wide' : 'tall'}: ${modelId} takes ratios from ${ratioText(minRatio)} to ${ratioText(maxRatio)}.${advice}`,
    )
  }
  if (
    (minSide && Math.min(wanted.width, wanted.height) < minSide) ||
    (maxSide && Math.max(wanted.width, wanted.height) > maxSide)
  ) {
    return refuse(
      `size ${text} has a side out of bounds: ${modelId} takes ${minSide ?? 1} to ${maxSide ?? 'any number of'} pixels a side.${advice}`,
    )
  }
  if ((minArea && area < minArea) || (maxArea && area > maxArea)) {
    const bounds = `${number(minArea ?? 1)} to ${maxArea ? number(maxArea) : 'any number of'} pixels`
    return refuse(`size ${text} has ${number(area)} pixels in all: ${modelId} takes ${bounds}.${advice}`)
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
  const area = Math.min(Math.max(areaOf(wanted), free.minArea ?? 0), free.maxArea ?? Number.POSITIVE_INFINITY)
  for (const round of [up16, down16]) {
    const clamp = (side: number) =>
      Math.min(Math.max(round(side), up16(free.minSide ?? 1)), down16(free.maxSide ?? 99_999))
    const proposal = { width: clamp(Math.sqrt(area * ratio)), height: clamp(Math.sqrt(area / ratio)) }
    if (fits(free, proposal)) return proposal
  }
  const sizes = Object.values(rule.table).flatMap(Object.values)
  const nearest = sizes.toSorted((a, b) => distance(ratioOf(a), ratio) - distance(ratioOf(b), ratio))[0]
  return nearest ? pixelsOf(nearest) : undefined
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

function choices(rule: SizeRule) {
  const tiers = [...new Set([...(rule.keywords ?? []), ...Object.keys(rule.table).filter(Boolean)])]
  const ratios = Object.keys(rule.table[rule.defaultTier ?? Object.keys(rule.table)[0] ?? ''] ?? {})
  const forms = [...tiers, ...ratios, ...(rule.exact ?? [])]
  if (rule.free) forms.push('a size such as 2048x2048')
  return forms.length > 0 ? `Choose one of: ${forms.join(', ')}.` : 'Leave size out: the picture follows the input.'
}

function refuse(message: string): ResolvedSize {
  return { violation: { path: 'parameters.size', message } }
}

/** Of `16:9` or `1664x928`. */
function ratioOf(text: string) {
  const [width, height] = text.split(/[:x]/).map(Number)
  return (width ?? 1) / (height ?? 1)
}

function pixelsOf(text: string): Pixels {
  const [width, height] = text.split('x').map(Number)
  return { width: width ?? 0, height: height ?? 0 }
}

export function sizeText(size: Size) {
  return 'keyword' in size ? size.keyword : textOf(size)
}

function textOf({ width, height }: Pixels) {
  return `${width}x${height}`
}

function areaOf({ width, height }: Pixels) {
  return width * height
}

/** How far two ratios are apart, alike for wide and tall ones. */
function distance(a: number, b: number) {
  return Math.abs(Math.log(a / b))
}

const up16 = (side: number) => Math.ceil(side / 16 - 1e-9) * 16
const down16 = (side: number) => Math.floor(side / 16 + 1e-9) * 16
const number = (value: number) => value.toLocaleString('en-US')

function ratioText(ratio: number | undefined) {
  if (ratio === undefined) return 'any'
  return ratio >= 1 ? `${round2(ratio)}:1` : `1:${round2(1 / ratio)}`
}

const round2 = (value: number) => Math.round(value * 100) / 100
