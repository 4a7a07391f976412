/**
 * What the simulated DashScope knows about each image model: routes, counts, sizes, clock and rates, with the exact
 * words of its refusals. Facts: DashScope documentation and published measurements, gathered 2026-11; where the two
 * disagree the measured behaviour is here.
 */

export type QwenRoute = 'MM' | 'IG' | 'T2I' | 'I2I'

export interface Dimensions {
  width: number
  height: number
}

/** What a size rule may look at. `references` are the input pictures, in order. */
export interface SizeContext {
  modelId: string
  references: readonly Dimensions[]
  sequential: boolean
}

/** Answers the size of the picture, or the sentence of the refusal. */
export type SizeRule = (asked: string | undefined, context: SizeContext) => Dimensions | string

/** How pictures are named in the answer and which usage block goes with them. */
export type AnswerShape = 'plain' | 'qwen-3' | 'z-image' | 'wan'

export interface QwenModel {
  id: string
  routes: readonly QwenRoute[]
  references: { min: number; max: number }
  /** Sides, ratio and alpha of an input picture that are refused; models without it only recommend sizes. */
  referenceLimits?: { minSide: number; maxSide: number; maxRatio?: number; maxBytes: number; alpha: boolean }
  /** `refusal` undefined: the parameter is not looked at and one picture is made. */
  count: { max: number; default: number; refusal?: string }
  size: SizeRule
  shape: AnswerShape
  /** Default of `prompt_extend`; undefined when the model has no such parameter. */
  promptExtend?: boolean
  promptCharacters: number
  /** Adds `task_metric` to a synchronous answer. */
  taskMetric?: boolean
  /** One choice for each picture instead of one choice with all of them. */
  choicePerImage?: boolean
  /** Pictures may have really transparent pixels. */
  transparent?: boolean
  /** wan2.7: `enable_sequential`, `thinking_mode`, `color_palette`, `bbox_list`. */
  sequential?: boolean
  /** wan2.6-image: `enable_interleave`. */
  interleave?: boolean
  /** `prompt_extend_mode` and `enable_thinking`. */
  thinking?: boolean
  /** The word `auto` for a size leaves it to the model. */
  autoSize?: boolean
  /** Whether the service refuses the parameter or passes it over is not known: the stricter of both. */
  refusesNegativePrompt?: boolean
  /** Named by its number on wanx2.1-imageedit and wan2.5-i2i: which fields of `input` carry pictures. */
  oldInput?: 'images' | 'imageedit' | 'ref_img'
  /** From submit to the end, by area of one picture. */
  seconds: (area: number) => number
  /** Submits for each window of seconds, and tasks at work at once, per account. */
  rate: { submits: number; windowSeconds: number; tasks?: number }
  /** Only where the id is spelled differently outside China. */
  region?: 'cn-beijing' | 'ap-southeast-1'
}

const sizeSyntax = "Expected format: '<width>*<height>'"

function readSize(text: string): Dimensions | undefined {
  const match = /^(\d{1,6})\*(\d{1,6})$/.exec(text)
  return match ? { width: Number(match[1]), height: Number(match[2]) } : undefined
}

/** To the nearest multiple of 16, a tie to the even one: 1033*1032 gives 1040*1024 (DashScope documentation). */
function nearestSixteen(pixels: number) {
  const steps = pixels / 16
  const below = Math.floor(steps)
  const rest = steps - below
  const chosen = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below
  return Math.max(1, chosen) * 16
}

const floorSixteen = (pixels: number) => Math.max(1, Math.floor(pixels / 16)) * 16

function inRatioOf(image: Dimensions, area: number, round: (pixels: number) => number): Dimensions {
  const ratio = image.width / image.height
  return { width: round(Math.sqrt(area * ratio)), height: round(Math.sqrt(area / ratio)) }
}

const rounded = (size: Dimensions) => ({ width: nearestSixteen(size.width), height: nearestSixteen(size.height) })

