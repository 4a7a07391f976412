/** How an image was made: stored inside its file and in an archive. */
import { z } from 'zod'
import { imageIds } from './schemas.ts'

const Reference = z.object({ id: z.string(), sha256: z.string() })

/**
 * Missing or malformed members are ignored where the rest is still useful: a file may come from a
 * later version, or from anywhere.
 */
export const Recipe = z
  .object({
    webimgui: z.literal(1).describe('The version of this form.'),
    prompt: z.string().max(100_000),
    revised_prompt: z.string().nullable().catch(null).describe('As rewritten by the service.'),
    provider: z.string().nullable().catch(null),
    model: z.string().nullable().catch(null),
    parameters: z.record(z.string(), z.unknown()).catch({}).describe('As requested.'),
    resolved: z.record(z.string(), z.unknown()).nullable().catch(null).describe('As sent, after defaults and limits.'),
    references: z
      .array(Reference)
      .catch([])
      .describe('The pictures it was made from, as they are known to that server.'),
    timestamp: z.string().catch(''),
    generation_id: z.string().catch(''),
    image_id: z.string().catch(''),
    index: z.int().catch(0).describe('Position in the generation, from 0.'),
    sha256: z.string().catch('').describe('Of the picture as it came, without its recipe.'),
  })
  .meta({ id: 'Recipe' })

export type Recipe = z.infer<typeof Recipe>

/** An entry of `recipes.json` in an archive. */
export interface ArchiveRecipe extends Recipe {
  /** File name of the image in the archive. */
  file: string
  tags: string[]
  favorite: boolean
  stars: number
  rejected: boolean
}

export const ArchiveRequest = z.strictObject({ ids: imageIds(1000) }).meta({ id: 'ArchiveRequest' })
