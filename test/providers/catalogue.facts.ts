/**
 * What the documents, measurements and reports of 2026-11-27 say of each model, written down once more from their tables and not from
 * the catalogue, which `catalogue.test.ts` compares with it, row by row. Nothing is shared with `src/`.
 */

/** By area of the picture, up to and including `[area, amount]`; the last step goes on for ever. */
export type Steps = readonly (number | readonly [upTo: number, amount: number])[]

export interface Prices {
  image: Steps
  layer?: Steps
  /** Per reference, after the first `free`. */
  reference?: { amount: number; free: number }
}

/** `absent`: not served there. Stages with the instant from which they hold, as ISO 8601. */
export type LifeFact =
  | 'current'
  | 'absent'
  | 'ended'
  | 'retiring'
  | { announced: string; closedToNew?: string; ends?: string; successors: readonly string[] }

// ── Seedream ────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface SeedreamFact {
  id: string
  /** Spellings of the same model: BytePlus, gateways, plans. */
  spellings: readonly string[]
  /** The one that BytePlus documents. */
  onBytePlus: string
  text: boolean
  references: readonly [min: number, max: number]
  group: boolean
  search: boolean
  /** The default first; null where the field is refused. */
  formats: readonly string[] | null
  fast: boolean
  backgrounds: readonly string[]
  layers: number
  tiers: readonly string[]
  /** Column of the pixel table for each tier. */
  columns: readonly string[]
  area: readonly [min: number, max: number] | null
  /** Width over height, from its inverse to this; null where none is stated. */
  ratio: number | null
  cny: Prices | null
  usd: Prices | null
  life: { 'ark-cn': LifeFact; byteplus: LifeFact; 'ark-plan': LifeFact }
}

// The last area of the lower step: 1536² × 1.1025.
const step = 2_601_123

/** The notice of the batch: 2026-09-22 10:00, end of marketing two days later, end of service 2026-11-24 14:00, all UTC+8. */
const batch = (...successors: string[]): LifeFact => ({
  announced: '2026-09-22T10:00:00+08:00',
  closedToNew: '2026-09-24T10:00:00+08:00',
  ends: '2026-11-24T14:00:00+08:00',
  successors,
})
const pro50 = 'doubao-seedream-5-0-pro-260628'
const second40 = 'doubao-seedream-4-0-20260415'

