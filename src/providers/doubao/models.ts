/** What each Seedream model accepts, and what is known about it. */
import type {
  ImageCount,
  JsonSchema,
  Model,
  ModelLife,
  Price,
  PriceList,
  ReferenceLimits,
  SizeRule,
} from '../../catalogue/model.ts'

const source =
  'Volcengine Ark documents 1541523, 1824121, 2582774 and 1330310; live probes published 2026-09 and 2026-10'
const checked = '2026-11-27'
/** No price list has models that are no longer available. */
const shutDown = 'the service has shut it down'

// ── Sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const ratios = ['1:1', '4:3', '3:4', '16:9', '9:16', '3:2', '2:3', '21:9'] as const

function tier(...sizes: string[]): Record<string, string> {
  return Object.fromEntries(ratios.map((ratio, index) => [ratio, sizes[index]!]))
}

// Recommended sizes of document 1824121 (2026-09), in the order of `ratios`.
const oneK = tier('1024x1024', '1152x864', '864x1152', '1280x720', '720x1280', '1248x832', '832x1248', '1512x648')
const twoK = tier(
  '2048x2048',
  '2304x1728',
  '1728x2304',
  '2848x1600',
  '1600x2848',
  '2496x1664',
  '1664x2496',
  '3136x1344',
)
const threeK = tier(
  '3072x3072',
  '3456x2592',
  '2592x3456',
  '4096x2304',
  '2304x4096',
  '3744x2496',
  '2496x3744',
  '4704x2016',
)
const fourK = tier(
  '4096x4096',
  '4704x3520',
  '3520x4704',
  '5504x3040',
  '3040x5504',
  '4992x3328',
  '3328x4992',
  '6240x2656',
)
const proTiers = {
  '1K': tier('1024x1024', '1152x864', '864x1152', '1424x800', '800x1424', '1248x832', '832x1248', '1568x672'),
  '1.5K': tier('1536x1536', '1792x1344', '1344x1792', '2048x1152', '1152x2048', '1872x1248', '1248x1872', '2352x1008'),
  '2K': tier('2048x2048', '2368x1776', '1776x2368', '2816x1584', '1584x2816', '2496x1664', '1664x2496', '3136x1344'),
}

/**
 * The limit is on the area. 2K is what every model since 4.0 takes, and as a word it lets the model choose the ratio
 * that fits the prompt and the references; leaving the size out means different things to different models.
 */
function sizeRule(table: SizeRule['table'], area: { minArea: number; maxArea: number }): SizeRule {
  return {
    keywords: Object.keys(table),
    free: { ...area, minRatio: 1 / 16, maxRatio: 16 },
    table,
    defaultTier: '2K',
    default: '2K',
  }
}

const proSizes = sizeRule(proTiers, { minArea: 921_600, maxArea: 4_624_220 })
// Layers keep the size of their picture unless told otherwise; a tier would enlarge a small one and double its price.
const layerSizes: SizeRule = { keywords: ['auto', '1K', '1.5K', '2K'], table: {}, default: 'auto' }
// 4K for 5.0 lite stands in the documents of both hosts, and its ceiling was measured; those of its launch end at 3K.
const liteSizes = sizeRule({ '2K': twoK, '3K': threeK, '4K': fourK }, { minArea: 3_686_400, maxArea: 16_777_216 })
const sizes45 = sizeRule({ '2K': twoK, '4K': fourK }, { minArea: 3_686_400, maxArea: 16_777_216 })
const sizes40 = sizeRule({ '1K': oneK, '2K': twoK, '4K': fourK }, { minArea: 921_600, maxArea: 16_777_216 })
const sizes30: SizeRule = {
  free: { minArea: 262_144, maxArea: 4_194_304 },
  table: { '1K': oneK },
  defaultTier: '1K',
  default: '1024x1024',
}
// The sizes of the 2K table lie inside the limits of every model since 4.0; what else an unknown model takes, it says itself.
const cautiousSizes: SizeRule = {
  keywords: ['1K', '1.5K', '2K', '3K', '4K'],
  free: { minArea: 262_144, maxArea: 16_777_216, minRatio: 1 / 16, maxRatio: 16 },
  table: { '2K': twoK },
  defaultTier: '2K',
  default: '2K',
}

// ── References and counts ───────────────────────────────────────────────────────────────────────────────────────────

