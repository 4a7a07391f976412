/** What a person asks for, and exactly what Ark has to get, row by row. */
import type { JsonObject, JsonValue } from '../../src/catalogue/model.ts'

export interface DoubaoCase {
  name: string
  request: { model: string; prompt: string; parameters: JsonObject; references: number }
  /** The references are PNGs with transparent pixels. */
  transparent?: boolean
  body: JsonObject
  /** Calls with this same body; 1 when absent. */
  calls?: number
}

const prompt = '水墨山水，远处一叶小舟'
const first: JsonValue = { $reference: 0 }
const two: JsonValue = [{ $reference: 0 }, { $reference: 1 }]
const standard = { response_format: 'url', watermark: false }

const v55 = 'doubao-seedream-5-5-261028'
const pro = 'doubao-seedream-5-0-pro-260628'
const flash = 'doubao-seedream-5-0-flash-260915'
const lite = 'doubao-seedream-5-0-260128'
const v45 = 'doubao-seedream-4-5-251128'
const v40 = 'doubao-seedream-4-0-250828'
const v40Second = 'doubao-seedream-4-0-20260415'
const v30 = 'doubao-seedream-3-0-t2i-250415'
const edit30 = 'doubao-seededit-3-0-i2i-250628'
const endpoint = 'ep-20260901120000-abcde'

interface Row {
  model: string
  /** A free size that the model takes. */
  pixels: string
  /** What 16:9 becomes. */
  wide: string
  tier: string
  maxReferences: number
}

const rows: Row[] = [
  { model: v55, pixels: '1280x720', wide: '2816x1584', tier: '1.5K', maxReferences: 10 },
  { model: pro, pixels: '960x960', wide: '2816x1584', tier: '1K', maxReferences: 10 },
  { model: flash, pixels: '2150x2150', wide: '2816x1584', tier: '1.5K', maxReferences: 10 },
  { model: lite, pixels: '2560x1440', wide: '2848x1600', tier: '3K', maxReferences: 14 },
  { model: v45, pixels: '2560x1440', wide: '2848x1600', tier: '4K', maxReferences: 14 },
  { model: v40, pixels: '4096x4096', wide: '2848x1600', tier: '1K', maxReferences: 14 },
  { model: v40Second, pixels: '960x960', wide: '2848x1600', tier: '4K', maxReferences: 14 },
  { model: endpoint, pixels: '1920x1920', wide: '2848x1600', tier: '4K', maxReferences: 10 },
]

function modesOf({ model, pixels, wide, tier, maxReferences }: Row): DoubaoCase[] {
  const ask = (parameters: JsonObject, references = 0) => ({ model, prompt, parameters, references })
  const all = Array.from({ length: maxReferences }, (_, index): JsonValue => ({ $reference: index }))
  return [
    { name: `${model}: text alone`, request: ask({}), body: { model, prompt, size: '2K', ...standard } },
    { name: `${model}: pixels`, request: ask({ size: pixels }), body: { model, prompt, size: pixels, ...standard } },
    { name: `${model}: ratio`, request: ask({ size: '16:9' }), body: { model, prompt, size: wide, ...standard } },
    {
      name: `${model}: tier in lower case`,
      request: ask({ size: tier.toLowerCase() }),
      body: { model, prompt, size: tier, ...standard },
    },
    {
      name: `${model}: one reference`,
      request: ask({}, 1),
      body: { model, prompt, image: first, size: '2K', ...standard },
    },
    {
      name: `${model}: two references and a size`,
      request: ask({ size: pixels }, 2),
      body: { model, prompt, image: two, size: pixels, ...standard },
    },
    {
      name: `${model}: as many references as it takes`,
      request: ask({}, maxReferences),
      body: { model, prompt, image: all, size: '2K', ...standard },
    },
    {
      name: `${model}: watermark`,
      request: ask({ watermark: true }),
      body: { model, prompt, size: '2K', response_format: 'url', watermark: true },
    },
  ]
}