export const seedreamFacts: readonly SeedreamFact[] = [
  {
    id: 'doubao-seedream-5-5-261028',
    spellings: ['seedream-5-5-261028', 'dola-seedream-5-5-261028'],
    onBytePlus: 'seedream-5-5-261028',
    text: true,
    references: [0, 10],
    group: false,
    search: false,
    formats: ['png', 'jpeg'],
    fast: false,
    backgrounds: ['auto', 'transparent', 'opaque'],
    layers: 99,
    tiers: ['1K', '1.5K', '2K'],
    columns: ['1K 5.0pro/flash', '1.5K 5.0pro/flash', '2K 5.0pro/flash'],
    area: [921_600, 4_624_220],
    ratio: 16,
    cny: null,
    usd: { image: [[step, 0.02], 0.035], reference: { amount: 0.008, free: 0 } },
    life: { 'ark-cn': 'current', byteplus: 'current', 'ark-plan': 'absent' },
  },
  {
    id: pro50,
    spellings: [
      'dola-seedream-5-0-pro-260628',
      'seedream-5-0-pro-260628',
      'doubao-seedream-5.0-pro',
      'doubao-seedream-5-0-pro',
    ],
    onBytePlus: 'dola-seedream-5-0-pro-260628',
    text: true,
    references: [0, 10],
    group: false,
    search: false,
    formats: ['jpeg', 'png'],
    fast: true,
    backgrounds: ['transparent', 'opaque'],
    layers: 16,
    tiers: ['1K', '1.5K', '2K'],
    columns: ['1K 5.0pro/flash', '1.5K 5.0pro/flash', '2K 5.0pro/flash'],
    area: [921_600, 4_624_220],
    ratio: 16,
    cny: { image: [[step, 0.3], 0.6], layer: [[step, 0.15], 0.3], reference: { amount: 0.02, free: 1 } },
    usd: { image: [[step, 0.045], 0.09], layer: [[step, 0.0225], 0.045], reference: { amount: 0.003, free: 1 } },
    life: { 'ark-cn': 'current', byteplus: 'current', 'ark-plan': 'current' },
  },
  {
    id: 'doubao-seedream-5-0-flash-260915',
    spellings: ['dola-seedream-5-0-flash-260915', 'seedream-5-0-flash-260915'],
    onBytePlus: 'dola-seedream-5-0-flash-260915',
    text: true,
    references: [0, 10],
    group: false,
    search: false,
    formats: ['jpeg', 'png'],
    fast: false,
    backgrounds: ['transparent', 'opaque'],
    layers: 16,
    tiers: ['1K', '1.5K', '2K'],
    columns: ['1K 5.0pro/flash', '1.5K 5.0pro/flash', '2K 5.0pro/flash'],
    area: [921_600, 4_624_220],
    ratio: 16,
    cny: { image: [0.12] },
    usd: { image: [0.018] },
    life: { 'ark-cn': 'current', byteplus: 'current', 'ark-plan': 'absent' },
  },
  {
    id: 'doubao-seedream-5-0-260128',
    spellings: [
      'doubao-seedream-5-0-lite-260128',
      'doubao-seedream-5.0-lite',
      'seedream-5-0-260128',
      'seedream-5-0-lite-260128',
    ],
    onBytePlus: 'seedream-5-0-260128',
    text: true,
    references: [0, 14],
    group: true,
    search: true,
    formats: ['jpeg', 'png'],
    fast: false,
    backgrounds: [],
    layers: 0,
    tiers: ['2K', '3K', '4K'],
    columns: ['2K lite/4.5/4.0', '3K lite', '4K lite/4.5/4.0'],
    area: [3_686_400, 16_777_216],
    ratio: 16,
    cny: { image: [0.22] },
    usd: { image: [0.035] },
    // What follows on the plan after its end on Ark China is not known.
    life: {
      'ark-cn': batch(pro50, second40),
      byteplus: 'current',
      'ark-plan': { announced: '2026-09-22T10:00:00+08:00', successors: [pro50] },
    },
  },
  {
    id: 'doubao-seedream-4-5-251128',
    spellings: ['seedream-4-5-251128'],
    onBytePlus: 'seedream-4-5-251128',
    text: true,
    references: [0, 14],
    group: true,
    search: false,
    formats: null,
    fast: false,
    backgrounds: [],
    layers: 0,
    tiers: ['2K', '4K'],
    columns: ['2K lite/4.5/4.0', '4K lite/4.5/4.0'],
    area: [3_686_400, 16_777_216],
    ratio: 16,
    cny: { image: [0.25] },
    usd: { image: [0.04] },
    life: { 'ark-cn': batch(pro50, second40), byteplus: 'current', 'ark-plan': 'absent' },
  },
  // Both builds of 4.0: the documents have one column, and of the second only 4K and its ceiling were measured.
  ...[
    {
      id: 'doubao-seedream-4-0-250828',
      life: { 'ark-cn': batch(second40, pro50), byteplus: 'current', 'ark-plan': 'absent' } as const,
    },
    { id: second40, life: { 'ark-cn': 'current', byteplus: 'current', 'ark-plan': 'absent' } as const },
  ].map(
    ({ id, life }): SeedreamFact => ({
      id,
      spellings: [id.replace('doubao-', '')],
      onBytePlus: id.replace('doubao-', ''),
      text: true,
      references: [0, 14],
      group: true,
      search: false,
      formats: null,
      fast: true,
      backgrounds: [],
      layers: 0,
      tiers: ['1K', '2K', '4K'],
      columns: ['1K 4.0', '2K lite/4.5/4.0', '4K lite/4.5/4.0'],
      area: [921_600, 16_777_216],
      ratio: 16,
      cny: { image: [0.2] },
      usd: { image: [0.03] },
      life,
    }),
  ),
  {
    id: 'doubao-seedream-3-0-t2i-250415',
    spellings: ['seedream-3-0-t2i-250415'],
    onBytePlus: 'seedream-3-0-t2i-250415',
    text: true,
    references: [0, 0],
    group: false,
    search: false,
    formats: null,
    fast: false,
    backgrounds: [],
    layers: 0,
    tiers: [],
    columns: [],
    area: [262_144, 4_194_304],
    ratio: null,
    cny: null,
    usd: null,
    life: { 'ark-cn': 'ended', byteplus: 'retiring', 'ark-plan': 'absent' },
  },
  {
    id: 'doubao-seededit-3-0-i2i-250628',
    spellings: ['seededit-3-0-i2i-250628'],
    onBytePlus: 'seededit-3-0-i2i-250628',
    text: false,
    references: [1, 1],
    group: false,
    search: false,
    formats: null,
    fast: false,
    backgrounds: [],
    layers: 0,
    tiers: ['adaptive'],
    columns: [],
    area: null,
    ratio: null,
    cny: null,
    usd: null,
    life: { 'ark-cn': 'ended', byteplus: 'ended', 'ark-plan': 'absent' },
  },
]