// Splitting into layers is documented for PNG and JPEG, and transparency for PNG; other types are re-encoded, with their transparency.
const forLayers = ['image/png', 'image/jpeg', 'image/heic']

/**
 * Ten megabytes each is what the older documents allow, thirty the newer; the total is undocumented, and a sibling API of the
 * service ends at 64 MB. Sides up to 4096 keep well inside the 36,000,000 pixels. Every current model takes HEIC (document 1541523,
 * 2026-11), which cannot be re-encoded here.
 */
function referenceLimits(limits: {
  min?: number
  max: number
  types?: readonly string[]
  maxRatio?: number
}): ReferenceLimits {
  return {
    min: limits.min ?? 0,
    max: limits.max,
    types: limits.types ?? [
      'image/jpeg',
      'image/png',
      'image/webp',
      'image/bmp',
      'image/tiff',
      'image/gif',
      'image/heic',
    ],
    alpha: true,
    maxEncodedBytes: 10_000_000,
    maxTotalEncodedBytes: 56_000_000,
    minSide: 15,
    maxSide: 4096,
    maxArea: 36_000_000,
    maxRatio: limits.maxRatio ?? 16,
  }
}

const group: ImageCount = { max: 15, perCall: 15, group: { limit: 15, countsReferences: true } }
const oneByOne: ImageCount = { max: 10, perCall: 1 }
/** `n` counts the pictures that are taken apart, one a request: as `askedBy` makes it a series of one. The layers come on top. */
function oneOrLayers(maxLayers: number): ImageCount {
  return {
    ...oneByOne,
    group: { limit: 1, countsReferences: false, askedBy: 'layer_decomposition', maxLayers: maxLayers },
  }
}

// ── Parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────

const watermark: JsonSchema = {
  type: 'boolean',
  default: false,
  description: 'Puts the mark "AI生成" into the bottom right corner.',
}

function outputFormat(standard: 'png' | 'jpeg'): JsonSchema {
  return {
    type: 'string',
    enum: ['png', 'jpeg'],
    description: `File format of the picture; ${standard === 'png' ? 'PNG' : 'JPEG'} unless asked otherwise.`,
  }
}

const optimizePrompt: JsonSchema = {
  type: 'string',
  enum: ['standard', 'fast'],
  description: 'How the service improves the prompt: carefully (standard, its own choice) or quickly.',
}

const webSearch: JsonSchema = {
  type: 'boolean',
  description: 'Lets the model look up current facts on the web when it thinks that the prompt needs them.',
}

const editBackground: JsonSchema = {
  type: 'string',
  enum: ['opaque', 'transparent'],
  description: 'A transparent background needs exactly one reference: a PNG with transparent pixels.',
}

const anyBackground: JsonSchema = {
  type: 'string',
  enum: ['auto', 'transparent', 'opaque'],
  description: 'Whether the picture has a transparent background; auto lets prompt and format decide.',
}

function layerDecomposition(most: number): JsonSchema {
  return {
    type: 'boolean',
    description: `Splits the one reference into a base picture and up to ${most} transparent layers; the prompt may name them.`,
  }
}

const seed: JsonSchema = {
  type: 'integer',
  minimum: -1,
  maximum: 2_147_483_647,
  description: 'The same seed and request give similar pictures; -1 chooses one at random.',
}

function guidanceScale(standard: number): JsonSchema {
  return {
    type: 'number',
    minimum: 1,
    maximum: 10,
    description: `How closely the picture follows the prompt; ${standard} unless asked otherwise.`,
  }
}

// ── Prices ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function price(amount: number): Price {
  const certainty = 'documented'
  return { currency: 'CNY', image: [{ amount }], certainty, source: 'Volcengine Ark document 1544106', checked }
}

function dollars(amount: number): Price {
  const certainty = 'reported'
  return { currency: 'USD', image: [{ amount }], certainty, source: 'price list of BytePlus, read by others', checked }
}

// 1536² × 1.1025; until 2026-08 the step was at 2.36 megapixels.
const stepArea = 2_601_123
const inTwoSteps = (lower: number, upper: number) => [{ upToArea: stepArea, amount: lower }, { amount: upper }]

// ── Platforms ───────────────────────────────────────────────────────────────────────────────────────────────────────

export const platforms = ['ark-cn', 'ark-plan', 'ark-coding', 'byteplus', 'byteplus-eu'] as const

