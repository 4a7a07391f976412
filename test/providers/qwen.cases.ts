/**
 * What each model of DashScope is sent, written by hand from its documentation and not from the adapter's tables.
 * Every reference is an opaque PNG of 1024 by 1024 pixels.
 */
import type { JsonObject } from '../../src/catalogue/model.ts'

export interface QwenCase {
  name: string
  /** In the vocabulary of `POST /api/generate`. */
  request: { model: string; prompt: string; parameters: JsonObject; references: number }
  route: 'MM' | 'IG' | 'T2I' | 'I2I'
  /** The one body that is sent, with `{ $reference: i }` where reference `i` goes. */
  body: JsonObject
}

const prompt = '水墨山水，远处一叶小舟'

/** `input` of the newer form: the references, then the text. */
function messages(references: number): JsonObject {
  const images = Array.from({ length: references }, (_, index) => ({ image: { $reference: index } }))
  return { messages: [{ role: 'user', content: [...images, { text: prompt }] }] }
}

function newer(
  route: 'MM' | 'IG',
  name: string,
  model: string,
  asked: { parameters?: JsonObject; references?: number },
  parameters: JsonObject,
): QwenCase {
  const references = asked.references ?? 0
  return {
    name: `${model}: ${name}`,
    request: { model, prompt, parameters: asked.parameters ?? {}, references },
    route,
    body: { model, input: messages(references), parameters },
  }
}

function older(
  route: 'T2I' | 'I2I',
  name: string,
  model: string,
  asked: { parameters?: JsonObject; references?: number },
  body: { input?: JsonObject; parameters: JsonObject },
): QwenCase {
  return {
    name: `${model}: ${name}`,
    request: { model, prompt, parameters: asked.parameters ?? {}, references: asked.references ?? 0 },
    route,
    body: { model, input: { prompt, ...body.input }, parameters: body.parameters },
  }
}

const everything = { seed: 4711, negative_prompt: 'blurry', prompt_extend: false, watermark: true }
const { negative_prompt: _, ...withoutNegativePrompt } = everything