/** Recommended width and height by tier and ratio, as the table prints them. */
export const seedreamPixels = `
| ratio | 1K 4.0 | 1K 5.0pro/flash | 1.5K 5.0pro/flash | 2K 5.0pro/flash | 2K lite/4.5/4.0 | 3K lite | 4K lite/4.5/4.0 |
| 1:1 | 1024x1024 | 1024x1024 | 1536x1536 | 2048x2048 | 2048x2048 | 3072x3072 | 4096x4096 |
| 4:3 | 1152x864 | 1152x864 | 1792x1344 | 2368x1776 | 2304x1728 | 3456x2592 | 4704x3520 |
| 3:4 | 864x1152 | 864x1152 | 1344x1792 | 1776x2368 | 1728x2304 | 2592x3456 | 3520x4704 |
| 16:9 | 1280x720 | 1424x800 | 2048x1152 | 2816x1584 | 2848x1600 | 4096x2304 | 5504x3040 |
| 9:16 | 720x1280 | 800x1424 | 1152x2048 | 1584x2816 | 1600x2848 | 2304x4096 | 3040x5504 |
| 3:2 | 1248x832 | 1248x832 | 1872x1248 | 2496x1664 | 2496x1664 | 3744x2496 | 4992x3328 |
| 2:3 | 832x1248 | 832x1248 | 1248x1872 | 1664x2496 | 1664x2496 | 2496x3744 | 3328x4992 |
| 21:9 | 1512x648 | 1568x672 | 2352x1008 | 3136x1344 | 3136x1344 | 4704x2016 | 6240x2656 |`

// ── Qwen, Z-Image and Wan ───────────────────────────────────────────────────────────────────────────────────────────

/** Areas as the square of a side, sides in pixels, `ratio` from its inverse to this. */
export type SizeFact =
  | { area: readonly [min: number, max: number]; ratio?: number }
  | { sides: readonly [min: number, max: number] }
  | { only: readonly string[]; sides?: readonly [min: number, max: number] }