/**
 * `ark-cn`: Volcengine Ark, by use. `ark-plan`: its subscription "Agent Plan". `ark-coding`: its coding plan, which has no pictures.
 * `byteplus`: BytePlus ModelArk in Singapore. `byteplus-eu`: the one in Europe, whose list of models names no Seedream.
 */
export function platformAt(baseUrl: string): string | undefined {
  const url = URL.parse(baseUrl)
  const host = url?.hostname.replace(/\.$/, '') ?? ''
  if (/(?:^|\.)bytepluses\.com$/.test(host)) return /(?:^|\.)eu-/.test(host) ? 'byteplus-eu' : 'byteplus'
  if (!/(?:^|\.)volces\.com$/.test(host)) return undefined
  if (/^\/api\/plan(?:\/|$)/.test(url?.pathname ?? '')) return 'ark-plan'
  return /^\/api\/coding(?:\/|$)/.test(url?.pathname ?? '') ? 'ark-coding' : 'ark-cn'
}

/**
 * Volcengine Ark sells in CNY, BytePlus in USD, and plans by points of their own. Ids without `doubao-` are those of BytePlus, whichever
 * gateway they go to.
 * @see Provider.priceListAt
 */
export function priceListAt(platform: string, modelId: string): PriceList {
  if (platform === 'byteplus') return 'abroad'
  if (platform !== 'ark-cn') return 'unknown'
  return isOfBytePlus(modelId) ? 'abroad' : 'home'
}

export function isOfBytePlus(modelId: string): boolean {
  return /^(?:dola-)?seed(?:ream|edit)-/.test(modelId)
}

const byUse = ['ark-cn', 'byteplus']
const byUseAndPlan = [...byUse, 'ark-plan']

/** The batch of the retirement notice of 2026-09-22: notice, end of marketing, end of service. BytePlus gave none, and serves them. */
function stoppedIn2026(...successors: string[]): ModelLife {
  return {
    platforms: ['ark-cn'],
    announcedAt: '2026-09-22T10:00:00+08:00',
    closedToNewAt: '2026-09-24T10:00:00+08:00',
    endsAt: '2026-11-24T14:00:00+08:00',
    successors,
    certainty: 'documented',
    source: 'Volcengine Ark document 1350667, notice of 2026-09-22',
    checked,
  }
}

const arkSuccessors = ['doubao-seedream-4-0-20260415', 'doubao-seedream-5-0-pro-260628']
const bytePlusSuccessors = ['seedream-4-0-20260415', 'dola-seedream-5-0-pro-260628']

function shutDownAt(platform: 'ark-cn' | 'byteplus', seen: string): ModelLife {
  return {
    platforms: [platform],
    hasEnded: true,
    successors: platform === 'ark-cn' ? arkSuccessors : bytePlusSuccessors,
    certainty: 'reported',
    source: `Shutdown in the list of models of ${seen}`,
    checked,
  }
}

// ── Models ──────────────────────────────────────────────────────────────────────────────────────────────────────────

type Facts = Omit<Model, 'promptRequired' | 'textToImage' | 'concurrency' | 'source' | 'checked'> & Partial<Model>

function seedream(facts: Facts): Model {
  // The service limits pictures a minute (500 of an account and model), not requests in flight. At ten seconds each, 64 stay below that.
  return { promptRequired: true, textToImage: true, concurrency: 64, platforms: byUse, source, checked, ...facts }
}

