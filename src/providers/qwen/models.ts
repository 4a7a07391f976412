/**
 * The image models of Alibaba Cloud Model Studio (DashScope) as data: what each one takes, by which route it is
 * reached, what it costs.
 *
 * Where the documentation and measurements disagree, the choice is the one that costs the user less.
 */
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

/**
 * The four ways to ask for pictures. A model on the wrong one is refused.
 * - `MM`: one answer on an open connection, `input.messages`.
 * - `IG`: the same body as a task.
 * - `T2I`, `I2I`: the older task forms, `input.prompt`.
 */
export type Route = 'MM' | 'IG' | 'T2I' | 'I2I'

/** The wire format of one family of models. */
export interface Wire {
  route: Route
  /** False where the service documents no `n` and is said to bill what it gets there. */
  takesCount: boolean
  /** Where references go: into the message, or into fields of `input`. */
  references: 'message' | 'images' | 'base_and_mask' | 'ref_img'
  /**
   * The synchronous route refuses a text-to-image request of size `1*1` before anything is generated, as measured by
   * third parties for these families (2026-11). Elsewhere that request might be paid, so it is never sent.
   */
  checksSize: boolean
}

// A task survives a broken connection and a restart, an open connection does not. So everything that has a task route
// takes it; the documentation has none for the others (of 2.1 it is unknown).
const wires = {
  'qwen-image-3.0': { route: 'IG', takesCount: true, references: 'message', checksSize: true },
  'qwen-image-2.1': { route: 'MM', takesCount: true, references: 'message', checksSize: true },
  'qwen-image-2.0': { route: 'MM', takesCount: true, references: 'message', checksSize: true },
  // Dated snapshots of `qwen-image-plus` are here too: they have no task route.
  'qwen-image-max': { route: 'MM', takesCount: true, references: 'message', checksSize: true },
  // MM and T2I both take these two. T2I is used, because a task, and what was paid for it, outlives the connection.
  'qwen-image': { route: 'T2I', takesCount: true, references: 'message', checksSize: true },
  'qwen-image-edit': { route: 'MM', takesCount: true, references: 'message', checksSize: false },
  'qwen-image-edit-single': { route: 'MM', takesCount: false, references: 'message', checksSize: false },
  'z-image': { route: 'MM', takesCount: true, references: 'message', checksSize: true },
  'wan2.7-image': { route: 'IG', takesCount: true, references: 'message', checksSize: true },
  'wan2.6-t2i': { route: 'IG', takesCount: true, references: 'message', checksSize: false },
  'wan2.6-image': { route: 'IG', takesCount: true, references: 'message', checksSize: false },
  'wan2.5-t2i': { route: 'T2I', takesCount: true, references: 'images', checksSize: false },
  'wan2.5-i2i': { route: 'I2I', takesCount: true, references: 'images', checksSize: false },
  'wan2-t2i': { route: 'T2I', takesCount: true, references: 'images', checksSize: false },
  'wanx-v1': { route: 'T2I', takesCount: true, references: 'ref_img', checksSize: false },
  'wanx2.1-imageedit': { route: 'I2I', takesCount: true, references: 'base_and_mask', checksSize: false },
  'dashscope-unlisted': { route: 'MM', takesCount: true, references: 'message', checksSize: false },
} satisfies Record<string, Wire>

type Family = keyof typeof wires

export function findWire(family: string): Wire {
  return Object.hasOwn(wires, family) ? wires[family as Family] : wires['dashscope-unlisted']
}

/** Characters of a negative prompt that are read; the rest is cut silently. None are stated for 3.0. */
export function negativePromptCharacters(family: string): number | undefined {
  return family === 'qwen-image-3.0' ? undefined : 500
}

// ── Sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Adds the portrait form of every landscape ratio. */
function bothWays(lying: Record<string, string>): Record<string, string> {
  const turned = Object.entries(lying).map(([ratio, size]) => [
    ratio.split(':').reverse().join(':'),
    size.split('x').reverse().join('x'),
  ])
  return { ...lying, ...Object.fromEntries(turned) }
}

const square = (side: number) => side * side

// Partly the recommended sizes; those of 3:2 at 2K and of 21:9 are ours, within all bounds and with sides of whole sixteens.
const qwen2Table = {
  '1K': bothWays({
    '1:1': '1024x1024',
    '16:9': '1664x928',
    '3:2': '1536x1024',
    '4:3': '1472x1104',
    '21:9': '1568x672',
  }),
  '2K': bothWays({
    '1:1': '2048x2048',
    '16:9': '2688x1536',
    '3:2': '2496x1664',
    '4:3': '2368x1728',
    '21:9': '3024x1296',
  }),
}

const qwenFree = (largestSide: number) => ({
  minArea: square(512),
  maxArea: square(largestSide),
  minRatio: 1 / 8,
  maxRatio: 8,
})

// 3.0 bills a request without a size as 2K (measured 2026-11), and 2K costs the pro model twice as much and takes about
// three times as long. So a size is always sent, by default one of the 1K tier.
const qwen3Sizes = (largestSide: number) => ({
  textToImage: { free: qwenFree(largestSide), table: qwen2Table, defaultTier: '1K', default: '1K' },
  withReferences: {
    free: qwenFree(2048),
    table: qwen2Table,
    defaultTier: '1K',
    default: '1K',
    followsLastReference: true,
  },
})