export interface QwenFact {
  id: string
  spellings?: readonly string[]
  /** Of the routes that the row names, the one that is to be taken: a task where there is one. */
  route: 'MM' | 'IG' | 'T2I' | 'I2I'
  text: boolean
  references: readonly [min: number, max: number]
  /** The most of one request. */
  count: number
  /** A coherent series of up to so many. */
  series?: number
  keywords?: { text: readonly string[]; edit: readonly string[] }
  /** Without references, and with some; absent where the service takes no size. */
  textSize?: SizeFact
  editSize?: SizeFact
  /** Sizes that the page recommends, which must be taken. */
  recommended?: string
  prompt: { characters: number } | { tokens: number } | null
  /** `none`: it has no negative prompt. `unstated`: it has one of no stated limit. */
  negative: number | 'none' | 'unstated'
  extend: boolean | 'none'
  cny: Prices | null
  usd: Prices | null
  /** Doubled with this parameter. */
  doubledBy?: string
  alibaba: 'current' | 'first line' | 'absent'
  qwenCloud: 'current' | 'absent'
  tokenPlan: 'current' | 'absent'
}

/** Announced on 2026-07-10 to stop on 2026-10-10 00:00 UTC+8, with one successor; sources disagree whether it did. */
export const firstLine = {
  announced: '2026-07-10T00:00:00+08:00',
  ends: '2026-10-10T00:00:00+08:00',
  successors: ['qwen-image-2.0'],
}

const square = (side: number) => side * side
const five = ['1664*928', '1472*1104', '1328*1328', '1104*1472', '928*1664']
const flat = (amount: number): Prices => ({ image: [amount] })
const alibabaOnly = { alibaba: 'current', qwenCloud: 'absent', tokenPlan: 'absent' } as const
const stopped = { alibaba: 'first line', qwenCloud: 'absent', tokenPlan: 'absent' } as const
const upTo2K: SizeFact = { area: [square(512), square(2048)] }
const upTo2KInRatio: SizeFact = { area: [square(512), square(2048)], ratio: 8 }
const upTo2560InRatio: SizeFact = { area: [square(512), square(2560)], ratio: 8 }
const common2K =
  '2048*2048 2688*1536 1536*2688 2368*1728 1728*2368 1024*1024 1280*720 720*1280 1536*1024 1024*1536 1664*928 928*1664'
const oldSides: SizeFact = { sides: [512, 1440] }