function ratioRefusal(size: Dimensions, most: number): string | undefined {
  const ratio = size.width / size.height
  if (ratio >= 1 / most && ratio <= most) return undefined
  return `The aspect ratio of the size must be between 1:${most} and ${most}:1.`
}

const fiveSizes = ['1664*928', '1472*1104', '1328*1328', '1104*1472', '928*1664']

const oneOfFive: SizeRule = (asked = '1664*928') =>
  fiveSizes.includes(asked) ? readSize(asked)! : `The size does not match the allowed size ${fiveSizes.join(',')}.`

/** qwen-image-max: the documents list five sizes, the live check is a range of sides (measured). */
const maxSides: SizeRule = (asked = '1664*928') => {
  const size = readSize(asked)
  if (!size) return sizeSyntax
  const outside = [size.width, size.height].some(side => side < 512 || side > 1664)
  return outside ? `Size ${asked} is out of range [512*512, 1664*1664]` : size
}

const zImageArea: SizeRule = (asked = '1024*1536') => {
  const size = readSize(asked)
  if (!size) return sizeSyntax
  const area = size.width * size.height
  if (area >= 262_144 && area <= 4_194_304) return size
  return `Image area must be between 262144 and 4194304 pixels. Got area=${area} (width=${size.width}, height=${size.height}).`
}

const qwen2Area: SizeRule = (asked, { references }) => {
  if (asked === undefined) {
    const last = references.at(-1)
    return last ? inRatioOf(last, 1024 * 1024, nearestSixteen) : { width: 2048, height: 2048 }
  }
  const size = readSize(asked)
  if (!size) return sizeSyntax
  const area = size.width * size.height
  if (area < 262_144 || area > 4_194_304) {
    return 'Image area must be between 262144 (512x512) and 4194304 (2048x2048) pixels.'
  }
  return size
}

/**
 * Text to image up to 2560*2560 (measured, the documents say 2048*2048). With pictures the bound is not enforced
 * (measured): a size that cannot be drawn is passed over and the picture costs money all the same.
 */
function qwen3Area(enforcedMessage: string, maxArea: number): SizeRule {
  return (asked, { references }) => {
    const last = references.at(-1)
    // 768x1376 came back as 1520x2736 (measured): about the area of 2K, sides cut down to multiples of 16.
    const unasked = last ? inRatioOf(last, 2048 * 2048, floorSixteen) : { width: 2048, height: 2048 }
    if (asked === undefined) return unasked
    const size = readSize(asked)
    if (!size) return sizeSyntax
    const area = size.width * size.height
    const fits = area >= 262_144 && area <= maxArea
    if (last) return fits && !ratioRefusal(size, 8) ? size : unasked
    return fits ? (ratioRefusal(size, 8) ?? size) : enforcedMessage
  }
}

/** The edit models do not check the size (measured); sides outside 512 to 2048 give the default. */
const editSides: SizeRule = (asked, { references }) => {
  const unasked = inRatioOf(references.at(-1) ?? { width: 1, height: 1 }, 1024 * 1024, nearestSixteen)
  if (asked === undefined) return unasked
  const size = readSize(asked)
  if (!size) return sizeSyntax
  return [size.width, size.height].some(side => side < 512 || side > 2048) ? unasked : rounded(size)
}

const editWithoutSize: SizeRule = (_asked, context) => editSides(undefined, context)

function totalPixels(size: Dimensions, min: number, max: number): string | undefined {
  const area = size.width * size.height
  return area < min || area > max ? `Total pixels (${area}) must be between ${min} and ${max}` : undefined
}

const keywordAreas: Readonly<Record<string, number>> = { '1K': 1024 ** 2, '2K': 2048 ** 2, '4K': 4096 ** 2 }

/** Without pictures a square, with pictures the ratio of the last one. */
function keywordSize(keyword: string, references: readonly Dimensions[]) {
  return inRatioOf(references.at(-1) ?? { width: 1, height: 1 }, keywordAreas[keyword]!, nearestSixteen)
}

