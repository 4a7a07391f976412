/**
 * InvokeAI writes its settings as JSON under `invokeai_metadata`; version 2 did it under `sd-metadata`. The same JSON stands in its
 * database. Sources: invoke-ai/InvokeAI, `invokeai/app/services/image_files/image_files_disk.py` and
 * `invokeai/app/invocations/metadata.py` (`CoreMetadataInvocation`), commit 8e71a8a519 of 2026-08-19; `docs` of version 2.3; read 2026-11.
 */
import { asNumber, asObject, asText, cleanParameters, type FoundRecipe, formatSize, parseJson } from '../recipe.ts'

export function parseInvokeai(text: string | undefined): FoundRecipe | undefined {
  const given = asObject(parseJson(text))
  if (!given) return undefined
  const { positive_prompt, negative_prompt, model, seed, steps, cfg_scale, scheduler, width, height } = given
  if (positive_prompt === undefined && model === undefined && seed === undefined) return undefined
  const { generation_mode, positive_style_prompt, negative_style_prompt, strength, guidance, clip_skip } = given
  return {
    source: 'invokeai',
    prompt: asText(positive_prompt) ?? '',
    model: nameModel(model),
    parameters: cleanParameters({
      negative_prompt: asText(negative_prompt),
      seed: asNumber(seed),
      size: formatSize(width, height),
      steps: asNumber(steps),
      cfg_scale: asNumber(cfg_scale),
      scheduler: asText(scheduler),
      generation_mode,
      positive_style_prompt,
      negative_style_prompt,
      strength,
      guidance,
      clip_skip,
    }),
  }
}

function nameModel(model: unknown): string | null {
  const { name, model_name, base_model } = asObject(model) ?? {}
  return asText(name) ?? asText(model_name) ?? asText(model) ?? asText(base_model) ?? null
}

export function parseOldInvokeai(text: string | undefined): FoundRecipe | undefined {
  const given = asObject(parseJson(text))
  const image = asObject(given?.image)
  if (!given || !image) return undefined
  const { prompt, seed, steps, cfg_scale, sampler, width, height, strength } = image
  const words = Array.isArray(prompt)
    ? prompt.flatMap(part => asText(asObject(part)?.prompt) ?? []).join(', ')
    : (asText(prompt) ?? '')
  // What is to be avoided stands in brackets behind the prompt.
  const [, positive = words, negative] = /^([\s\S]*?)\s*\[([^[\]]*)\]\s*$/.exec(words) ?? []
  return {
    source: 'invokeai',
    prompt: positive.trim(),
    model: asText(given.model_weights) ?? asText(given.model) ?? null,
    parameters: cleanParameters({
      negative_prompt: negative,
      seed: asNumber(seed),
      size: formatSize(width, height),
      steps: asNumber(steps),
      cfg_scale: asNumber(cfg_scale),
      sampler: asText(sampler),
      strength: asNumber(strength),
    }),
  }
}