// Typical seconds of 5.0 flash and 4.5 are guesses from their neighbours; the others were seen by users.
export const models: readonly Model[] = [
  seedream({
    id: 'doubao-seedream-5-5-261028',
    name: 'Seedream 5.5',
    family: 'seedream-5.5',
    aliases: ['seedream-5-5-261028', 'dola-seedream-5-5-261028'],
    idAt: { byteplus: 'seedream-5-5-261028' },
    state: 'current',
    about: {
      en: 'The newest Seedream, with transparent backgrounds and up to 99 layers.',
      zh: '最新的 Seedream，支持透明背景和最多 99 个图层。',
    },
    promptRequired: false,
    references: referenceLimits({ max: 10, types: forLayers }),
    sizes: { textToImage: proSizes, withReferences: proSizes, group: layerSizes },
    images: oneOrLayers(99),
    parameters: {
      watermark,
      output_format: outputFormat('png'),
      background: anyBackground,
      layer_decomposition: layerDecomposition(99),
    },
    // No price in CNY is published. Layers cost as much as images.
    priceAbroad: { ...dollars(0.035), image: inTwoSteps(0.02, 0.035), reference: { amount: 0.008, free: 0 } },
    typicalSeconds: [12, 35],
    source: 'resellers and BytePlus release of 2026-11-12; its largest area is a guess',
  }),
  seedream({
    id: 'doubao-seedream-5-0-flash-260915',
    name: 'Seedream 5.0 flash',
    family: 'seedream-5.0-flash',
    aliases: ['dola-seedream-5-0-flash-260915', 'seedream-5-0-flash-260915'],
    idAt: { byteplus: 'dola-seedream-5-0-flash-260915' },
    state: 'current',
    about: {
      en: 'The cheapest Seedream, with layers and transparent edits.',
      zh: '最便宜的 Seedream，支持图层拆分和透明背景编辑。',
    },
    promptRequired: false,
    references: referenceLimits({ max: 10, types: forLayers }),
    sizes: { textToImage: proSizes, withReferences: proSizes, group: layerSizes },
    images: oneOrLayers(16),
    parameters: {
      watermark,
      output_format: outputFormat('jpeg'),
      background: editBackground,
      layer_decomposition: layerDecomposition(16),
      // Undocumented, but a live probe of 2026-09 saw its effect. Nobody saw one on the other models since 4.0.
      seed,
    },
    price: price(0.12),
    priceAbroad: dollars(0.018),
    typicalSeconds: [15, 60],
  }),
  seedream({
    id: 'doubao-seedream-5-0-pro-260628',
    name: 'Seedream 5.0 pro',
    family: 'seedream-5.0-pro',
    aliases: [
      'dola-seedream-5-0-pro-260628',
      'seedream-5-0-pro-260628',
      // The id for keys of a subscription.
      'doubao-seedream-5.0-pro',
      'doubao-seedream-5-0-pro',
    ],
    platforms: byUseAndPlan,
    idAt: { byteplus: 'dola-seedream-5-0-pro-260628' },
    state: 'current',
    about: {
      en: 'The most careful Seedream: text in many languages, regional edits, layers and transparent edits.',
      zh: '最精细的 Seedream：多语言文字、局部编辑、图层拆分和透明背景编辑。',
    },
    promptRequired: false,
    references: referenceLimits({ max: 10, types: forLayers }),
    sizes: { textToImage: proSizes, withReferences: proSizes, group: layerSizes },
    images: oneOrLayers(16),
    parameters: {
      watermark,
      output_format: outputFormat('jpeg'),
      optimize_prompt: optimizePrompt,
      background: editBackground,
      layer_decomposition: layerDecomposition(16),
    },
    price: {
      ...price(0.6),
      image: inTwoSteps(0.3, 0.6),
      layer: inTwoSteps(0.15, 0.3),
      reference: { amount: 0.02, free: 1 },
    },
    priceAbroad: {
      ...dollars(0.09),
      image: inTwoSteps(0.045, 0.09),
      layer: inTwoSteps(0.0225, 0.045),
      reference: { amount: 0.003, free: 1 },
    },
    typicalSeconds: [39, 130],
  }),
  seedream({
    id: 'doubao-seedream-4-0-20260415',
    name: 'Seedream 4.0 (2026-04)',
    family: 'seedream-4.0',
    aliases: ['seedream-4-0-20260415'],
    idAt: { byteplus: 'seedream-4-0-20260415' },
    state: 'current',
    about: {
      en: 'The second build of 4.0: quick, from 1K to 4K, up to 14 references and series of pictures.',
      zh: '4.0 的第二个版本：速度快，1K 到 4K，最多 14 张参考图，支持组图。',
    },
    references: referenceLimits({ max: 14 }),
    sizes: { textToImage: sizes40, withReferences: sizes40, group: sizes40 },
    images: group,
    parameters: { watermark, optimize_prompt: optimizePrompt },
    price: { ...price(0.2), certainty: 'inferred', source: 'that of 4.0, as others assume; no document names one' },
    priceAbroad: { ...dollars(0.03), certainty: 'inferred', source: 'that of 4.0; no list names one' },
    typicalSeconds: [7, 15],
    source: 'live probes published 2026-09 and 2026-10; absent from the documents, so the rest is that of 4.0',
  }),
  seedream({
    id: 'doubao-seedream-5-0-260128',
    name: 'Seedream 5.0 lite',
    family: 'seedream-5.0-lite',
    aliases: [
      'doubao-seedream-5-0-lite-260128',
      'doubao-seedream-5.0-lite',
      'seedream-5-0-260128',
      'seedream-5-0-lite-260128',
    ],
    platforms: byUseAndPlan,
    idAt: { byteplus: 'seedream-5-0-260128', 'ark-plan': 'doubao-seedream-5-0-lite-260128' },
    state: 'current',
    life: [
      stoppedIn2026('doubao-seedream-5-0-pro-260628', 'doubao-seedream-4-0-20260415'),
      {
        platforms: ['ark-plan'],
        announcedAt: '2026-09-22T10:00:00+08:00',
        successors: ['doubao-seedream-5-0-pro-260628'],
        certainty: 'inferred',
        source: 'its end on Volcengine Ark; whether and when the plan follows, no document says',
        checked,
      },
    ],
    about: {
      en: 'Up to 4K, up to 14 references, series of pictures and web search.',
      zh: '最高 4K，最多 14 张参考图，支持组图和联网搜索。',
    },
    references: referenceLimits({ max: 14 }),
    sizes: { textToImage: liteSizes, withReferences: liteSizes, group: liteSizes },
    images: group,
    parameters: { watermark, output_format: outputFormat('jpeg'), web_search: webSearch },
    price: price(0.22),
    priceAbroad: dollars(0.035),
    typicalSeconds: [19, 35],
  }),
  seedream({
    id: 'doubao-seedream-4-5-251128',
    name: 'Seedream 4.5',
    family: 'seedream-4.5',
    aliases: ['seedream-4-5-251128'],
    idAt: { byteplus: 'seedream-4-5-251128' },
    state: 'current',
    life: [stoppedIn2026('doubao-seedream-5-0-pro-260628', 'doubao-seedream-4-0-20260415')],
    about: { en: 'Up to 4K, up to 14 references and series of pictures.', zh: '最高 4K，最多 14 张参考图，支持组图。' },
    references: referenceLimits({ max: 14 }),
    sizes: { textToImage: sizes45, withReferences: sizes45, group: sizes45 },
    images: group,
    parameters: { watermark },
    price: price(0.25),
    priceAbroad: dollars(0.04),
    typicalSeconds: [15, 35],
  }),
  seedream({
    id: 'doubao-seedream-4-0-250828',
    name: 'Seedream 4.0',
    family: 'seedream-4.0',
    aliases: ['seedream-4-0-250828'],
    idAt: { byteplus: 'seedream-4-0-250828' },
    state: 'current',
    // The vendor names 5.0 pro; the second build does what this one did.
    life: [stoppedIn2026(...arkSuccessors)],
    about: {
      en: 'Quick, from 1K to 4K, up to 14 references and series of pictures.',
      zh: '速度快，1K 到 4K，最多 14 张参考图，支持组图。',
    },
    references: referenceLimits({ max: 14 }),
    sizes: { textToImage: sizes40, withReferences: sizes40, group: sizes40 },
    images: group,
    parameters: { watermark, optimize_prompt: optimizePrompt },
    price: price(0.2),
    priceAbroad: dollars(0.03),
    typicalSeconds: [7, 15],
  }),
  seedream({
    id: 'doubao-seedream-3-0-t2i-250415',
    name: 'Seedream 3.0',
    family: 'seedream-3.0',
    aliases: ['seedream-3-0-t2i-250415'],
    idAt: { byteplus: 'seedream-3-0-t2i-250415' },
    state: 'legacy',
    life: [
      shutDownAt('ark-cn', '2026-09-19'),
      {
        platforms: ['byteplus'],
        // The day on which it was seen so.
        closedToNewAt: '2026-09-02T00:00:00+08:00',
        successors: bytePlusSuccessors,
        certainty: 'reported',
        source: 'Retiring in the list of models of 2026-09-02; a client had announced its end for 2026-05-13',
        checked,
      },
    ],
    about: { en: 'Text to image only, with a seed.', zh: '仅支持文生图，可设种子。' },
    references: referenceLimits({ max: 0 }),
    sizes: { textToImage: sizes30 },
    images: oneByOne,
    parameters: { watermark, seed, guidance_scale: guidanceScale(2.5) },
    unpriced: shutDown,
    typicalSeconds: [5, 15],
  }),
  seedream({
    id: 'doubao-seededit-3-0-i2i-250628',
    name: 'SeedEdit 3.0',
    family: 'seededit-3.0',
    aliases: ['seededit-3-0-i2i-250628'],
    idAt: { byteplus: 'seededit-3-0-i2i-250628' },
    state: 'legacy',
    life: [shutDownAt('ark-cn', '2026-09-19'), shutDownAt('byteplus', '2026-09-02')],
    about: { en: 'Edits one picture.', zh: '编辑单张图片。' },
    textToImage: false,
    references: referenceLimits({ min: 1, max: 1, types: ['image/jpeg', 'image/png'], maxRatio: 3 }),
    sizes: { withReferences: { keywords: ['adaptive'], table: {}, default: 'adaptive' } },
    images: oneByOne,
    parameters: { watermark, seed, guidance_scale: guidanceScale(5.5) },
    unpriced: shutDown,
    typicalSeconds: [10, 20],
  }),
]

