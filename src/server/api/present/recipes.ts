/** How an image was made, in the form that is stored inside it. */
import type { Recipe } from '../../../api/recipes.ts'
import { type RecipeTexts, withRecipe } from '../../../images/recipe.ts'
import type { GenerationRecord, ImageRecord } from '../../../storage/records.ts'

export function presentRecipe(generation: GenerationRecord, image: ImageRecord): Recipe {
  return {
    webimgui: 1,
    prompt: generation.prompt,
    revised_prompt: generation.revisedPrompt,
    provider: generation.provider,
    model: generation.model,
    parameters: generation.parameters,
    resolved: generation.resolved,
    references: generation.references.map(({ id, sha256 }) => ({ id, sha256 })),
    timestamp: generation.timestamp,
    generation_id: generation.id,
    image_id: image.id,
    index: image.index,
    sha256: image.sha256,
  }
}

/** The file with its recipe inside, or unchanged if its type cannot hold one. */
export function fileWithRecipe(bytes: Buffer, image: ImageRecord, recipe: Recipe): Buffer {
  return withRecipe(bytes, image.mimeType, toTexts(recipe, image)) ?? bytes
}

function toTexts(recipe: Recipe, image: ImageRecord): RecipeTexts {
  const sent = { ...recipe.parameters, ...recipe.resolved }
  const settings = [
    `Size: ${image.width}x${image.height}`,
    ...(typeof sent.seed === 'number' ? [`Seed: ${sent.seed}`] : []),
    ...(typeof sent.guidance_scale === 'number' ? [`CFG scale: ${sent.guidance_scale}`] : []),
    ...(recipe.model ? [`Model: ${recipe.model}`] : []),
  ]
  const negative = typeof sent.negative_prompt === 'string' ? [`Negative prompt: ${sent.negative_prompt}`] : []
  return {
    // Escapes what XML cannot hold; everything else, Chinese too, stays legible.
    json: JSON.stringify(recipe).replace(/[\ufffe\uffff]/g, escaped),
    description: recipe.prompt,
    parameters: [recipe.prompt, ...negative, settings.join(', ')].join('\n'),
  }
}

function escaped(character: string) {
  return `\\u${character.charCodeAt(0).toString(16)}`
}