function wan27(fourK: boolean): SizeRule {
  return (asked = '2K', { references, sequential }) => {
    const alone = references.length === 0 && !sequential
    if (asked === '4K' && !(fourK && alone)) return 'Maximum supported size is 2K'
    if (asked in keywordAreas) return keywordSize(asked, references)
    const size = readSize(asked)
    if (!size) return sizeSyntax
    const refusal = totalPixels(size, 768 ** 2, alone ? 4096 ** 2 : 2048 ** 2) ?? ratioRefusal(size, 8)
    return refusal ?? rounded(size)
  }
}

function wanArea(
  minSide: number,
  maxSide: number,
  standard: (references: readonly Dimensions[]) => Dimensions,
): SizeRule {
  return (asked, { references }) => {
    if (asked === undefined) return standard(references)
    const size = readSize(asked)
    if (!size) return sizeSyntax
    return totalPixels(size, minSide ** 2, maxSide ** 2) ?? ratioRefusal(size, 4) ?? rounded(size)
  }
}

/** Recommended (documents), though some lie below the area that the same page states as the least. */
const wan26Recommended = ['1280*1280', '1104*1472', '1472*1104', '960*1696', '1696*960']

const wan26Text: SizeRule = (asked, context) =>
  asked !== undefined && wan26Recommended.includes(asked)
    ? readSize(asked)!
    : wanArea(1280, 1440, square(1280))(asked, context)

const square = (side: number) => () => ({ width: side, height: side })
const sameRatio = (side: number) => (references: readonly Dimensions[]) =>
  inRatioOf(references.at(-1) ?? { width: 1, height: 1 }, side * side, nearestSixteen)

const wan26Image: SizeRule = (asked = '1K', context) =>
  asked === '1K' || asked === '2K'
    ? keywordSize(asked, context.references)
    : wanArea(768, 2048, square(1024))(asked, context)

const oldWanSides: SizeRule = (asked = '1024*1024') => {
  const size = readSize(asked)
  if (!size) return sizeSyntax
  const outside = [size.width, size.height].some(side => side < 512 || side > 1440)
  return outside ? 'Either width or height should be between 512 and 1440' : rounded(size)
}

const wanxSizes = ['1024*1024', '720*1280', '1280*720']

const wanxList: SizeRule = (asked = '1024*1024') =>
  wanxSizes.includes(asked)
    ? readSize(asked)!
    : `The size is not match the allowed size [${wanxSizes.map(size => `'${size}'`).join(', ')}]`

const asTheInput: SizeRule = (_asked, { references }) => rounded(references[0] ?? { width: 1024, height: 1024 })

const upTo = (max: number, standard: number) => ({
  max,
  default: standard,
  refusal: `Range of n should be [1, ${max}]`,
})
const onlyOne = { max: 1, default: 1, refusal: 'num_images_per_prompt must be 1.' }

/** Pictures above 2,250,000 pixels count, and cost, as "2k". */
export const isLarge = (size: Dimensions) => size.width * size.height > 2_250_000

const perSecond = (submits: number, tasks?: number) => ({ submits, windowSeconds: 1, tasks })
const perMinute = (submits: number) => ({ submits, windowSeconds: 60 })

const qwen3Message = 'Image area must be between 262144 (512x512) and 6553600 (2560x2560) pixels for t2i requests'
const qwen3 = {
  references: { min: 0, max: 3 },
  count: upTo(6, 1),
  size: qwen3Area(qwen3Message, 6_553_600),
  shape: 'qwen-3',
  promptExtend: true,
  promptCharacters: 4500,
  thinking: true,
  autoSize: true,
  seconds: area => (area > 2_250_000 ? 90 : 25),
} as const satisfies Partial<QwenModel>

const qwen2 = {
  routes: ['MM'],
  references: { min: 0, max: 3 },
  count: upTo(6, 1),
  size: qwen2Area,
  shape: 'plain',
  promptExtend: true,
  promptCharacters: 1300,
  seconds: () => 15,
} as const satisfies Partial<QwenModel>

