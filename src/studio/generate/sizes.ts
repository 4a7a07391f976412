/** From the shape and resolution that a person chooses to the `size` of each model, and to its pixels as far as they are known. */
import type { Model } from '../../api/models.ts'

export type SizeRule = NonNullable<Model['sizes']['text_to_image']>

export interface Pixels {
  width: number
  height: number
}

/** Nothing chosen leaves it to the model. `pixels` is `WxH` and stands alone. */
export interface SizeChoice {
  ratio?: string
  tier?: string
  pixels?: string
}

export interface ResolvedSize {
  /** What is sent; undefined leaves it out. */
  send: string | undefined
  /** What comes out, where it is known before. */
  pixels: Pixels | undefined
  /** The model has not what was chosen and takes this instead. */
  instead?: string
  /** Why it cannot be sent. */
  fault?: SizeFault
}

export interface SizeFault {
  kind: 'form' | 'ratio' | 'side' | 'area' | 'exact'
  least: string
  most: string
}

/** The rule that holds for a request; undefined when the model takes no size in this mode. */
export function sizeRuleOf(model: Model, mode: { isGroup: boolean; references: number }): SizeRule | undefined {
  const { text_to_image, with_references, group } = model.sizes
  if (mode.isGroup && group) return group
  return (mode.references > 0 ? (with_references ?? text_to_image) : (text_to_image ?? with_references)) ?? undefined
}

export function tiersOf(rule: SizeRule) {
  const words = rule.keywords.filter(word => word !== 'auto')
  return [...new Set([...words, ...Object.keys(rule.recommended).filter(Boolean)])]
}

export function ratiosOf(rule: SizeRule, tier?: string) {
  return Object.keys(tableOf(rule, tier))
}

function tableOf(rule: SizeRule, tier: string | undefined) {
  const fallback = rule.default_tier ?? Object.keys(rule.recommended)[0] ?? ''
  return rule.recommended[tier ?? fallback] ?? rule.recommended[fallback] ?? {}
}

export function resolveSize(rule: SizeRule | undefined, choice: SizeChoice): ResolvedSize {
  if (!rule) return { send: undefined, pixels: undefined }
  if (choice.pixels !== undefined) return resolvePixels(rule, choice.pixels)
  const tiers = tiersOf(rule)
  const tier = choice.tier === undefined || tiers.includes(choice.tier) ? choice.tier : undefined
  const isTierMissing = tier !== choice.tier
  if (choice.ratio === undefined) {
    const sent = tier ?? undefined
    const standard = sent ?? rule.default ?? undefined
    const pixels = standard === undefined ? undefined : parsePixels(standard)
    return { send: sent, pixels, instead: isTierMissing ? (rule.default ?? rule.default_tier ?? 'auto') : undefined }
  }
  const table = tableOf(rule, tier)
  const listed = table[choice.ratio]
  if (listed) {
    // The tier is part of the pixels; without one the ratio says it all and keeps its meaning in the history.
    const send = tier === undefined ? choice.ratio : listed
    return { send, pixels: parsePixels(listed), instead: isTierMissing ? listed : undefined }
  }
  if (rule.free && tier === undefined) return { send: choice.ratio, pixels: undefined }
  const nearest = nearestTo(Object.keys(table), ratioOf(choice.ratio))
  if (nearest) return { send: table[nearest], pixels: parsePixels(table[nearest] ?? ''), instead: nearest }
  return { send: undefined, pixels: undefined, instead: rule.default ?? 'auto' }
}

function resolvePixels(rule: SizeRule, text: string): ResolvedSize {
  const pixels = parsePixels(text)
  const refused = (kind: SizeFault['kind'], least: string | number, most: string | number): ResolvedSize => {
    return { send: undefined, pixels: undefined, fault: { kind, least: String(least), most: String(most) } }
  }
  if (!pixels) return refused('form', '', '')
  const send = `${pixels.width}x${pixels.height}`
  if (rule.exact.includes(send)) return { send, pixels }
  if (!rule.free) return refused('exact', rule.exact.join(', '), '')
  const { min_area, max_area, min_side, max_side, min_ratio, max_ratio } = rule.free
  const area = pixels.width * pixels.height
  const ratio = pixels.width / pixels.height
  if ((min_ratio && ratio < min_ratio) || (max_ratio && ratio > max_ratio)) {
    return refused('ratio', ratioText(min_ratio), ratioText(max_ratio))
  }
  if (
    (min_side && Math.min(pixels.width, pixels.height) < min_side) ||
    (max_side && Math.max(pixels.width, pixels.height) > max_side)
  ) {
    return refused('side', min_side ?? 1, max_side ?? '∞')
  }
  if ((min_area && area < min_area) || (max_area && area > max_area)) {
    return refused('area', (min_area ?? 1).toLocaleString('en'), max_area?.toLocaleString('en') ?? '∞')
  }
  return { send, pixels }
}

export function parsePixels(text: string): Pixels | undefined {
  const match = /^\s*(\d{1,5})\s*[x×*]\s*(\d{1,5})\s*$/i.exec(text)
  const [width, height] = [Number(match?.[1]), Number(match?.[2])]
  return width > 0 && height > 0 ? { width, height } : undefined
}

/** Of `16:9`, width over height. */
export function ratioOf(text: string) {
  const [width = 1, height = 1] = text.split(':').map(Number)
  return width / height
}

function nearestTo(ratios: string[], wanted: number) {
  const distance = (text: string) => Math.abs(Math.log(ratioOf(text) / wanted))
  return ratios.toSorted((a, b) => distance(a) - distance(b))[0]
}

function ratioText(ratio: number | null) {
  if (ratio === null) return '∞'
  const round = (value: number) => Math.round(value * 100) / 100
  return ratio >= 1 ? `${round(ratio)}:1` : `1:${round(1 / ratio)}`
}

/** What was asked for, taken apart again: `16:9`, `2K` or `2048x1152`. Listed pixels become their tier and ratio. */
export function choiceOf(size: unknown, rule: SizeRule | undefined): SizeChoice {
  if (typeof size !== 'string' || size === '' || size === 'auto') return {}
  if (/^\d+(\.\d+)?:\d+(\.\d+)?$/.test(size)) return { ratio: size }
  const pixels = parsePixels(size)
  if (!pixels) return { tier: size }
  const text = `${pixels.width}x${pixels.height}`
  for (const [tier, table] of Object.entries(rule?.recommended ?? {})) {
    const ratio = Object.keys(table).find(ratio => table[ratio] === text)
    if (ratio) return { ratio, tier }
  }
  return { pixels: text }
}