// No ratio is stated for 2.0.
const qwen2Free = { minArea: square(512), maxArea: square(2048) }
const qwen2Sizes = {
  textToImage: { free: qwen2Free, table: qwen2Table, defaultTier: '2K', default: '2K' },
  // Without a size the service makes about 1024² in the ratio of the last reference.
  withReferences: { free: qwen2Free, table: qwen2Table, defaultTier: '1K', followsLastReference: true },
}

const fiveSizes: SizeRule = {
  exact: ['1664x928', '1472x1104', '1328x1328', '1104x1472', '928x1664'],
  table: { '1K': bothWays({ '16:9': '1664x928', '4:3': '1472x1104', '1:1': '1328x1328' }) },
  defaultTier: '1K',
  default: '1664x928',
}

// The same five are documented; the live check was measured to be this range.
const maxSizes: SizeRule = { ...fiveSizes, free: { minSide: 512, maxSide: 1664 } }

// The service rounds each side to the nearest multiple of 16.
const qwenEditSizes: SizeRule = {
  free: { minSide: 512, maxSide: 2048 },
  table: {
    '1K': bothWays({
      '1:1': '1024x1024',
      '16:9': '1280x720',
      '3:2': '1152x768',
      '4:3': '1280x960',
      '21:9': '1344x576',
    }),
    '2K': bothWays({
      '1:1': '1536x1536',
      '16:9': '1920x1080',
      '3:2': '1536x1024',
      '4:3': '1440x1080',
      '21:9': '2048x872',
    }),
  },
  defaultTier: '1K',
  followsLastReference: true,
}

const zImageSizes: SizeRule = {
  free: { minArea: square(512), maxArea: square(2048) },
  table: {
    '1K': bothWays({
      '1:1': '1024x1024',
      '16:9': '1280x720',
      '3:2': '1248x832',
      '4:3': '1152x864',
      '21:9': '1344x576',
    }),
    '2K': bothWays({ '1:1': '1536x1536', '16:9': '2048x1152', '3:2': '1872x1248', '4:3': '1728x1296' }),
  },
  defaultTier: '1K',
  default: '1024x1536',
}

const wan27Table = {
  '1K': bothWays({
    '1:1': '1280x1280',
    '16:9': '1696x960',
    '3:2': '1536x1024',
    '4:3': '1472x1104',
    '21:9': '1904x816',
  }),
  '2K': qwen2Table['2K'],
}
const wan27TableTo4K = {
  ...wan27Table,
  '4K': bothWays({ '1:1': '4096x4096', '16:9': '4096x2304', '4:3': '4096x3072' }),
}
const wan27Free = (largestSide: number) => ({
  minArea: square(768),
  maxArea: square(largestSide),
  minRatio: 1 / 8,
  maxRatio: 8,
})
const wan27To2K: SizeRule = {
  keywords: ['1K', '2K'],
  free: wan27Free(2048),
  table: wan27Table,
  defaultTier: '2K',
  default: '2K',
}
// The keyword, which is also the service's own default, takes the ratio of the last reference.
const wan27WithReferences: SizeRule = { ...wan27To2K, followsLastReference: true }

// The documentation recommends 1472x1104 and 1696x960, whose areas lie just below the least area it states. Both are
// taken when asked for, but the table holds sizes that are right under either reading.
const wan26Sizes: SizeRule = {
  free: { minArea: 1472 * 1104, maxArea: square(1440), minRatio: 1 / 4, maxRatio: 4 },
  table: { '1K': bothWays({ '1:1': '1280x1280', '16:9': '1792x1008', '4:3': '1536x1152' }) },
  defaultTier: '1K',
  default: '1280x1280',
}

const wan26ImageFree = { minArea: square(768), maxArea: square(2048), minRatio: 1 / 4, maxRatio: 4 }
const wan26ImageRule: SizeRule = {
  keywords: ['1K', '2K'],
  free: wan26ImageFree,
  table: wan27Table,
  defaultTier: '1K',
  default: '1K',
}
const wan26ImageSizes = {
  textToImage: wan26ImageRule,
  withReferences: { ...wan26ImageRule, followsLastReference: true },
}

const wan25EditSizes: SizeRule = {
  free: { minArea: square(768), maxArea: square(1280), minRatio: 1 / 4, maxRatio: 4 },
  table: { '1K': wan27Table['1K'] },
  defaultTier: '1K',
  followsLastReference: true,
}

const wan2Sizes: SizeRule = {
  free: { minSide: 512, maxSide: 1440 },
  table: { '1K': bothWays({ '1:1': '1024x1024', '16:9': '1280x720', '4:3': '1152x864' }) },
  defaultTier: '1K',
  default: '1024x1024',
}

const wanV1Sizes: SizeRule = {
  exact: ['1024x1024', '720x1280', '1280x720'],
  table: { '1K': bothWays({ '1:1': '1024x1024', '16:9': '1280x720' }) },
  defaultTier: '1K',
  default: '1024x1024',
}

// ── References ──────────────────────────────────────────────────────────────────────────────────────────────────────

// One data URI may hold 10,485,760 encoded bytes (documented). The limit of a whole body is unknown; bodies are kept below 20 MB.
const encodedLimits = { maxEncodedBytes: 10_485_760, maxTotalEncodedBytes: 19_500_000 }

function qwenReferences(min: number, max: number, maxSide = 3072): ReferenceLimits {
  const types = ['image/png', 'image/jpeg', 'image/webp', 'image/bmp', 'image/tiff']
  // 384 to 3072 is what the service recommends, not what it demands: a small picture is the person's choice.
  return { min, max, types, alpha: true, ...encodedLimits, minSide: 16, maxSide }
}

