/**
 * NovelAI writes text chunks: `Software` is NovelAI, `Source` the model, `Description` the prompt, `Comment` all settings as JSON. The same
 * stands in the lowest bits of the alpha channel (`stealth.ts`), which survives where text chunks are taken out. Sources: the metadata
 * reader that NovelAI publishes (NovelAI/novelai-image-metadata, `nai_meta.py`) and receyuki/stable-diffusion-prompt-reader,
 * `sd_prompt_reader/format/novelai.py`; read 2026-11.
 */
import { asNumber, asObject, asText, cleanParameters, type FoundRecipe, formatSize, parseJson } from '../recipe.ts'

export function parseNovelai(texts: ReadonlyMap<string, string>): FoundRecipe | undefined {
  if (
    !texts.get('Software')?.startsWith('NovelAI') &&
    !/^(?:NovelAI|AI) generated image$/i.test(texts.get('Title') ?? '')
  )
    return undefined
  const settings = asObject(parseJson(texts.get('Comment'))) ?? {}
  const { seed, steps, scale, sampler, width, height, uc, strength, noise, noise_schedule } = settings
  return {
    source: 'novelai',
    prompt: asText(settings.prompt) ?? caption(settings.v4_prompt) ?? texts.get('Description') ?? '',
    model: texts.get('Source') ?? null,
    parameters: cleanParameters({
      negative_prompt: asText(uc) ?? caption(settings.v4_negative_prompt),
      seed: asNumber(seed),
      size: formatSize(width, height),
      steps: asNumber(steps),
      cfg_scale: asNumber(scale),
      sampler: asText(sampler),
      strength: asNumber(strength),
      noise: asNumber(noise),
      noise_schedule: asText(noise_schedule),
      characters: characters(settings.v4_prompt),
    }),
  }
}

/** Since version 4 a prompt may have parts for each character. */
function caption(value: unknown): string | undefined {
  return asText(asObject(asObject(value)?.caption)?.base_caption)
}

function characters(value: unknown): string[] | undefined {
  const captions = asObject(asObject(value)?.caption)?.char_captions
  if (!Array.isArray(captions) || captions.length === 0) return undefined
  return captions.flatMap(one => asText(asObject(one)?.char_caption) ?? [])
}
