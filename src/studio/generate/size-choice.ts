/** From the shape and resolution that a person chooses to the `size` of each model, and back. */
import type { SizeRule } from '../../catalogue/model.ts'
import { findNearest, findTable, formatPixels, listTiers, parsePixels, parseRatio } from '../../catalogue/sizes.ts'

/** Nothing chosen leaves it to the model. `pixels` is `WxH` as it is typed and stands alone. */
export interface SizeChoice {
  ratio?: string
  tier?: string
  pixels?: string
}

export interface ChosenSize {
  /** The value that is sent; absent leaves it out. */
  size?: string
  /** The model has not what was chosen and takes this instead. */
  instead?: string
}

/** What a person can choose as resolution. */
export function listResolutions(rule: SizeRule): string[] {
  return listTiers(rule).filter(tier => tier !== 'auto')
}

/** The nearest that the model has; pixels of the person's own are sent as they are, for the catalogue to check. */
export function chooseSize(rule: SizeRule | undefined, choice: SizeChoice): ChosenSize {
  if (!rule) return {}
  if (choice.pixels !== undefined) {
    const pixels = readPixels(choice.pixels)
    return pixels ? { size: formatPixels(pixels) } : {}
  }
  const isTierMissing = choice.tier !== undefined && !listResolutions(rule).includes(choice.tier)
  const tier = isTierMissing ? undefined : choice.tier
  const standard = rule.default ?? rule.defaultTier ?? 'auto'
  if (choice.ratio === undefined) return { size: tier, instead: isTierMissing ? standard : undefined }

  const table = findTable(rule, tier)
  const listed = table[choice.ratio]
  if (listed) {
    // The tier is part of the pixels; without one the ratio says it all and keeps its meaning in the history.
    return { size: tier === undefined ? choice.ratio : listed, instead: isTierMissing ? listed : undefined }
  }
  if (rule.free && tier === undefined) return { size: choice.ratio }
  const nearest = findNearest(Object.keys(table), ratio => ratio, parseRatio(choice.ratio))
  return nearest === undefined ? { instead: rule.default ?? 'auto' } : { size: table[nearest], instead: nearest }
}

/** With blanks around the sign, as people write it. */
export function readPixels(text: string) {
  return parsePixels(text.replace(/\s/g, ''))
}

/** What was asked for, taken apart again: `16:9`, `2K` or `2048x1152`. Listed pixels become their tier and ratio. */
export function readChoice(size: unknown, rule: SizeRule | undefined): SizeChoice {
  if (typeof size !== 'string' || size === '' || size === 'auto') return {}
  if (/^\d+(\.\d+)?:\d+(\.\d+)?$/.test(size)) return { ratio: size }
  const pixels = readPixels(size)
  if (!pixels) return { tier: size }
  const text = formatPixels(pixels)
  for (const [tier, table] of Object.entries(rule?.table ?? {})) {
    const ratio = Object.keys(table).find(ratio => table[ratio] === text)
    if (ratio) return { ratio, tier }
  }
  return { pixels: text }
}