export const qwenCases: readonly QwenCase[] = [
  // ── 3.0 ──
  newer(
    'IG',
    'text alone is one picture of the 1K tier, never without a size',
    'qwen-image-3.0',
    {},
    {
      size: '1024*1024',
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'IG',
    'everything that it takes',
    'qwen-image-3.0',
    {
      parameters: {
        size: '1664x928',
        n: 2,
        seed: 4711,
        negative_prompt: 'blurry',
        watermark: true,
        enable_thinking: false,
      },
    },
    {
      size: '1664*928',
      n: 2,
      seed: 4711,
      negative_prompt: 'blurry',
      watermark: true,
      prompt_extend: true,
      enable_thinking: false,
    },
  ),
  newer(
    'IG',
    'the agent plans pictures from text',
    'qwen-image-3.0-pro',
    { parameters: { prompt_extend_mode: 'agent' } },
    {
      size: '1024*1024',
      n: 1,
      prompt_extend: true,
      prompt_extend_mode: 'agent',
      watermark: false,
    },
  ),
  newer(
    'IG',
    'the 2K tier in a ratio of its own',
    'qwen-image-3.0-pro',
    { parameters: { size: '2688x1536', n: 6 } },
    {
      size: '2688*1536',
      n: 6,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'IG',
    'the largest size from text',
    'qwen-image-3.0-pro',
    { parameters: { size: '2560x2560' } },
    {
      size: '2560*2560',
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'IG',
    'an edit has a size of the 1K tier too',
    'qwen-image-3.0',
    { references: 3 },
    {
      size: '1024*1024',
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'IG',
    'an edit',
    'qwen-image-3.0-pro',
    { parameters: { size: '1024x1536', n: 2 }, references: 1 },
    {
      size: '1024*1536',
      n: 2,
      prompt_extend: true,
      watermark: false,
    },
  ),

  // ── 2.1 ──
  newer(
    'MM',
    'text alone',
    'qwen-image-2.1-pro',
    {},
    {
      size: '1024*1024',
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'MM',
    'ten references',
    'qwen-image-2.1-pro',
    { parameters: { size: '2K', n: 6, seed: 0 }, references: 10 },
    {
      size: '2048*2048',
      n: 6,
      seed: 0,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'MM',
    'everything that it takes, and a negative prompt, which it has none of',
    'qwen-image-2.1-pro',
    {
      parameters: {
        ...everything,
        prompt_extend: true,
        size: '2560x2560',
        n: 2,
        prompt_extend_mode: 'direct',
        enable_thinking: true,
      },
    },
    {
      ...withoutNegativePrompt,
      prompt_extend: true,
      size: '2560*2560',
      n: 2,
      prompt_extend_mode: 'direct',
      enable_thinking: true,
    },
  ),
  newer(
    'MM',
    'everything that it takes, six at once, and a way of thinking, which it has none of',
    'qwen-image-2.1-turbo',
    { parameters: { ...everything, n: 6, enable_thinking: true, prompt_extend_mode: 'direct' } },
    {
      ...everything,
      size: '1024*1024',
      n: 6,
    },
  ),
  newer(
    'MM',
    'ten references',
    'qwen-image-2.1-turbo',
    { parameters: { size: '1K' }, references: 10 },
    {
      size: '1024*1024',
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'MM',
    'an edit',
    'qwen-image-2.1-turbo',
    { parameters: { size: '1024x1024' }, references: 1 },
    {
      size: '1024*1024',
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),

  // ── 2.0 ──
  newer(
    'MM',
    'text alone is 2K, at the same price',
    'qwen-image-2.0',
    {},
    {
      size: '2048*2048',
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'MM',
    'everything that it takes',
    'qwen-image-2.0-pro',
    { parameters: { ...everything, size: '1536x2688', n: 6 } },
    {
      ...everything,
      size: '1536*2688',
      n: 6,
    },
  ),
  newer(
    'MM',
    'a dated id is sent as it is',
    'qwen-image-2.0-pro-2026-06-22',
    { parameters: { size: '1K' } },
    {
      size: '1024*1024',
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'MM',
    'an edit without a size follows the last reference',
    'qwen-image-2.0',
    { references: 2 },
    {
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'MM',
    'an edit with a size',
    'qwen-image-2.0-pro',
    { parameters: { size: '1280x720', n: 3 }, references: 1 },
    {
      size: '1280*720',
      n: 3,
      prompt_extend: true,
      watermark: false,
    },
  ),

  // ── The first Qwen-Image ──
  newer('MM', 'text alone', 'qwen-image-max', {}, { size: '1664*928', n: 1, prompt_extend: true, watermark: false }),
  newer(
    'MM',
    'a size that was measured to be taken beside the five documented ones',
    'qwen-image-max',
    { parameters: { size: '1280x720' } },
    { size: '1280*720', n: 1, prompt_extend: true, watermark: false },
  ),
  newer(
    'MM',
    'everything that it takes',
    'qwen-image-max-2025-12-30',
    { parameters: { ...everything, size: '1104x1472' } },
    {
      ...everything,
      size: '1104*1472',
      n: 1,
    },
  ),
  newer(
    'MM',
    'the snapshot has no task route',
    'qwen-image-plus-2026-01-09',
    { parameters: { size: '928x1664' } },
    {
      size: '928*1664',
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  older(
    'T2I',
    'text alone, as a task',
    'qwen-image-plus',
    {},
    {
      parameters: { size: '1664*928', n: 1, prompt_extend: true, watermark: false },
    },
  ),
  older(
    'T2I',
    'the negative prompt stands in the input',
    'qwen-image-plus',
    { parameters: { ...everything, size: '1:1' } },
    {
      input: { negative_prompt: 'blurry' },
      parameters: { size: '1328*1328', n: 1, seed: 4711, prompt_extend: false, watermark: true },
    },
  ),
  older(
    'T2I',
    'text alone, as a task',
    'qwen-image',
    { parameters: { size: '1472x1104' } },
    {
      parameters: { size: '1472*1104', n: 1, prompt_extend: true, watermark: false },
    },
  ),

  // ── Editors ──
  newer(
    'MM',
    'follows the last reference',
    'qwen-image-edit-plus',
    { references: 1 },
    {
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'MM',
    'everything that it takes',
    'qwen-image-edit-plus-2025-12-15',
    { parameters: { ...everything, size: '1024x1536', n: 6 }, references: 3 },
    { ...everything, size: '1024*1536', n: 6 },
  ),
  newer(
    'MM',
    'two of three references',
    'qwen-image-edit-max',
    { parameters: { n: 2 }, references: 3 },
    {
      n: 2,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer('MM', 'has neither n nor size', 'qwen-image-edit', { references: 1 }, { watermark: false }),
  newer(
    'MM',
    'everything that it takes',
    'qwen-image-edit',
    { parameters: { seed: 1, negative_prompt: 'blurry', watermark: true }, references: 3 },
    { seed: 1, negative_prompt: 'blurry', watermark: true },
  ),

  // ── Z-Image ──
  newer(
    'MM',
    'the rewriting that doubles the price is off',
    'z-image-turbo',
    {},
    {
      size: '1024*1536',
      n: 1,
      prompt_extend: false,
      watermark: false,
    },
  ),
  newer(
    'MM',
    'everything that it takes',
    'z-image-turbo',
    { parameters: { size: '16:9', seed: 2_147_483_647, prompt_extend: true, watermark: true } },
    { size: '1280*720', n: 1, seed: 2_147_483_647, prompt_extend: true, watermark: true },
  ),

  // ── Wan 2.7 ──
  newer('IG', 'text alone', 'wan2.7-image', {}, { size: '2K', n: 1, watermark: false }),
  newer(
    'IG',
    'everything that it takes from text',
    'wan2.7-image-pro',
    {
      parameters: {
        size: '4K',
        n: 4,
        seed: 1,
        watermark: true,
        thinking_mode: false,
        color_palette: [
          { hex: '#1A2B3C', ratio: '40.00%' },
          { hex: '#FFFFFF', ratio: '33.33%' },
          { hex: '#00ff00', ratio: '26.67%' },
        ],
      },
    },
    {
      size: '4K',
      n: 4,
      seed: 1,
      watermark: true,
      thinking_mode: false,
      color_palette: [
        { hex: '#1A2B3C', ratio: '40.00%' },
        { hex: '#FFFFFF', ratio: '33.33%' },
        { hex: '#00ff00', ratio: '26.67%' },
      ],
    },
  ),
  newer(
    'IG',
    'a size in pixels',
    'wan2.7-image-pro',
    { parameters: { size: '4096x2304' } },
    {
      size: '4096*2304',
      n: 1,
      watermark: false,
    },
  ),
  newer(
    'IG',
    'a series is one call',
    'wan2.7-image',
    { parameters: { enable_sequential: true, n: 12, size: '2K' } },
    {
      enable_sequential: true,
      size: '2K',
      n: 12,
      watermark: false,
    },
  ),
  newer(
    'IG',
    'a series from references',
    'wan2.7-image-pro',
    { parameters: { enable_sequential: true, n: 5, size: '1K' }, references: 2 },
    { enable_sequential: true, size: '1K', n: 5, watermark: false },
  ),
  newer(
    'IG',
    'boxes for two references',
    'wan2.7-image',
    { parameters: { bbox_list: [[[0, 0, 100, 200]], []] }, references: 2 },
    { size: '2K', n: 1, bbox_list: [[[0, 0, 100, 200]], []], watermark: false },
  ),
  newer(
    'IG',
    'nine references',
    'wan2.7-image-pro',
    { parameters: { size: '2K', n: 4 }, references: 9 },
    {
      size: '2K',
      n: 4,
      watermark: false,
    },
  ),

  // ── Wan 2.6 ──
  newer(
    'IG',
    'text alone is one picture, though the service would make four',
    'wan2.6-t2i',
    {},
    {
      size: '1280*1280',
      n: 1,
      prompt_extend: true,
      watermark: false,
    },
  ),
  newer(
    'IG',
    'everything that it takes',
    'wan2.6-t2i',
    { parameters: { ...everything, size: '1440x1440', n: 4 } },
    {
      ...everything,
      size: '1440*1440',
      n: 4,
    },
  ),
  newer(
    'IG',
    'a recommended size that lies below the stated area',
    'wan2.6-t2i',
    { parameters: { size: '1472x1104' } },
    { size: '1472*1104', n: 1, prompt_extend: true, watermark: false },
  ),
  newer(
    'IG',
    'an edit',
    'wan2.6-image',
    { references: 4 },
    { size: '1K', n: 1, prompt_extend: true, watermark: false },
  ),
  newer(
    'IG',
    'an edit in words',
    'wan2.6-image',
    { parameters: { ...everything, size: '2K', n: 4 }, references: 1 },
    {
      ...everything,
      size: '2K',
      n: 4,
    },
  ),
  newer(
    'IG',
    'text with pictures',
    'wan2.6-image',
    { parameters: { enable_interleave: true, n: 3, size: '1280x1280' } },
    {
      enable_interleave: true,
      size: '1280*1280',
      n: 1,
      max_images: 3,
      watermark: false,
    },
  ),
  newer(
    'IG',
    'text with pictures after a reference',
    'wan2.6-image',
    { parameters: { enable_interleave: true, n: 5 }, references: 1 },
    { enable_interleave: true, size: '1K', n: 1, max_images: 5, watermark: false },
  ),
  newer(
    'IG',
    'without a reference it can only tell a story',
    'wan2.6-image',
    {},
    {
      enable_interleave: true,
      size: '1K',
      n: 1,
      max_images: 1,
      watermark: false,
    },
  ),

  // ── Older Wan ──
  older(
    'T2I',
    'text alone',
    'wan2.5-t2i-preview',
    {},
    {
      parameters: { size: '1280*1280', n: 1, prompt_extend: true, watermark: false },
    },
  ),
  older(
    'T2I',
    'four pictures',
    'wan2.5-t2i-preview',
    { parameters: { size: '1280x1440', n: 4, seed: 9 } },
    {
      parameters: { size: '1280*1440', n: 4, seed: 9, prompt_extend: true, watermark: false },
    },
  ),
  older(
    'I2I',
    'one reference',
    'wan2.5-i2i-preview',
    { references: 1 },
    {
      input: { images: [{ $reference: 0 }] },
      parameters: { n: 1, prompt_extend: true, watermark: false },
    },
  ),
  older(
    'I2I',
    'everything that it takes',
    'wan2.5-i2i-preview',
    { parameters: { ...everything, size: '1280x1280', n: 4 }, references: 3 },
    {
      input: { negative_prompt: 'blurry', images: [{ $reference: 0 }, { $reference: 1 }, { $reference: 2 }] },
      parameters: { size: '1280*1280', n: 4, seed: 4711, prompt_extend: false, watermark: true },
    },
  ),
  ...[
    'wan2.2-t2i-flash',
    'wan2.2-t2i-plus',
    'wanx2.1-t2i-turbo',
    'wanx2.1-t2i-plus',
    'wan2.1-t2i-turbo',
    'wan2.1-t2i-plus',
    'wanx2.0-t2i-turbo',
  ].flatMap(model => [
    older(
      'T2I',
      'text alone',
      model,
      {},
      {
        parameters: { size: '1024*1024', n: 1, prompt_extend: true, watermark: false },
      },
    ),
    older(
      'T2I',
      'everything that it takes',
      model,
      { parameters: { ...everything, size: '512x1440', n: 4 } },
      {
        input: { negative_prompt: 'blurry' },
        parameters: { size: '512*1440', n: 4, seed: 4711, prompt_extend: false, watermark: true },
      },
    ),
  ]),
  older(
    'I2I',
    'edits by words unless told otherwise',
    'wanx2.1-imageedit',
    { references: 1 },
    {
      input: { function: 'description_edit', base_image_url: { $reference: 0 } },
      parameters: { n: 1, watermark: false },
    },
  ),
  older(
    'I2I',
    'the second reference is the mask',
    'wanx2.1-imageedit',
    { parameters: { function: 'description_edit_with_mask', n: 2, seed: 3 }, references: 2 },
    {
      input: {
        function: 'description_edit_with_mask',
        base_image_url: { $reference: 0 },
        mask_image_url: { $reference: 1 },
      },
      parameters: { n: 2, seed: 3, watermark: false },
    },
  ),
  ...[
    'stylization_all',
    'stylization_local',
    'remove_watermark',
    'expand',
    'super_resolution',
    'colorization',
    'doodle',
    'control_cartoon_feature',
  ].map(name =>
    older(
      'I2I',
      name,
      'wanx2.1-imageedit',
      { parameters: { function: name }, references: 1 },
      {
        input: { function: name, base_image_url: { $reference: 0 } },
        parameters: { n: 1, watermark: false },
      },
    ),
  ),
  older('T2I', 'text alone', 'wanx-v1', {}, { parameters: { size: '1024*1024', n: 1, watermark: false } }),
  older(
    'T2I',
    'a style and a reference',
    'wanx-v1',
    {
      parameters: {
        size: '720x1280',
        n: 4,
        style: '<photography>',
        ref_strength: 0.5,
        ref_mode: 'refonly',
        negative_prompt: 'blurry',
      },
      references: 1,
    },
    {
      input: { negative_prompt: 'blurry', ref_img: { $reference: 0 } },
      parameters: {
        size: '720*1280',
        n: 4,
        style: '<photography>',
        ref_strength: 0.5,
        ref_mode: 'refonly',
        watermark: false,
      },
    },
  ),
]