function wanReferences(min: number, max: number, sides: readonly [number, number] = [240, 8000]): ReferenceLimits {
  const types = ['image/png', 'image/jpeg', 'image/webp', 'image/bmp']
  const [minSide, maxSide] = sides
  return { min, max, types, alpha: false, ...encodedLimits, minSide, maxSide }
}

/** From 2.6 on a ratio is documented too. */
const newWanReferences = (min: number, max: number): ReferenceLimits => ({ ...wanReferences(min, max), maxRatio: 8 })

const noReferences: ReferenceLimits = { ...qwenReferences(0, 0), types: [] }

// ── Parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────

const seed: JsonSchema = {
  type: 'integer',
  minimum: 0,
  maximum: 2_147_483_647,
  description: 'The same seed makes similar pictures again, without a promise; left out, it is random.',
}
const watermark: JsonSchema = {
  type: 'boolean',
  default: false,
  description: 'Puts the mark of the service into the bottom right corner.',
}
const negativePrompt: JsonSchema = {
  type: 'string',
  description: 'What the picture should not show.',
}
const promptExtend: JsonSchema = {
  type: 'boolean',
  default: true,
  description: 'Lets the service rewrite short prompts, which adds some seconds; switch it off for exact lettering.',
}
const promptExtendAtDoublePrice: JsonSchema = {
  type: 'boolean',
  default: false,
  description: 'Lets the service rewrite the prompt, which doubles the price of this model.',
}
const promptExtendMode: JsonSchema = {
  type: 'string',
  enum: ['direct', 'agent'],
  description:
    'How the prompt is rewritten: directly, or by an agent that plans first, which works without references only.',
}
const enableThinking: JsonSchema = {
  type: 'boolean',
  description:
    'Lets the rewriting of the prompt reason first, which is slower; the service does so unless told not to.',
}
const thinkingMode: JsonSchema = {
  type: 'boolean',
  description: 'Lets the model reason before it draws from text; the service does so unless told not to.',
}
const enableSequential: JsonSchema = {
  type: 'boolean',
  description: 'Makes one coherent series of up to 12 pictures; the model decides how many, and those made are paid.',
}
const colorPalette: JsonSchema = {
  type: 'array',
  minItems: 3,
  maxItems: 10,
  items: {
    type: 'object',
    properties: {
      hex: { type: 'string', pattern: '^#[0-9A-Fa-f]{6}$' },
      ratio: { type: 'string', pattern: '^\\d{1,3}\\.\\d{2}%$' },
    },
    required: ['hex', 'ratio'],
    additionalProperties: false,
  },
  description: 'Three to ten colours such as #1A2B3C with their shares such as 40.00%, which together are 100.00%.',
}
const boxList: JsonSchema = {
  type: 'array',
  items: {
    type: 'array',
    maxItems: 2,
    items: { type: 'array', minItems: 4, maxItems: 4, items: { type: 'integer', minimum: 0 } },
  },
  description:
    'For every reference, in their order, up to two boxes [x1, y1, x2, y2] to work on; an empty list for none.',
}
const enableInterleave: JsonSchema = {
  type: 'boolean',
  description: 'Tells a story in text and up to 5 pictures, from at most one reference; always so without references.',
}
const editFunction: JsonSchema = {
  type: 'string',
  enum: [
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
  ],
  default: 'description_edit',
  description:
    'What is done to the picture; with description_edit_with_mask the second reference is the mask, white where to edit.',
}
const style: JsonSchema = {
  type: 'string',
  pattern: '^<[^<>]+>$',
  description: 'A style of the service in angle brackets, such as <auto> or <photography>.',
}
const referenceStrength: JsonSchema = {
  type: 'number',
  minimum: 0,
  maximum: 1,
  description: 'How closely the picture keeps to the reference.',
}
const referenceMode: JsonSchema = {
  type: 'string',
  enum: ['repaint', 'refonly'],
  description: 'Whether the content of the reference is kept (repaint) or its style only (refonly).',
}

const common = { seed, watermark }
const qwenCommon = { ...common, negative_prompt: negativePrompt, prompt_extend: promptExtend }
const qwen3Parameters = {
  ...qwenCommon,
  prompt_extend_mode: promptExtendMode,
  enable_thinking: enableThinking,
}
// Whether 2.1 pro refuses a negative prompt or only ignores it is not known.
const { negative_prompt: _, ...qwen21ProParameters } = qwen3Parameters
const wan27Parameters = {
  ...common,
  thinking_mode: thinkingMode,
  enable_sequential: enableSequential,
  color_palette: colorPalette,
  bbox_list: boxList,
}

// ── Counts and prices ───────────────────────────────────────────────────────────────────────────────────────────────

const upTo = (perCall: number): ImageCount => ({ max: 10, perCall })

const checked = '2026-11-27'
const documentation = 'https://help.aliyun.com/zh/model-studio/'

// The price page of mid 2026, from before 3.0 and 2.1. By it no price depends on the size, and failed pictures are free.
function price(amount: number, certainty: Price['certainty'] = 'documented', more: Partial<Price> = {}): Price {
  const source = {
    documented: `${documentation}, price page of mid 2026`,
    reported: 'third parties that quote the Beijing price list',
    inferred: 'implied by what third parties write',
  }[certainty]
  return { currency: 'CNY', image: [{ amount }], certainty, source, checked, ...more }
}

