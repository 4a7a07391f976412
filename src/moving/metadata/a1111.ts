/**
 * The text that AUTOMATIC1111's web UI and its many relatives write under `parameters`: the prompt, a line that begins with "Negative
 * prompt:", and a last line of settings. Source: AUTOMATIC1111/stable-diffusion-webui, `modules/infotext_utils.py`
 * (`parse_generation_parameters`) and `modules/processing.py` (`create_infotext`); read 2026-11.
 */
import { asNumber, cleanParameters, type FoundRecipe } from '../recipe.ts'

const settingsBegin = /^(?:Steps|Sampler|Size|Seed|Model|CFG scale): /

export function parseA1111(text: string): FoundRecipe | undefined {
  const lines = text.replaceAll('\r\n', '\n').trim().split('\n')
  const last = lines.at(-1) ?? ''
  const settings = settingsBegin.test(last) ? parseSettings(last) : undefined
  const hasNegative = lines.some(line => line.startsWith(negativeBegin))
  if (!settings && !hasNegative) return undefined
  const words = settings ? lines.slice(0, -1) : lines
  const negativeAt = words.findIndex(line => line.startsWith(negativeBegin))
  const prompt = (negativeAt < 0 ? words : words.slice(0, negativeAt)).join('\n').trim()
  const negative = negativeAt < 0 ? undefined : words.slice(negativeAt).join('\n').slice(negativeBegin.length).trim()
  const { Seed, Size, Model, Steps, Sampler, ...others } = settings ?? {}
  return {
    source: 'a1111',
    prompt,
    model: Model ?? null,
    parameters: cleanParameters({
      negative_prompt: negative,
      seed: asNumber(Seed),
      size: Size,
      steps: asNumber(Steps),
      sampler: Sampler,
      cfg_scale: asNumber(others['CFG scale']),
      ...rename(others),
    }),
  }
}

const negativeBegin = 'Negative prompt:'

/** `Steps: 20, Sampler: Euler a, Lora hashes: "a: 1, b: 2"`: a value with a comma stands in quotes of JSON. */
function parseSettings(line: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, name = '', value = ''] of line.matchAll(/\s*(\w[\w \-/]*):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)/g))
    found[name] = value.startsWith('"') ? unquote(value) : value.trim()
  return found
}

function unquote(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return text.slice(1, -1)
  }
}

/** `Denoising strength` is `denoising_strength`; what has a place of its own is left out. */
function rename(settings: Record<string, string>) {
  const { 'CFG scale': _, ...others } = settings
  return Object.fromEntries(
    Object.entries(others).map(([name, value]) => [
      name.toLowerCase().replace(/[^a-z0-9]+/g, '_'),
      asNumber(value) ?? value,
    ]),
  )
}