const qwen1 = {
  references: { min: 0, max: 0 },
  count: onlyOne,
  size: oneOfFive,
  shape: 'plain',
  promptExtend: true,
  promptCharacters: 800,
  taskMetric: true,
  seconds: () => 24,
} as const satisfies Partial<QwenModel>

const qwenEdit = {
  routes: ['MM'],
  references: { min: 1, max: 3 },
  count: upTo(6, 1),
  size: editSides,
  shape: 'plain',
  promptExtend: true,
  promptCharacters: 800,
  seconds: () => 18,
} as const satisfies Partial<QwenModel>

const oldWanImages = { minSide: 240, maxSide: 8000, maxBytes: 10 * 1024 * 1024, alpha: false }
const wanImages = { ...oldWanImages, maxRatio: 8 }

const wan27Model = {
  routes: ['MM', 'IG'],
  references: { min: 0, max: 9 },
  referenceLimits: { ...wanImages, maxBytes: 20 * 1024 * 1024 },
  // The default is documented as 1 in one place and as 4 in another; the dearer one shows who relies on it.
  count: upTo(4, 4),
  shape: 'wan',
  promptCharacters: 5000,
  sequential: true,
  seconds: area => (area > 2_250_000 ? 18 : 5),
  rate: perSecond(5, 5),
} as const satisfies Partial<QwenModel>

const oldWan = {
  routes: ['T2I'],
  references: { min: 0, max: 0 },
  count: upTo(4, 4),
  size: oldWanSides,
  shape: 'wan',
  promptExtend: true,
  promptCharacters: 800,
  seconds: () => 8,
  rate: perSecond(2, 2),
} as const satisfies Partial<QwenModel>

function several(ids: readonly string[], model: Omit<QwenModel, 'id'>): QwenModel[] {
  return ids.map(id => ({ id, ...model }))
}