export const qwenFacts: readonly QwenFact[] = [
  {
    id: 'qwen-image-3.0-pro',
    route: 'IG',
    text: true,
    references: [0, 3],
    count: 6,
    textSize: upTo2560InRatio,
    editSize: upTo2KInRatio,
    recommended: common2K,
    prompt: { tokens: 4500 },
    negative: 'unstated',
    extend: true,
    cny: { image: [[2_250_000, 0.25], 0.5], reference: { amount: 0.02, free: 0 } },
    usd: { image: [[2_250_000, 0.04], 0.075], reference: { amount: 0.003, free: 0 } },
    ...alibabaOnly,
  },
  {
    id: 'qwen-image-3.0',
    route: 'IG',
    text: true,
    references: [0, 3],
    count: 6,
    textSize: upTo2560InRatio,
    editSize: upTo2KInRatio,
    recommended: common2K,
    prompt: { tokens: 4500 },
    negative: 'unstated',
    extend: true,
    cny: flat(0.18),
    usd: flat(0.03),
    ...alibabaOnly,
  },
  {
    id: 'qwen-image-2.1-pro',
    route: 'MM',
    text: true,
    references: [0, 10],
    count: 6,
    textSize: upTo2560InRatio,
    editSize: upTo2KInRatio,
    recommended: common2K,
    prompt: null,
    negative: 'none',
    extend: true,
    cny: flat(0.25),
    usd: null,
    alibaba: 'current',
    qwenCloud: 'current',
    tokenPlan: 'absent',
  },
  {
    id: 'qwen-image-2.1-turbo',
    route: 'MM',
    text: true,
    references: [0, 10],
    count: 6,
    textSize: upTo2KInRatio,
    editSize: upTo2KInRatio,
    recommended: common2K,
    prompt: null,
    negative: 500,
    extend: true,
    cny: null,
    usd: flat(0.02),
    alibaba: 'absent',
    qwenCloud: 'current',
    tokenPlan: 'absent',
  },
  {
    id: 'qwen-image-2.0-pro',
    spellings: ['qwen-image-2.0-pro-2026-04-22', 'qwen-image-2.0-pro-2026-06-22', 'qwen-image-2.0-pro-2026-03-03'],
    route: 'MM',
    text: true,
    references: [0, 3],
    count: 6,
    textSize: upTo2K,
    editSize: upTo2K,
    recommended: common2K,
    prompt: { tokens: 1300 },
    negative: 500,
    extend: true,
    cny: flat(0.5),
    usd: flat(0.075),
    ...alibabaOnly,
  },
  {
    id: 'qwen-image-2.0',
    spellings: ['qwen-image-2.0-2026-03-03'],
    route: 'MM',
    text: true,
    references: [0, 3],
    count: 6,
    textSize: upTo2K,
    editSize: upTo2K,
    recommended: common2K,
    prompt: { tokens: 1300 },
    negative: 500,
    extend: true,
    cny: flat(0.2),
    usd: flat(0.035),
    ...alibabaOnly,
  },
  {
    id: 'qwen-image-max',
    spellings: ['qwen-image-max-2025-12-30'],
    route: 'MM',
    text: true,
    references: [0, 0],
    count: 1,
    textSize: { only: five, sides: [512, 1664] },
    prompt: { characters: 800 },
    negative: 500,
    extend: true,
    cny: flat(0.5),
    usd: flat(0.075),
    ...stopped,
  },
  ...(
    [
      ['qwen-image-plus', 'T2I', 0.2, 0.03],
      ['qwen-image-plus-2026-01-09', 'MM', 0.2, 0.03],
      ['qwen-image', 'T2I', 0.25, 0.035],
    ] as const
  ).map(
    ([id, route, cny, usd]): QwenFact => ({
      id,
      route,
      text: true,
      references: [0, 0],
      count: 1,
      textSize: { only: five },
      prompt: { characters: 800 },
      negative: 500,
      extend: true,
      cny: flat(cny),
      usd: flat(usd),
      ...stopped,
    }),
  ),
  ...(
    [
      ['qwen-image-edit-max', ['qwen-image-edit-max-2026-01-16'], 0.5, 0.075],
      ['qwen-image-edit-plus', ['qwen-image-edit-plus-2025-10-30', 'qwen-image-edit-plus-2025-12-15'], 0.2, 0.03],
    ] as const
  ).map(
    ([id, spellings, cny, usd]): QwenFact => ({
      id,
      spellings,
      route: 'MM',
      text: false,
      references: [1, 3],
      count: 6,
      editSize: { sides: [512, 2048] },
      recommended:
        '1024*1024 1536*1536 768*1152 1152*768 1024*1536 1536*1024 960*1280 1280*960 1080*1440 1440*1080 720*1280 1280*720 1080*1920 1920*1080 1344*576 2048*872',
      prompt: { characters: 800 },
      negative: 500,
      extend: true,
      cny: flat(cny),
      usd: flat(usd),
      ...stopped,
    }),
  ),
  {
    id: 'qwen-image-edit',
    route: 'MM',
    text: false,
    references: [1, 3],
    count: 1,
    prompt: { characters: 800 },
    negative: 500,
    extend: 'none',
    cny: flat(0.3),
    usd: flat(0.045),
    ...stopped,
  },
  {
    id: 'z-image-turbo',
    route: 'MM',
    text: true,
    references: [0, 0],
    count: 1,
    textSize: upTo2K,
    recommended:
      '1024*1024 832*1248 1248*832 864*1152 1152*864 720*1280 1280*720 576*1344 1344*576 1280*1280 1024*1536 1536*1024 1104*1472 1472*1104 864*1536 1536*864 1536*1536 1248*1872 1296*1728 1152*2048 2048*1152',
    prompt: { characters: 800 },
    negative: 'none',
    extend: false,
    cny: flat(0.1),
    usd: flat(0.015),
    doubledBy: 'prompt_extend',
    ...alibabaOnly,
  },
  {
    id: 'wan2.7-image-pro',
    route: 'IG',
    text: true,
    references: [0, 9],
    count: 4,
    series: 12,
    keywords: { text: ['1K', '2K', '4K'], edit: ['1K', '2K'] },
    textSize: { area: [square(768), square(4096)], ratio: 8 },
    editSize: { area: [square(768), square(2048)], ratio: 8 },
    recommended: '1696*960 2688*1536 4096*2304 1472*1104 2368*1728 4096*3072 1280*1280 2048*2048 4096*4096',
    prompt: { characters: 5000 },
    negative: 'none',
    extend: 'none',
    cny: flat(0.5),
    usd: flat(0.075),
    alibaba: 'current',
    qwenCloud: 'absent',
    tokenPlan: 'current',
  },
  {
    id: 'wan2.7-image',
    route: 'IG',
    text: true,
    references: [0, 9],
    count: 4,
    series: 12,
    keywords: { text: ['1K', '2K'], edit: ['1K', '2K'] },
    textSize: { area: [square(768), square(2048)], ratio: 8 },
    editSize: { area: [square(768), square(2048)], ratio: 8 },
    recommended: '1696*960 2688*1536 1472*1104 2368*1728 1280*1280 2048*2048',
    prompt: { characters: 5000 },
    negative: 'none',
    extend: 'none',
    cny: flat(0.2),
    usd: flat(0.03),
    alibaba: 'current',
    qwenCloud: 'absent',
    tokenPlan: 'current',
  },
  {
    id: 'wan2.6-t2i',
    route: 'IG',
    text: true,
    references: [0, 0],
    count: 4,
    textSize: { area: [square(1280), square(1440)], ratio: 4 },
    // Some of them lie below the least area of the same page.
    recommended: '1280*1280 1104*1472 1472*1104 960*1696 1696*960',
    prompt: { characters: 2100 },
    negative: 500,
    extend: true,
    cny: flat(0.2),
    usd: flat(0.03),
    ...alibabaOnly,
  },
  {
    // Without references it tells a story in text and pictures.
    id: 'wan2.6-image',
    route: 'IG',
    text: true,
    references: [0, 4],
    count: 4,
    series: 5,
    keywords: { text: ['1K', '2K'], edit: ['1K', '2K'] },
    textSize: { area: [square(768), square(2048)], ratio: 4 },
    editSize: { area: [square(768), square(2048)], ratio: 4 },
    prompt: { characters: 2000 },
    negative: 500,
    extend: true,
    cny: flat(0.2),
    usd: flat(0.03),
    ...alibabaOnly,
  },
  {
    id: 'wan2.5-t2i-preview',
    route: 'T2I',
    text: true,
    references: [0, 0],
    count: 4,
    textSize: { area: [square(1280), square(1440)], ratio: 4 },
    prompt: { characters: 2000 },
    negative: 500,
    extend: true,
    cny: flat(0.2),
    usd: flat(0.03),
    ...alibabaOnly,
  },
  {
    id: 'wan2.5-i2i-preview',
    route: 'I2I',
    text: false,
    references: [1, 3],
    count: 4,
    editSize: { area: [square(768), square(1280)], ratio: 4 },
    prompt: { characters: 2000 },
    negative: 500,
    extend: true,
    cny: flat(0.2),
    usd: flat(0.03),
    ...alibabaOnly,
  },
  ...(
    [
      ['wan2.2-t2i-flash', [], 0.14, 0.025],
      ['wan2.2-t2i-plus', [], 0.2, 0.05],
      ['wanx2.1-t2i-turbo', ['wan2.1-t2i-turbo'], 0.14, 0.025],
      ['wanx2.1-t2i-plus', ['wan2.1-t2i-plus'], 0.2, 0.05],
      ['wanx2.0-t2i-turbo', [], 0.04, null],
    ] as const
  ).map(
    ([id, spellings, cny, usd]): QwenFact => ({
      id,
      spellings,
      route: 'T2I',
      text: true,
      references: [0, 0],
      count: 4,
      textSize: oldSides,
      prompt: { characters: 800 },
      negative: 500,
      extend: true,
      cny: flat(cny),
      usd: usd === null ? null : flat(usd),
      ...alibabaOnly,
    }),
  ),
  {
    id: 'wanx-v1',
    route: 'T2I',
    text: true,
    references: [0, 1],
    count: 4,
    textSize: { only: ['1024*1024', '720*1280', '1280*720'] },
    editSize: { only: ['1024*1024', '720*1280', '1280*720'] },
    prompt: { characters: 800 },
    negative: 500,
    extend: 'none',
    cny: flat(0.16),
    usd: null,
    ...alibabaOnly,
  },
  {
    // One picture, and a mask for it.
    id: 'wanx2.1-imageedit',
    route: 'I2I',
    text: false,
    references: [1, 2],
    count: 4,
    prompt: { characters: 800 },
    negative: 'none',
    extend: 'none',
    cny: flat(0.14),
    usd: null,
    ...alibabaOnly,
  },
]

