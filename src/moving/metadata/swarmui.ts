/**
 * SwarmUI writes JSON with `sui_image_params`, in PNG under `parameters`, in JPEG and WebP as EXIF UserComment, or into a `.swarm.json`
 * beside the picture. Source: mcmonkeyprojects/SwarmUI, `src/Text2Image/T2IParamInput.cs` (`GenFullMetadataObject`),
 * `src/Media/ImageFile.cs`, `src/Utils/OutputMetadataTracker.cs`; commit 062407c7 of 2026-08-21, read 2026-11.
 */
import {
  asNumber,
  asObject,
  asText,
  asTime,
  cleanParameters,
  type FoundRecipe,
  formatSize,
  parseJson,
} from '../recipe.ts'

export function parseSwarmui(text: string): FoundRecipe | undefined {
  const whole = text.trimStart().startsWith('{') ? asObject(parseJson(text)) : undefined
  const given = asObject(whole?.sui_image_params)
  if (!given) return undefined
  const { prompt, negativeprompt, model, seed, steps, cfgscale, width, height, sampler, scheduler } = given
  return {
    source: 'swarmui',
    prompt: asText(prompt) ?? '',
    model: asText(model)?.replace(/\.(?:safetensors|ckpt|gguf)$/i, '') || null,
    parameters: cleanParameters({
      negative_prompt: asText(negativeprompt),
      seed: asNumber(seed),
      size: formatSize(width, height),
      steps: asNumber(steps),
      cfg_scale: asNumber(cfgscale),
      sampler: asText(sampler),
      scheduler: asText(scheduler),
      ...withoutKnown(given),
    }),
    timestamp: asTime(asObject(whole?.sui_extra_data)?.date),
  }
}

const known = new Set(
  'prompt negativeprompt model seed steps cfgscale width height sampler scheduler swarm_version images'.split(' '),
)

function withoutKnown(given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !known.has(name)))
}
