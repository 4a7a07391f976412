/** Image models of OpenAI's public API, and the form for those of other services that speak it. */
import type { JsonSchema, Model, ModelLife, ReferenceLimits, SizeRule } from '../../catalogue/model.ts'

const source = 'types of the official JavaScript client 7.57.0 and the deprecation page of OpenAI'
const checked = '2026-11'
/** No price list has models that are no longer available. */
const shutDown = 'the service has shut it down'

// ── Sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const classic = { '1:1': '1024x1024', '3:2': '1536x1024', '2:3': '1024x1536' }

const classicSizes: SizeRule = {
  keywords: ['auto'],
  exact: Object.values(classic),
  table: { '1K': classic },
  defaultTier: '1K',
  default: 'auto',
}

/** Sides are multiples of 16, which `plan` checks. The smallest area is not documented, so the service judges it. */
const freeSizes: SizeRule = {
  keywords: ['auto'],
  free: { maxSide: 3840, maxArea: 3840 * 2160, minRatio: 1 / 3, maxRatio: 3 },
  table: {
    '1K': { ...classic, '16:9': '1536x864', '9:16': '864x1536' },
    '2K': { '1:1': '2048x2048', '16:9': '2560x1440', '9:16': '1440x2560' },
    '4K': { '16:9': '3840x2160', '9:16': '2160x3840' },
  },
  defaultTier: '1K',
  default: 'auto',
}

function exactSizes(table: Record<string, string>): SizeRule {
  return { exact: Object.values(table), table: { '1K': table }, defaultTier: '1K', default: '1024x1024' }
}

// The service calls its two long sizes wide and tall; they are a little less than 16:9.
const dallE3Sizes = exactSizes({ '1:1': '1024x1024', '16:9': '1792x1024', '9:16': '1024x1792' })

// ── References ──────────────────────────────────────────────────────────────────────────────────────────────────────

function referenceLimits(limits: Partial<ReferenceLimits> & { max: number }): ReferenceLimits {
  return {
    min: 0,
    types: ['image/png', 'image/jpeg', 'image/webp'],
    alpha: true,
    // 50 MB of file each are allowed; a picture of 4096 pixels a side needs far less.
    maxEncodedBytes: 20_000_000,
    maxTotalEncodedBytes: 100_000_000,
    minSide: 1,
    maxSide: 4096,
    ...limits,
  }
}

// ── Parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────

function choice(values: readonly string[], description: string): JsonSchema {
  return { type: 'string', enum: values, description }
}

const gptParameters: Record<string, JsonSchema> = {
  quality: choice(['auto', 'low', 'medium', 'high'], 'Care taken with the picture; more takes longer and costs more.'),
  background: choice(['auto', 'transparent', 'opaque'], 'A transparent background needs the format png or webp.'),
  output_format: choice(['png', 'jpeg', 'webp'], 'File format of the picture; PNG unless asked otherwise.'),
  output_compression: {
    type: 'integer',
    minimum: 0,
    maximum: 100,
    description: 'Compression of jpeg and webp in percent; 100, the service says, unless asked otherwise.',
  },
  mask: {
    type: 'boolean',
    description: 'The last of the references is a mask, as large as the first: only its transparent parts are changed.',
  },
  moderation: choice(['auto', 'low'], 'How strictly content is filtered; low is less strict. Not for edits.'),
}

const widerQuality = {
  ...gptParameters,
  quality: choice(
    ['auto', 'low', 'medium', 'high', 'xhigh', 'max'],
    'Care taken with the picture; more takes longer and costs more.',
  ),
}

// ── Life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const platforms = ['openai'] as const

/** OpenAI itself; other services may use these names for anything. */
export function platformAt(baseUrl: string): string | undefined {
  return URL.parse(baseUrl)?.hostname.replace(/\.$/, '') === 'api.openai.com' ? 'openai' : undefined
}

/** At midnight of the Pacific, as the page names days alone: the later reading of the day. */
function endsOn(day: string): readonly ModelLife[] {
  return [
    {
      platforms: ['openai'],
      endsAt: `${day}T00:00:00-08:00`,
      successors: ['gpt-image-2'],
      certainty: 'documented',
      source: 'deprecation page of OpenAI',
      checked,
    },
  ]
}

// ── Models ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function gptImage(facts: Pick<Model, 'id' | 'name' | 'state' | 'about'> & Partial<Model>): Model {
  return {
    family: 'gpt-image',
    textToImage: true,
    promptRequired: true,
    promptMaxCharacters: 32_000,
    references: referenceLimits({ max: 16 }),
    mask: { marks: 'transparent', parameters: { mask: true } },
    sizes: { textToImage: freeSizes, withReferences: freeSizes },
    images: { max: 10, perCall: 10 },
    parameters: gptParameters,
    typicalSeconds: [10, 60],
    concurrency: 4,
    unpriced: 'OpenAI bills it by the token, and only an answer tells how many there were',
    source,
    checked,
    ...facts,
  }
}

const classicOnly = { sizes: { textToImage: classicSizes, withReferences: classicSizes } }