/** What `plan` and `check` need to know of a family beyond what every client may see. */
export const traits: Readonly<Record<string, { transparentFromText?: boolean; refusesTinySize?: boolean }>> = {
  'seedream-5.5': { transparentFromText: true },
  // `refusesTinySize`: the documents bound the area from below, so a picture of 1x1 is always refused and never billed.
  'seedream-5.0-pro': { refusesTinySize: true },
  'seedream-5.0-flash': { refusesTinySize: true },
  'seedream-5.0-lite': { refusesTinySize: true },
  'seedream-4.5': { refusesTinySize: true },
  'seedream-4.0': { refusesTinySize: true },
}

// What follows `seedream-`, in order: `5-0` alone is lite, and no other word may stand where `pro` and `flash` do.
const families: readonly [pattern: RegExp, family: string][] = [
  [/^5[-.]5(?!\d)/, 'seedream-5.5'],
  [/^5[-.]0-pro\b/, 'seedream-5.0-pro'],
  [/^5[-.]0-flash\b/, 'seedream-5.0-flash'],
  [/^5[-.]0(?:-lite)?(?:-\d+)?$/, 'seedream-5.0-lite'],
  [/^4[-.]5(?!\d)/, 'seedream-4.5'],
  [/^4[-.]0(?!\d)/, 'seedream-4.0'],
  [/^3[-.]0-t2i\b/, 'seedream-3.0'],
]