/** At the international address, Singapore: the prices in CNY that the same page has for it agree with these. */
function dollars(amount: number, certainty: Price['certainty'] = 'documented', more: Partial<Price> = {}): Price {
  const source = {
    documented: `${documentation}, price page of mid 2026`,
    reported: 'third parties that measured the prices of Singapore',
    inferred: 'a price of resellers',
  }[certainty]
  return { currency: 'USD', image: [{ amount }], certainty, source, checked, ...more }
}

// ── Platforms ───────────────────────────────────────────────────────────────────────────────────────────────────────

const regions: Readonly<Record<string, string>> = {
  'cn-beijing': 'dashscope-cn',
  'ap-southeast-1': 'dashscope-intl',
  'us-east-1': 'dashscope-us',
  'eu-central-1': 'dashscope-eu',
  'ap-northeast-1': 'dashscope-jp',
  'cn-hongkong': 'dashscope-hk',
}
const sharedHosts: Readonly<Record<string, string>> = {
  'dashscope.aliyuncs.com': 'dashscope-cn',
  'dashscope-intl.aliyuncs.com': 'dashscope-intl',
  'dashscope-us.aliyuncs.com': 'dashscope-us',
}

/**
 * `dashscope-…`: Alibaba Cloud Model Studio in a region, by its shared host or that of a workspace. `token-plan`: its subscription.
 * `qwen-cloud`: Qwen Cloud, with keys of its own; `qwen-cloud-plan`: its subscription.
 */
export function platformAt(baseUrl: string): string | undefined {
  const host = URL.parse(baseUrl)?.hostname.replace(/\.$/, '') ?? ''
  if (/(?:^|\.)qwencloudapi\.com$/.test(host)) return host.startsWith('token-plan.') ? 'qwen-cloud-plan' : 'qwen-cloud'
  if (!/(?:^|\.)aliyuncs\.com$/.test(host)) return undefined
  const [, workspace, region = ''] = /^([^.]+)\.([^.]+)\.maas\.aliyuncs\.com$/.exec(host) ?? []
  if (workspace === 'token-plan') return 'token-plan'
  return sharedHosts[host] ?? regions[region] ?? 'dashscope-elsewhere'
}

/**
 * Beijing sells in CNY, Singapore in USD; what the other regions, Qwen Cloud and the plans ask is not known. `wan2.1-…` is how the
 * international hosts spell `wanx2.1-…`, whichever gateway it goes to.
 * @see Provider.priceListAt
 */
export function priceListAt(platform: string, modelId: string): PriceList {
  if (platform === 'dashscope-intl') return 'abroad'
  if (platform !== 'dashscope-cn') return 'unknown'
  return modelId.startsWith('wan2.1-') ? 'abroad' : 'home'
}

const alibabaCloud = [...Object.values(regions), 'dashscope-elsewhere']
export const platforms: readonly string[] = [...alibabaCloud, 'token-plan', 'qwen-cloud', 'qwen-cloud-plan']

/**
 * The first Qwen-Image line. Sources disagree: the retirement page names all of its ids, a sister notice for the same day and a
 * reseller's list of what it took down name none. So it counts as ended, but requests are still sent: a refusal is free.
 */
const firstLine: readonly ModelLife[] = [
  {
    platforms: alibabaCloud,
    announcedAt: '2026-07-10T00:00:00+08:00',
    endsAt: '2026-10-10T00:00:00+08:00',
    successors: ['qwen-image-2.0'],
    certainty: 'reported',
    source:
      'retirement page of Model Studio (copy of summer 2026) and a gateway that checked its notices on 2026-09-16; a sister notice for the same day does not name it',
    checked,
  },
]

// ── The rows ────────────────────────────────────────────────────────────────────────────────────────────────────────

type Row = Omit<Model, 'family' | 'state' | 'promptRequired' | 'source' | 'checked'> &
  Partial<Pick<Model, 'state' | 'source'>> & { family: Family }

const row = (facts: Row): Model => ({
  state: 'current',
  platforms: alibabaCloud,
  promptRequired: true,
  source: documentation,
  checked,
  ...facts,
})

// Limits stated in tokens are given at one and a half characters a token, as Chinese text has it.
const promptOf4500Tokens = 6750
const promptOf1300Tokens = 1950

/** All of Wan 2.0 to 2.2 that draw from text. */
const wan2FromText = {
  family: 'wan2-t2i',
  textToImage: true,
  promptMaxCharacters: 800,
  references: noReferences,
  sizes: { textToImage: wan2Sizes },
  images: upTo(4),
  parameters: qwenCommon,
  concurrency: 2,
} as const