function groupsOf(model: string): DoubaoCase[] {
  const group = (images: number) => ({
    sequential_image_generation: 'auto',
    sequential_image_generation_options: { max_images: images },
    stream: true,
  })
  return [
    {
      name: `${model}: a group of 3`,
      request: { model, prompt: '三张四季山水', parameters: { n: 3 }, references: 0 },
      body: { model, prompt: '三张四季山水', size: '2K', ...standard, ...group(3) },
    },
    {
      name: `${model}: the largest group`,
      request: { model, prompt, parameters: { n: 15, size: '2048x2048' }, references: 0 },
      body: { model, prompt, size: '2048x2048', ...standard, ...group(15) },
    },
    {
      name: `${model}: the largest group beside two references`,
      request: { model, prompt, parameters: { n: 13 }, references: 2 },
      body: { model, prompt, image: two, size: '2K', ...standard, ...group(13) },
    },
  ]
}

function singlesOf(model: string): DoubaoCase {
  return {
    name: `${model}: two pictures are two calls`,
    request: { model, prompt, parameters: { n: 2 }, references: 0 },
    body: { model, prompt, size: '2K', ...standard },
    calls: 2,
  }
}

function formatsOf(model: string): DoubaoCase[] {
  return ['png', 'jpeg'].map(format => ({
    name: `${model}: ${format}`,
    request: { model, prompt, parameters: { output_format: format }, references: 0 },
    body: { model, prompt, size: '2K', ...standard, output_format: format },
  }))
}

function layersOf(model: string): DoubaoCase[] {
  return [
    {
      name: `${model}: layers without a prompt`,
      request: { model, prompt: '', parameters: { layer_decomposition: true }, references: 1 },
      body: { model, image: first, size: 'auto', ...standard, layer_decomposition: true },
    },
    {
      name: `${model}: layers that the prompt names, 1K, as PNG`,
      request: {
        model,
        prompt: 'the boat',
        parameters: { layer_decomposition: true, size: '1K', output_format: 'png' },
        references: 1,
      },
      body: {
        model,
        prompt: 'the boat',
        image: first,
        size: '1K',
        ...standard,
        output_format: 'png',
        layer_decomposition: true,
      },
    },
  ]
}

function transparentEditOf(model: string): DoubaoCase {
  return {
    name: `${model}: transparent background of an edit`,
    request: { model, prompt, parameters: { background: 'transparent' }, references: 1 },
    transparent: true,
    body: { model, prompt, image: first, size: '2K', ...standard, background: 'transparent', output_format: 'png' },
  }
}

function fastOf(model: string): DoubaoCase[] {
  return [
    {
      name: `${model}: fast prompt optimisation`,
      request: { model, prompt, parameters: { optimize_prompt: 'fast' }, references: 0 },
      body: { model, prompt, size: '2K', ...standard, optimize_prompt_options: { mode: 'fast' } },
    },
    {
      name: `${model}: standard prompt optimisation is not sent`,
      request: { model, prompt, parameters: { optimize_prompt: 'standard' }, references: 0 },
      body: { model, prompt, size: '2K', ...standard },
    },
  ]
}