// ── Base addresses ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Whose an address is; null where it is nobody's of the service. */
export const addressFacts: readonly (readonly [
  provider: 'doubao' | 'qwen' | 'openai',
  address: string,
  platform: string | null,
])[] = [
  ['doubao', 'https://ark.cn-beijing.volces.com/api/v3', 'ark-cn'],
  ['doubao', 'https://ARK.cn-beijing.volces.com./api/v3', 'ark-cn'],
  ['doubao', 'https://ark.cn-beijing.volces.com/api/plan/v3', 'ark-plan'],
  ['doubao', 'https://ark.cn-beijing.volces.com/api/coding/v3', 'ark-coding'],
  ['doubao', 'https://ark.ap-southeast.bytepluses.com/api/v3', 'byteplus'],
  ['doubao', 'https://ark.eu-west.bytepluses.com/api/v3', 'byteplus-eu'],
  ['doubao', 'https://volces.com.evil.example/api/v3', null],
  ['doubao', 'https://notbytepluses.com/api/v3', null],
  ['doubao', 'no address', null],
  ['qwen', 'https://dashscope.aliyuncs.com/api/v1', 'dashscope-cn'],
  ['qwen', 'https://dashscope-intl.aliyuncs.com/api/v1', 'dashscope-intl'],
  ['qwen', 'https://dashscope-us.aliyuncs.com/api/v1', 'dashscope-us'],
  ['qwen', 'https://ws-1.cn-beijing.maas.aliyuncs.com/api/v1', 'dashscope-cn'],
  ['qwen', 'https://ws-1.ap-southeast-1.maas.aliyuncs.com/api/v1', 'dashscope-intl'],
  ['qwen', 'https://ws-1.us-east-1.maas.aliyuncs.com/api/v1', 'dashscope-us'],
  ['qwen', 'https://ws-1.eu-central-1.maas.aliyuncs.com/api/v1', 'dashscope-eu'],
  ['qwen', 'https://ws-1.ap-northeast-1.maas.aliyuncs.com/api/v1', 'dashscope-jp'],
  ['qwen', 'https://ws-1.cn-hongkong.maas.aliyuncs.com/api/v1', 'dashscope-hk'],
  ['qwen', 'https://ws-1.af-south-9.maas.aliyuncs.com/api/v1', 'dashscope-elsewhere'],
  ['qwen', 'https://token-plan.cn-beijing.maas.aliyuncs.com/api/v1', 'token-plan'],
  ['qwen', 'https://maas.qwencloudapi.com/api/v1', 'qwen-cloud'],
  ['qwen', 'https://token-plan.maas.qwencloudapi.com/api/v1', 'qwen-cloud-plan'],
  ['qwen', 'https://aliyuncs.com.evil.example/api/v1', null],
  ['openai', 'https://api.openai.com/v1', 'openai'],
  ['openai', 'https://openai.example/v1', null],
]