export const models: readonly Model[] = [
  row({
    id: 'qwen-image-3.0',
    name: 'Qwen-Image 3.0',
    family: 'qwen-image-3.0',
    about: {
      en: 'The newest Qwen model: draws from text and edits up to three pictures.',
      zh: '最新的千问图像模型，支持文生图，并可编辑最多三张图片。',
    },
    textToImage: true,
    promptMaxCharacters: promptOf4500Tokens,
    references: qwenReferences(0, 3, 2048),
    sizes: qwen3Sizes(2560),
    images: upTo(6),
    parameters: qwen3Parameters,
    price: price(0.18, 'reported'),
    priceAbroad: dollars(0.03, 'reported'),
    typicalSeconds: [19, 180],
    concurrency: 2,
  }),
  row({
    id: 'qwen-image-3.0-pro',
    name: 'Qwen-Image 3.0 Pro',
    family: 'qwen-image-3.0',
    about: {
      en: 'The best Qwen model for text in pictures and for edits; 2K costs twice as much as 1K.',
      zh: '千问最强的图像模型，擅长文字渲染与编辑；2K 价格为 1K 的两倍。',
    },
    textToImage: true,
    promptMaxCharacters: promptOf4500Tokens,
    references: qwenReferences(0, 3, 2048),
    sizes: qwen3Sizes(2560),
    images: upTo(6),
    parameters: qwen3Parameters,
    price: price(0.25, 'reported', {
      image: [{ upToArea: 2_250_000, amount: 0.25 }, { amount: 0.5 }],
      reference: { amount: 0.02, free: 0 },
    }),
    priceAbroad: dollars(0.04, 'reported', {
      image: [{ upToArea: 2_250_000, amount: 0.04 }, { amount: 0.075 }],
      reference: { amount: 0.003, free: 0 },
    }),
    typicalSeconds: [19, 180],
    concurrency: 2,
  }),
  row({
    id: 'qwen-image-2.1-turbo',
    name: 'Qwen-Image 2.1 Turbo',
    family: 'qwen-image-2.1',
    platforms: ['qwen-cloud'],
    about: {
      en: 'The fast form of 2.1, with edits of up to ten pictures, on Qwen Cloud.',
      zh: '2.1 的快速版本，可编辑最多十张图片，由 Qwen Cloud 提供。',
    },
    textToImage: true,
    references: qwenReferences(0, 10),
    sizes: qwen3Sizes(2048),
    images: upTo(6),
    parameters: qwenCommon,
    priceAbroad: dollars(0.02, 'inferred'),
    typicalSeconds: [5, 30],
    concurrency: 2,
    source: 'docs.qwencloud.com of 2026-10-09, read by others',
  }),
  row({
    id: 'qwen-image-2.1-pro',
    name: 'Qwen-Image 2.1 Pro',
    family: 'qwen-image-2.1',
    platforms: [...alibabaCloud, 'qwen-cloud'],
    about: {
      en: 'Draws from text, also with transparency, and edits up to ten pictures.',
      zh: '支持文生图（可输出透明背景），并可编辑最多十张图片。',
    },
    textToImage: true,
    references: qwenReferences(0, 10),
    sizes: qwen3Sizes(2560),
    images: upTo(6),
    parameters: qwen21ProParameters,
    price: price(0.25, 'inferred'),
    typicalSeconds: [10, 60],
    concurrency: 2,
    source: 'docs.qwencloud.com of 2026-10-09, read by others, and the model page of 2026-10-12',
  }),
  row({
    id: 'qwen-image-2.0',
    name: 'Qwen-Image 2.0',
    family: 'qwen-image-2.0',
    aliases: ['qwen-image-2.0-2026-03-03'],
    about: {
      en: 'Draws 2K pictures from text and edits up to three pictures.',
      zh: '支持 2K 文生图，并可编辑最多三张图片。',
    },
    textToImage: true,
    promptMaxCharacters: promptOf1300Tokens,
    references: qwenReferences(0, 3),
    sizes: qwen2Sizes,
    images: upTo(6),
    parameters: qwenCommon,
    price: price(0.2),
    priceAbroad: dollars(0.035),
    typicalSeconds: [10, 30],
    concurrency: 5,
  }),
  row({
    id: 'qwen-image-2.0-pro',
    name: 'Qwen-Image 2.0 Pro',
    family: 'qwen-image-2.0',
    aliases: ['qwen-image-2.0-pro-2026-04-22', 'qwen-image-2.0-pro-2026-06-22', 'qwen-image-2.0-pro-2026-03-03'],
    about: {
      en: 'The finer form of 2.0 for text and edits; two requests a minute.',
      zh: '2.0 的高质量版本，支持文生图与编辑；每分钟两次请求。',
    },
    textToImage: true,
    promptMaxCharacters: promptOf1300Tokens,
    references: qwenReferences(0, 3),
    sizes: qwen2Sizes,
    images: upTo(6),
    parameters: qwenCommon,
    price: price(0.5),
    priceAbroad: dollars(0.075),
    typicalSeconds: [10, 30],
    concurrency: 1,
  }),
  row({
    id: 'qwen-image-plus',
    name: 'Qwen-Image Plus',
    family: 'qwen-image',
    state: 'legacy',
    life: firstLine,
    about: {
      en: 'Draws from text in five sizes, at a moderate price.',
      zh: '文生图，五种尺寸，价格适中。',
    },
    textToImage: true,
    promptMaxCharacters: 800,
    references: noReferences,
    sizes: { textToImage: fiveSizes },
    images: upTo(1),
    parameters: qwenCommon,
    price: price(0.2),
    priceAbroad: dollars(0.03),
    typicalSeconds: [20, 28],
    concurrency: 2,
  }),
  row({
    id: 'qwen-image-max',
    name: 'Qwen-Image Max',
    family: 'qwen-image-max',
    aliases: ['qwen-image-max-2025-12-30'],
    state: 'legacy',
    life: firstLine,
    about: {
      en: 'The finest of the first Qwen-Image line, from text; two requests a minute.',
      zh: '第一代千问图像的最高质量版本，文生图；每分钟两次请求。',
    },
    textToImage: true,
    promptMaxCharacters: 800,
    references: noReferences,
    sizes: { textToImage: maxSizes },
    images: upTo(1),
    parameters: qwenCommon,
    price: price(0.5),
    priceAbroad: dollars(0.075),
    typicalSeconds: [20, 40],
    concurrency: 1,
  }),
  row({
    id: 'qwen-image-edit-plus',
    name: 'Qwen-Image Edit Plus',
    family: 'qwen-image-edit',
    aliases: ['qwen-image-edit-plus-2025-10-30', 'qwen-image-edit-plus-2025-12-15'],
    state: 'legacy',
    life: firstLine,
    about: {
      en: 'Edits and combines one to three pictures.',
      zh: '编辑与融合一至三张图片。',
    },
    textToImage: false,
    promptMaxCharacters: 800,
    references: qwenReferences(1, 3),
    sizes: { withReferences: qwenEditSizes },
    images: upTo(6),
    parameters: qwenCommon,
    price: price(0.2),
    priceAbroad: dollars(0.03),
    typicalSeconds: [10, 30],
    concurrency: 5,
  }),
  row({
    id: 'qwen-image-edit-max',
    name: 'Qwen-Image Edit Max',
    family: 'qwen-image-edit',
    aliases: ['qwen-image-edit-max-2026-01-16'],
    state: 'legacy',
    life: firstLine,
    about: {
      en: 'The finest editor of one to three pictures; two requests a minute.',
      zh: '最高质量的图片编辑，一至三张输入；每分钟两次请求。',
    },
    textToImage: false,
    promptMaxCharacters: 800,
    references: qwenReferences(1, 3),
    sizes: { withReferences: qwenEditSizes },
    images: upTo(6),
    parameters: qwenCommon,
    price: price(0.5),
    priceAbroad: dollars(0.075),
    typicalSeconds: [10, 40],
    concurrency: 1,
  }),
  row({
    id: 'wan2.7-image',
    name: 'Wan 2.7 Image',
    family: 'wan2.7-image',
    platforms: [...alibabaCloud, 'token-plan'],
    about: {
      en: 'Draws and edits with up to nine references, also as a series of up to twelve pictures.',
      zh: '文生图与编辑，最多九张参考图，可生成最多十二张的连贯组图。',
    },
    textToImage: true,
    promptMaxCharacters: 5000,
    references: newWanReferences(0, 9),
    // 4096² was measured to be taken too; what it costs is unknown, so it is not offered.
    sizes: { textToImage: wan27To2K, withReferences: wan27WithReferences, group: wan27To2K },
    images: { ...upTo(4), group: { limit: 12, countsReferences: false, askedBy: 'enable_sequential' } },
    parameters: wan27Parameters,
    price: price(0.2),
    priceAbroad: dollars(0.03),
    typicalSeconds: [4, 93],
    concurrency: 5,
  }),
  row({
    id: 'wan2.7-image-pro',
    name: 'Wan 2.7 Image Pro',
    family: 'wan2.7-image',
    platforms: [...alibabaCloud, 'token-plan'],
    about: {
      en: 'The finer form of Wan 2.7, up to 4K from text.',
      zh: '万相 2.7 的高质量版本，文生图最高 4K。',
    },
    textToImage: true,
    promptMaxCharacters: 5000,
    references: newWanReferences(0, 9),
    sizes: {
      textToImage: {
        keywords: ['1K', '2K', '4K'],
        free: wan27Free(4096),
        table: wan27TableTo4K,
        defaultTier: '2K',
        default: '2K',
      },
      withReferences: wan27WithReferences,
      group: wan27To2K,
    },
    images: { ...upTo(4), group: { limit: 12, countsReferences: false, askedBy: 'enable_sequential' } },
    parameters: wan27Parameters,
    price: price(0.5),
    priceAbroad: dollars(0.075),
    typicalSeconds: [4, 93],
    concurrency: 5,
  }),
  row({
    id: 'wan2.6-t2i',
    name: 'Wan 2.6 Text to Image',
    family: 'wan2.6-t2i',
    about: {
      en: 'Draws from text, up to four pictures in one request.',
      zh: '文生图，一次最多四张。',
    },
    textToImage: true,
    promptMaxCharacters: 2100,
    references: noReferences,
    sizes: { textToImage: wan26Sizes },
    images: upTo(4),
    parameters: qwenCommon,
    price: price(0.2),
    priceAbroad: dollars(0.03),
    typicalSeconds: [20, 40],
    concurrency: 5,
  }),
  row({
    id: 'z-image-turbo',
    name: 'Z-Image Turbo',
    family: 'z-image',
    about: {
      en: 'The fastest and cheapest model, from text only.',
      zh: '最快、最便宜的模型，仅支持文生图。',
    },
    textToImage: true,
    promptMaxCharacters: 800,
    references: noReferences,
    sizes: { textToImage: zImageSizes },
    images: upTo(1),
    parameters: { ...common, prompt_extend: promptExtendAtDoublePrice },
    price: price(0.1, 'documented', { factorWhen: { parameter: 'prompt_extend', factor: 2 } }),
    priceAbroad: dollars(0.015, 'documented', { factorWhen: { parameter: 'prompt_extend', factor: 2 } }),
    typicalSeconds: [3, 8],
    concurrency: 5,
  }),
  row({
    id: 'wan2.2-t2i-flash',
    name: 'Wan 2.2 Flash',
    ...wan2FromText,
    about: {
      en: 'Fast pictures from text, up to 1440 pixels a side.',
      zh: '快速文生图，边长最大 1440 像素。',
    },
    price: price(0.14),
    priceAbroad: dollars(0.025),
    typicalSeconds: [5, 12],
  }),
  row({
    id: 'wan2.6-image',
    name: 'Wan 2.6 Image',
    family: 'wan2.6-image',
    about: {
      en: 'Edits one to four pictures, or tells a story in text and pictures.',
      zh: '编辑一至四张图片，或生成图文混排的内容。',
    },
    textToImage: true,
    promptMaxCharacters: 2000,
    references: newWanReferences(0, 4),
    sizes: wan26ImageSizes,
    images: {
      ...upTo(4),
      group: { limit: 5, countsReferences: false, askedBy: 'enable_interleave', isImplied: true, maxReferences: 1 },
    },
    parameters: { ...qwenCommon, enable_interleave: enableInterleave },
    price: price(0.2),
    priceAbroad: dollars(0.03),
    typicalSeconds: [20, 60],
    concurrency: 5,
  }),
  row({
    id: 'wan2.5-t2i-preview',
    name: 'Wan 2.5 Text to Image',
    family: 'wan2.5-t2i',
    about: {
      en: 'The preview of Wan 2.5 for pictures from text.',
      zh: '万相 2.5 文生图预览版。',
    },
    textToImage: true,
    promptMaxCharacters: 2000,
    references: noReferences,
    sizes: { textToImage: wan26Sizes },
    images: upTo(4),
    parameters: qwenCommon,
    price: price(0.2),
    priceAbroad: dollars(0.03),
    typicalSeconds: [20, 60],
    concurrency: 5,
  }),
  row({
    id: 'wan2.5-i2i-preview',
    name: 'Wan 2.5 Edit',
    family: 'wan2.5-i2i',
    about: {
      en: 'The preview of Wan 2.5 that edits one to three pictures.',
      zh: '万相 2.5 图像编辑预览版，一至三张输入。',
    },
    textToImage: false,
    promptMaxCharacters: 2000,
    references: wanReferences(1, 3, [384, 5000]),
    sizes: { withReferences: wan25EditSizes },
    images: upTo(4),
    parameters: qwenCommon,
    price: price(0.2),
    priceAbroad: dollars(0.03),
    typicalSeconds: [20, 60],
    concurrency: 5,
  }),
  row({
    id: 'wan2.2-t2i-plus',
    name: 'Wan 2.2 Plus',
    ...wan2FromText,
    about: {
      en: 'Finer pictures from text, up to 1440 pixels a side.',
      zh: '高质量文生图，边长最大 1440 像素。',
    },
    price: price(0.2),
    priceAbroad: dollars(0.05),
    typicalSeconds: [10, 66],
  }),
  row({
    id: 'qwen-image-plus-2026-01-09',
    name: 'Qwen-Image Plus (2026-01-09)',
    family: 'qwen-image-max',
    state: 'legacy',
    life: firstLine,
    about: {
      en: 'The snapshot of Qwen-Image Plus of January 2026, from text in five sizes.',
      zh: '千问图像 Plus 2026 年 1 月快照，文生图，五种尺寸。',
    },
    textToImage: true,
    promptMaxCharacters: 800,
    references: noReferences,
    sizes: { textToImage: fiveSizes },
    images: upTo(1),
    parameters: qwenCommon,
    price: price(0.2),
    priceAbroad: dollars(0.03),
    typicalSeconds: [20, 28],
    concurrency: 2,
  }),
  row({
    id: 'qwen-image',
    name: 'Qwen-Image',
    family: 'qwen-image',
    state: 'legacy',
    life: firstLine,
    about: {
      en: 'The first Qwen-Image, from text in five sizes; Plus does the same for less.',
      zh: '初代千问图像，文生图，五种尺寸；Plus 效果相同且更便宜。',
    },
    textToImage: true,
    promptMaxCharacters: 800,
    references: noReferences,
    sizes: { textToImage: fiveSizes },
    images: upTo(1),
    parameters: qwenCommon,
    price: price(0.25),
    priceAbroad: dollars(0.035),
    typicalSeconds: [20, 28],
    concurrency: 2,
  }),
  row({
    id: 'qwen-image-edit',
    name: 'Qwen-Image Edit',
    family: 'qwen-image-edit-single',
    state: 'legacy',
    life: firstLine,
    about: {
      en: 'The first editor of Qwen-Image: one picture at a time, in about the size of 1024 by 1024.',
      zh: '初代千问图像编辑：每次一张，约 1024×1024。',
    },
    textToImage: false,
    promptMaxCharacters: 800,
    references: qwenReferences(1, 3),
    sizes: {},
    images: upTo(1),
    parameters: { ...common, negative_prompt: negativePrompt },
    price: price(0.3),
    priceAbroad: dollars(0.045),
    typicalSeconds: [10, 30],
    concurrency: 5,
  }),
  row({
    id: 'wanx2.1-t2i-turbo',
    name: 'Wan 2.1 Turbo',
    ...wan2FromText,
    // The international hosts spell it without the x.
    aliases: ['wan2.1-t2i-turbo'],
    idAt: { 'dashscope-intl': 'wan2.1-t2i-turbo' },
    state: 'legacy',
    about: { en: 'Fast pictures from text of Wan 2.1.', zh: '万相 2.1 快速文生图。' },
    price: price(0.14),
    priceAbroad: dollars(0.025),
    typicalSeconds: [5, 12],
  }),
  row({
    id: 'wanx2.1-t2i-plus',
    name: 'Wan 2.1 Plus',
    ...wan2FromText,
    aliases: ['wan2.1-t2i-plus'],
    idAt: { 'dashscope-intl': 'wan2.1-t2i-plus' },
    state: 'legacy',
    about: { en: 'Finer pictures from text of Wan 2.1.', zh: '万相 2.1 高质量文生图。' },
    price: price(0.2),
    priceAbroad: dollars(0.05),
    typicalSeconds: [10, 66],
  }),
  row({
    id: 'wanx2.0-t2i-turbo',
    name: 'Wan 2.0 Turbo',
    ...wan2FromText,
    state: 'legacy',
    about: { en: 'Fast pictures from text of Wan 2.0.', zh: '万相 2.0 快速文生图。' },
    price: price(0.04),
    typicalSeconds: [5, 12],
  }),
  row({
    id: 'wanx2.1-imageedit',
    name: 'Wan 2.1 Image Edit',
    family: 'wanx2.1-imageedit',
    state: 'legacy',
    about: {
      en: 'Ten kinds of edits to one picture, one of them inside a mask.',
      zh: '对单张图片的十种编辑，含蒙版局部编辑。',
    },
    textToImage: false,
    promptMaxCharacters: 800,
    references: wanReferences(1, 2),
    mask: { marks: 'white', parameters: { function: 'description_edit_with_mask' } },
    sizes: {},
    images: upTo(4),
    parameters: { ...common, function: editFunction },
    price: price(0.14),
    typicalSeconds: [5, 15],
    concurrency: 2,
  }),
  row({
    id: 'wanx-v1',
    name: 'Wanx 1',
    family: 'wanx-v1',
    state: 'legacy',
    about: {
      en: 'The first Wanx: from text in a style, also after one reference.',
      zh: '初代万相：按风格文生图，可使用一张参考图。',
    },
    textToImage: true,
    promptMaxCharacters: 800,
    references: wanReferences(0, 1),
    sizes: { textToImage: wanV1Sizes, withReferences: wanV1Sizes },
    images: upTo(4),
    parameters: {
      ...common,
      negative_prompt: negativePrompt,
      style,
      ref_strength: referenceStrength,
      ref_mode: referenceMode,
    },
    price: price(0.16),
    typicalSeconds: [10, 40],
    concurrency: 1,
  }),
]