export const doubaoCases: DoubaoCase[] = [
  ...rows.flatMap(modesOf),
  ...[lite, v45, v40, v40Second].flatMap(groupsOf),
  ...[v55, pro, flash, endpoint].map(singlesOf),
  ...[v55, pro, flash, lite].flatMap(formatsOf),
  ...[v55, pro, flash].flatMap(layersOf),
  ...[v55, pro, flash].map(transparentEditOf),
  ...[pro, v40, v40Second].flatMap(fastOf),
  {
    name: '5.5: transparent background from text',
    request: { model: v55, prompt, parameters: { background: 'transparent' }, references: 0 },
    body: { model: v55, prompt, size: '2K', ...standard, background: 'transparent', output_format: 'png' },
  },
  {
    name: '5.5: the background that the model chooses',
    request: { model: v55, prompt, parameters: { background: 'auto' }, references: 0 },
    body: { model: v55, prompt, size: '2K', ...standard, background: 'auto' },
  },
  {
    name: 'pro: opaque background of an edit',
    request: { model: pro, prompt, parameters: { background: 'opaque' }, references: 1 },
    body: { model: pro, prompt, image: first, size: '2K', ...standard, background: 'opaque' },
  },
  {
    name: 'pro: an opaque background cannot be asked of text alone and is left out',
    request: { model: pro, prompt, parameters: { background: 'opaque' }, references: 0 },
    body: { model: pro, prompt, size: '2K', ...standard },
  },
  {
    name: 'flash: an opaque background beside two references is left out',
    request: { model: flash, prompt, parameters: { background: 'opaque' }, references: 2 },
    body: { model: flash, prompt, image: two, size: '2K', ...standard },
  },
  {
    name: '5.5: opaque background from text',
    request: { model: v55, prompt, parameters: { background: 'opaque' }, references: 0 },
    body: { model: v55, prompt, size: '2K', ...standard, background: 'opaque' },
  },
  {
    name: 'pro: layers with fast prompt optimisation',
    request: {
      model: pro,
      prompt,
      parameters: { layer_decomposition: true, size: '2K', optimize_prompt: 'fast', watermark: true },
      references: 1,
    },
    body: {
      model: pro,
      prompt,
      image: first,
      size: '2K',
      response_format: 'url',
      watermark: true,
      optimize_prompt_options: { mode: 'fast' },
      layer_decomposition: true,
    },
  },
  {
    name: 'flash: seed',
    request: { model: flash, prompt, parameters: { seed: 7 }, references: 0 },
    body: { model: flash, prompt, size: '2K', ...standard, seed: 7 },
  },
  {
    name: 'lite: web search',
    request: { model: lite, prompt, parameters: { web_search: true }, references: 0 },
    body: { model: lite, prompt, size: '2K', ...standard, tools: [{ type: 'web_search' }] },
  },
  {
    name: 'lite: web search switched off is not sent',
    request: { model: lite, prompt, parameters: { web_search: false }, references: 0 },
    body: { model: lite, prompt, size: '2K', ...standard },
  },
  {
    name: 'lite under its other name is sent under that name',
    request: { model: 'doubao-seedream-5-0-lite-260128', prompt, parameters: {}, references: 0 },
    body: { model: 'doubao-seedream-5-0-lite-260128', prompt, size: '2K', ...standard },
  },
  ...[
    ['seedream-5-5-261028', '1.5K'],
    ['dola-seedream-5-0-pro-260628', '1.5K'],
    ['dola-seedream-5-0-flash-260915', '1.5K'],
    ['seedream-5-0-260128', '3K'],
    ['seedream-4-5-251128', '4K'],
    ['seedream-4-0-250828', '1K'],
    ['seedream-4-0-20260415', '1K'],
    ['seedream-5-0-pro-260628', '1.5K'],
    ['dola-seedream-5-5-261028', '1.5K'],
    ['doubao-seedream-5-0-pro', '1.5K'],
    ['doubao-seedream-5.0-pro', '1.5K'],
    ['doubao-seedream-5.0-lite', '3K'],
    [endpoint, '1.5K'],
  ].map(([model = '', size = '']) => ({
    name: `${model}: a tier, under the id of another region, a plan or an endpoint`,
    request: { model, prompt, parameters: { size }, references: 1 },
    body: { model, prompt, image: first, size, ...standard },
  })),
  {
    name: 'lite on BytePlus: web search is left out',
    request: { model: 'seedream-5-0-260128', prompt, parameters: { web_search: true }, references: 0 },
    body: { model: 'seedream-5-0-260128', prompt, size: '2K', ...standard },
  },
  {
    name: '3.0: text alone',
    request: { model: v30, prompt, parameters: {}, references: 0 },
    body: { model: v30, prompt, size: '1024x1024', ...standard },
  },
  {
    name: '3.0: seed, guidance and ratio',
    request: { model: v30, prompt, parameters: { seed: 3, guidance_scale: 4, size: '16:9' }, references: 0 },
    body: { model: v30, prompt, size: '1280x720', ...standard, guidance_scale: 4, seed: 3 },
  },
  {
    name: 'SeedEdit: one reference',
    request: { model: edit30, prompt, parameters: {}, references: 1 },
    body: { model: edit30, prompt, image: first, size: 'adaptive', ...standard },
  },
]
