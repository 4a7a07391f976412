/** The recipe that stands inside of a picture, whichever program wrote it. */
import type { ImageFacts } from '../../images/facts.ts'
import { asObject, asText, asTime, cleanParameters, type FoundRecipe, parseJson } from '../recipe.ts'
import { parseA1111 } from './a1111.ts'
import { parseComfyui } from './comfyui.ts'
import { parseInvokeai, parseOldInvokeai } from './invokeai.ts'
import { parseNovelai } from './novelai.ts'
import { readStealth } from './stealth.ts'
import { parseSwarmui } from './swarmui.ts'
import { readTexts, type Texts } from './texts.ts'

/** Undefined where nothing tells how it was made. @throws file system errors as they are */
export async function readPictureRecipe(path: string, facts: ImageFacts): Promise<FoundRecipe | undefined> {
  const texts = await readTexts(path, facts.mimeType)
  const found = parseTexts(texts)
  if (found || facts.mimeType !== 'image/png') return found
  return parseStealth(await readStealth(path, facts))
}

/** Several programs may have written into one picture; whose format is the narrowest comes first. */
export function parseTexts(texts: Texts): FoundRecipe | undefined {
  const parameters = texts.get('parameters') ?? texts.get('exif:UserComment') ?? texts.get('comment')
  return (
    parseOwn(texts) ??
    parseNovelai(texts) ??
    parseInvokeai(texts.get('invokeai_metadata')) ??
    parseOldInvokeai(texts.get('sd-metadata')) ??
    (parameters === undefined ? undefined : (parseSwarmui(parameters) ?? parseA1111(parameters))) ??
    parseGraph(texts)
  )
}

function parseGraph(texts: Texts): FoundRecipe | undefined {
  const exif = ['exif:Make', 'exif:Model', 'exif:ImageDescription', 'exif:UserComment']
    .map(name => /^prompt:\s*([\s\S]*)$/i.exec(texts.get(name) ?? '')?.[1])
    .find(text => text !== undefined)
  const graph = texts.get('prompt') ?? exif
  return graph === undefined ? undefined : parseComfyui(graph)
}

/** What this program wrote into a downloaded picture. */
function parseOwn(texts: Texts): FoundRecipe | undefined {
  const given = asObject(parseJson(texts.get('webimgui') ?? recipeInXmp(texts.get('xmp'))))
  return given?.webimgui === 1 ? toFound(given) : undefined
}

/** @param given a recipe of ours, from a picture or from beside it */
export function toFound(given: Record<string, unknown>): FoundRecipe {
  return {
    source: 'webimgui',
    prompt: asText(given.prompt) ?? '',
    revisedPrompt: asText(given.revised_prompt) ?? null,
    provider: asText(given.provider) ?? null,
    model: asText(given.model) ?? null,
    parameters: cleanParameters(asObject(given.parameters) ?? {}),
    timestamp: asTime(given.timestamp),
    originalSha256: asText(given.sha256),
  }
}

function recipeInXmp(xmp: string | undefined): string | undefined {
  const text = /<webimgui:recipe>([^<]*)<\/webimgui:recipe>/.exec(xmp ?? '')?.[1]
  return text?.replace(/&#(\d{1,7});/g, (_, code) => String.fromCodePoint(Math.min(Number(code), 0x10ffff)))
}

function parseStealth(text: string | undefined): FoundRecipe | undefined {
  if (text === undefined) return undefined
  const given = asObject(parseJson(text))
  if (!given) return parseA1111(text)
  const entries = Object.entries(given).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return parseTexts(new Map(entries))
}