// ── Ids that are not listed ─────────────────────────────────────────────────────────────────────────────────────────

// The first match applies; the second word is the listed model whose rules are used. New snapshots appear every month.
const relatives: readonly (readonly [RegExp, string])[] = [
  [/^qwen-image-3\.0-/, 'qwen-image-3.0'],
  [/^qwen-image-2\.1-pro-/, 'qwen-image-2.1-pro'],
  [/^qwen-image-2\.1-/, 'qwen-image-2.1-turbo'],
  [/^qwen-image-2\.0-/, 'qwen-image-2.0'],
  [/^qwen-image-edit-/, 'qwen-image-edit-plus'],
  [/^qwen-image-max-/, 'qwen-image-max'],
  // A snapshot has no task route, unlike the name without a date.
  [/^qwen-image-(plus-|\d{4}-)/, 'qwen-image-plus-2026-01-09'],
  [/^z-image/, 'z-image-turbo'],
  [/^wan2\.7-(image|t2i)/, 'wan2.7-image'],
  [/^wan2\.6-image/, 'wan2.6-image'],
  [/^wan2\.6-t2i/, 'wan2.6-t2i'],
  [/^wanx?2\.5-i2i/, 'wan2.5-i2i-preview'],
  [/^wanx?2\.5-t2i/, 'wan2.5-t2i-preview'],
  [/^wanx?2\.\d-imageedit/, 'wanx2.1-imageedit'],
  [/^wanx?2\.[0-4]-t2i/, 'wan2.2-t2i-flash'],
  [/^wanx-v\d/, 'wanx-v1'],
]