/** The form for an id that the catalogue does not have; see `Provider.unlisted`. */
export function unlisted(id: string, declared: boolean): Model | undefined {
  const version = /^(?:doubao-|dola-)?seedream-(.+)$/.exec(id)?.[1]
  const family = /^(?:doubao-)?seededit-3[-.]0\b/.test(id)
    ? 'seededit-3.0'
    : families.find(([pattern]) => version !== undefined && pattern.test(version))?.[1]
  const known = models.find(model => model.family === family)
  if (known) return ofFamily(known, id)
  const isOurs = declared || /^(?:doubao-|dola-)?seed(?:ream|edit)-|^doubao-|^ep-/.test(id)
  return isOurs ? cautious(id) : undefined
}

function ofFamily(known: Model, id: string): Model {
  return {
    ...known,
    id,
    name: id,
    aliases: undefined,
    idAt: undefined,
    platforms: undefined,
    life: undefined,
    state: 'unlisted',
    about: {
      en: `Not in the catalogue; treated like ${known.name}.`,
      zh: `不在目录中；按 ${known.name} 处理。`,
    },
    price: known.price && { ...known.price, certainty: 'inferred' },
    priceAbroad: known.priceAbroad && { ...known.priceAbroad, certainty: 'inferred' },
  }
}

/** Only what every model since 4.0 takes: an endpoint id does not tell which model answers it. */
function cautious(id: string): Model {
  return seedream({
    id,
    name: id,
    family: 'seedream',
    platforms: undefined,
    state: 'unlisted',
    about: {
      en: 'Not in the catalogue, so only what every Seedream model takes is sent.',
      zh: '不在目录中，因此只发送所有 Seedream 模型都接受的参数。',
    },
    references: referenceLimits({ max: 10 }),
    sizes: { textToImage: cautiousSizes, withReferences: cautiousSizes },
    images: oneByOne,
    parameters: { watermark },
    typicalSeconds: [10, 60],
  })
}