export const models: readonly Model[] = [
  // First, because no price decides which is the default, and most services that speak this API have this one.
  gptImage({
    id: 'gpt-image-2',
    name: 'GPT Image 2',
    aliases: ['gpt-image-2-2026-04-21'],
    state: 'current',
    about: { en: 'Pictures and edits of free size, up to 4K.', zh: '自由尺寸的生成与编辑，最高 4K。' },
  }),
  gptImage({
    id: 'gpt-image-2.6-sunburst',
    name: 'GPT Image 2.6 Sunburst',
    state: 'current',
    about: { en: 'For detailed pictures and careful edits, up to 4K.', zh: '适合精细画面和细致编辑，最高 4K。' },
    parameters: widerQuality,
  }),
  gptImage({
    id: 'gpt-image-2.6-flare',
    name: 'GPT Image 2.6 Flare',
    state: 'current',
    about: { en: 'The quick one of the 2.6 models, up to 4K.', zh: '2.6 系列中较快的型号，最高 4K。' },
    parameters: widerQuality,
  }),
  gptImage({
    id: 'gpt-image-2.5-sunburst',
    name: 'GPT Image 2.5 Sunburst',
    aliases: ['gpt-image-2.5-sunburst-2026-09-08'],
    state: 'current',
    about: { en: 'For detailed pictures and careful edits, up to 4K.', zh: '适合精细画面和细致编辑，最高 4K。' },
    parameters: widerQuality,
  }),
  gptImage({
    id: 'gpt-image-2.5-flare',
    name: 'GPT Image 2.5 Flare',
    aliases: ['gpt-image-2.5-flare-2026-09-08'],
    state: 'current',
    about: { en: 'The quick one of the 2.5 models, up to 4K.', zh: '2.5 系列中较快的型号，最高 4K。' },
    parameters: widerQuality,
  }),
  gptImage({
    id: 'gpt-image-1.5',
    name: 'GPT Image 1.5',
    state: 'legacy',
    about: { en: 'The one before GPT Image 2, in three sizes.', zh: 'GPT Image 2 的上一代，三种尺寸。' },
    ...classicOnly,
  }),
  gptImage({
    id: 'chatgpt-image-latest',
    name: 'ChatGPT Image',
    state: 'current',
    about: { en: 'What ChatGPT draws with at present, in three sizes.', zh: 'ChatGPT 当前使用的图像模型，三种尺寸。' },
    ...classicOnly,
  }),
  gptImage({
    id: 'gpt-image-1-mini',
    name: 'GPT Image 1 mini',
    state: 'legacy',
    life: endsOn('2026-12-01'),
    about: { en: 'Small and cheap, in three sizes.', zh: '小而便宜，三种尺寸。' },
    ...classicOnly,
  }),
  gptImage({
    id: 'gpt-image-1',
    name: 'GPT Image 1',
    state: 'legacy',
    unpriced: shutDown,
    life: endsOn('2026-10-23'),
    about: { en: 'The first GPT Image, in three sizes.', zh: '初代 GPT Image，三种尺寸。' },
    ...classicOnly,
  }),
  gptImage({
    id: 'dall-e-3',
    name: 'DALL·E 3',
    family: 'dall-e',
    state: 'legacy',
    unpriced: shutDown,
    life: endsOn('2026-05-12'),
    about: { en: 'One picture at a time, from text only.', zh: '每次一张，仅支持文生图。' },
    promptMaxCharacters: 4000,
    references: referenceLimits({ max: 0 }),
    sizes: { textToImage: dallE3Sizes },
    images: { max: 10, perCall: 1 },
    parameters: {
      quality: choice(['standard', 'hd'], 'hd draws finer details and costs more.'),
      style: choice(['vivid', 'natural'], 'vivid is dramatic, natural is closer to a photograph.'),
    },
  }),
  gptImage({
    id: 'dall-e-2',
    name: 'DALL·E 2',
    family: 'dall-e',
    state: 'legacy',
    unpriced: shutDown,
    life: endsOn('2026-05-12'),
    about: { en: 'Square pictures from text, and parts drawn anew.', zh: '方形图片，支持文生图和局部重绘。' },
    promptMaxCharacters: 1000,
    // It takes one square PNG under 4 MB, and draws the transparent parts anew.
    references: referenceLimits({ max: 1, types: ['image/png'], maxEncodedBytes: 5_000_000, maxRatio: 1 }),
    sizes: {
      textToImage: { ...exactSizes({ '1:1': '1024x1024' }), exact: ['256x256', '512x512', '1024x1024'] },
      withReferences: { ...exactSizes({ '1:1': '1024x1024' }), exact: ['256x256', '512x512', '1024x1024'] },
    },
    parameters: {},
  }),
]

/** Later GPT image models are treated like the newest known; every other id like a model of an unknown service. */
export function unlisted(id: string, declared: boolean): Model | undefined {
  const about = { en: 'Not in the catalogue.', zh: '不在目录中。' }
  if (/^gpt-image-1(?:[.-]|$)/.test(id)) return gptImage({ id, name: id, state: 'unlisted', about, ...classicOnly })
  if (/^(?:gpt-image-|chatgpt-image-)/.test(id)) return gptImage({ id, name: id, state: 'unlisted', about })
  return declared ? cautious(id) : undefined
}

/** Only `model`, `prompt`, `n: 1` and a size that was asked for: some services refuse what they do not know. */
function cautious(id: string): Model {
  const sizes: SizeRule = { keywords: ['auto'], free: {}, table: { '1K': classic }, defaultTier: '1K' }
  return {
    id,
    name: id,
    family: 'openai-style',
    state: 'unlisted',
    about: {
      en: 'Not in the catalogue, so only what every service of this kind takes is sent.',
      zh: '不在目录中，因此只发送此类服务都接受的参数。',
    },
    textToImage: true,
    promptRequired: true,
    // The maximum of the API: a service that takes fewer says so, and its refusal is free.
    references: referenceLimits({ max: 16 }),
    sizes: { textToImage: sizes, withReferences: sizes },
    images: { max: 10, perCall: 1 },
    parameters: {},
    typicalSeconds: [10, 60],
    concurrency: 4,
    source: 'nothing is known of it',
    checked,
  }
}