export const qwenModels: readonly QwenModel[] = [
  ...several(['qwen-image-3.0-pro'], { ...qwen3, routes: ['MM', 'IG'], rate: perMinute(5) }),
  ...several(['qwen-image-3.0'], { ...qwen3, routes: ['MM', 'IG'], rate: perSecond(2) }),
  ...several(['qwen-image-2.1-pro'], {
    ...qwen3,
    routes: ['MM'],
    references: { min: 0, max: 10 },
    transparent: true,
    refusesNegativePrompt: true,
    rate: perSecond(2),
  }),
  ...several(['qwen-image-2.1-turbo'], {
    ...qwen3,
    routes: ['MM'],
    references: { min: 0, max: 10 },
    size: qwen3Area('Image area must be between 262144 (512x512) and 4194304 (2048x2048) pixels.', 4_194_304),
    transparent: true,
    thinking: false,
    autoSize: false,
    seconds: () => 8,
    rate: perSecond(2),
  }),
  ...several(
    [
      'qwen-image-2.0-pro',
      'qwen-image-2.0-pro-2026-04-22',
      'qwen-image-2.0-pro-2026-06-22',
      'qwen-image-2.0-pro-2026-03-03',
    ],
    { ...qwen2, rate: perMinute(2) },
  ),
  ...several(['qwen-image-2.0', 'qwen-image-2.0-2026-03-03'], { ...qwen2, rate: perSecond(2) }),
  ...several(['qwen-image-max', 'qwen-image-max-2025-12-30'], {
    ...qwen1,
    routes: ['MM'],
    size: maxSides,
    rate: perMinute(2),
  }),
  ...several(['qwen-image-plus', 'qwen-image'], { ...qwen1, routes: ['MM', 'T2I'], rate: perSecond(2, 2) }),
  ...several(['qwen-image-plus-2026-01-09'], { ...qwen1, routes: ['MM'], rate: perSecond(2, 2) }),
  ...several(['qwen-image-edit-max', 'qwen-image-edit-max-2026-01-16'], { ...qwenEdit, rate: perMinute(2) }),
  ...several(['qwen-image-edit-plus', 'qwen-image-edit-plus-2025-10-30', 'qwen-image-edit-plus-2025-12-15'], {
    ...qwenEdit,
    rate: perSecond(2),
  }),
  ...several(['qwen-image-edit'], {
    ...qwenEdit,
    // n of 99 is not refused and the picture is billed (measured).
    count: { max: 1, default: 1 },
    size: editWithoutSize,
    promptExtend: undefined,
    rate: perSecond(2),
  }),
  ...several(['z-image-turbo'], {
    routes: ['MM'],
    references: { min: 0, max: 0 },
    count: { max: 1, default: 1, refusal: 'n must be 1' },
    size: zImageArea,
    shape: 'z-image',
    promptExtend: false,
    promptCharacters: 800,
    seconds: () => 5,
    rate: perSecond(2),
  }),
  ...several(['wan2.7-image-pro'], { ...wan27Model, size: wan27(true) }),
  ...several(['wan2.7-image'], { ...wan27Model, size: wan27(false) }),
  ...several(['wan2.6-t2i'], {
    routes: ['MM', 'IG'],
    references: { min: 0, max: 0 },
    count: upTo(4, 4),
    size: wan26Text,
    shape: 'wan',
    choicePerImage: true,
    promptExtend: true,
    promptCharacters: 2100,
    seconds: () => 27,
    rate: perSecond(1, 5),
  }),
  ...several(['wan2.6-image'], {
    routes: ['MM', 'IG'],
    references: { min: 1, max: 4 },
    referenceLimits: wanImages,
    count: upTo(4, 4),
    size: wan26Image,
    shape: 'wan',
    choicePerImage: true,
    promptExtend: true,
    promptCharacters: 2000,
    interleave: true,
    seconds: () => 20,
    rate: perSecond(5, 5),
  }),
  ...several(['wan2.5-t2i-preview'], {
    ...oldWan,
    size: wanArea(1280, 1440, square(1280)),
    promptCharacters: 2000,
    seconds: () => 20,
    rate: perSecond(5, 5),
  }),
  ...several(['wan2.5-i2i-preview'], {
    ...oldWan,
    routes: ['I2I'],
    references: { min: 1, max: 3 },
    referenceLimits: { ...oldWanImages, minSide: 384, maxSide: 5000 },
    size: wanArea(768, 1280, sameRatio(1280)),
    promptCharacters: 2000,
    oldInput: 'images',
    seconds: () => 20,
    rate: perSecond(5, 5),
  }),
  ...several(['wan2.2-t2i-flash', 'wanx2.0-t2i-turbo'], oldWan),
  ...several(['wan2.2-t2i-plus'], { ...oldWan, seconds: () => 30 }),
  ...several(['wanx2.1-t2i-turbo', 'wanx2.1-t2i-plus'], { ...oldWan, region: 'cn-beijing' }),
  ...several(['wan2.1-t2i-turbo', 'wan2.1-t2i-plus'], { ...oldWan, region: 'ap-southeast-1' }),
  ...several(['wanx-v1'], {
    ...oldWan,
    references: { min: 0, max: 1 },
    referenceLimits: oldWanImages,
    size: wanxList,
    promptExtend: undefined,
    oldInput: 'ref_img',
    rate: perSecond(2, 1),
  }),
  ...several(['wanx2.1-imageedit'], {
    ...oldWan,
    routes: ['I2I'],
    references: { min: 1, max: 1 },
    referenceLimits: oldWanImages,
    count: upTo(4, 1),
    size: asTheInput,
    promptExtend: undefined,
    oldInput: 'imageedit',
    seconds: () => 10,
  }),
]

export const imageEditFunctions: readonly string[] = [
  'stylization_all',
  'stylization_local',
  'description_edit',
  'description_edit_with_mask',
  'remove_watermark',
  'expand',
  'super_resolution',
  'colorization',
  'doodle',
  'control_cartoon_feature',
]