// What looks like a picture model of this service; the video and chat models share the first syllables.
const looksFamiliar = /^(qwen-image|z-image|wan(x|\d)[\w.]*-(t2i|i2i|image))/

const cautiousSizes: SizeRule = { free: {}, table: qwen2Table, defaultTier: '1K' }

/** @see Provider.unlisted */
export function unlisted(id: string, declared: boolean): Model | undefined {
  const relative = relatives.find(([pattern]) => pattern.test(id))?.[1]
  const known = models.find(model => model.id === relative)
  const unlisted = {
    id,
    name: id,
    aliases: undefined,
    idAt: undefined,
    platforms: undefined,
    life: undefined,
    state: 'unlisted',
    price: undefined,
    unpriced: undefined,
    priceAbroad: undefined,
    concurrency: 1,
  } satisfies Partial<Model>
  // One picture a call: whether a new model takes more is not known, and asking several times costs no more.
  if (known) return { ...known, ...unlisted, images: { ...known.images, perCall: 1 } }
  if (!declared && !looksFamiliar.test(id)) return undefined
  return row({
    ...unlisted,
    family: 'dashscope-unlisted',
    about: {
      en: 'A model that this program does not know; only what nearly every model of the service takes is sent.',
      zh: '本程序未收录的模型，仅发送几乎所有模型都支持的参数。',
    },
    textToImage: true,
    references: { ...qwenReferences(0, 3), alpha: false },
    sizes: { textToImage: cautiousSizes, withReferences: { ...cautiousSizes, followsLastReference: true } },
    images: upTo(1),
    parameters: common,
    typicalSeconds: [5, 180],
  })
}
