/** Images in answers. */
import { z } from 'zod'

const stored = {
  id: z.string(),
  url: z.string().describe('The picture, byte for byte as it came. Absolute when `PUBLIC_URL` is set.'),
  thumbnail_url: z
    .string()
    .describe(
      'A WebP of at most 512 pixels a side, or 1024 with `?size=1024`; 404 for a picture that cannot be shown.',
    ),
  width: z.int().describe('Pixels; 0 where the file does not tell.'),
  height: z.int().describe('Pixels; 0 where the file does not tell.'),
  bytes: z.int(),
  mime_type: z.string(),
  sha256: z.string().describe('Of the bytes, in hexadecimal.'),
}

export const Image = z
  .object({
    ...stored,
    index: z.int().describe('Position in the generation, from 0.'),
    stars: z.int().describe('0 to 5, as a person gave them.'),
    rejected: z.boolean().describe('A person does not want it.'),
    details: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('What the service says about this picture, such as its layer.'),
  })
  .meta({ id: 'Image' })

export const StoredReference = z
  .object({ ...stored, created_at: z.string() })
  .meta({ id: 'StoredReference', description: 'An uploaded picture; its `id` can stand in `images` of a generation.' })

export const UploadForm = z
  .object({
    file: z
      .string()
      .meta({ format: 'binary' })
      .describe('One picture: PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, or HEIC for a model that takes it.'),
  })
  .meta({ id: 'UploadForm' })

export const ThumbnailQuery = z.object({
  size: z
    .enum(['512', '1024'], 'Use 512 or 1024.')
    .meta({ type: 'integer', enum: [512, 1024], default: 512 })
    .transform(text => (text === '1024' ? 1024 : 512))
    .optional()
    .describe('The longest side in pixels, at most; 512 when left out.'),
})

export type Image = z.infer<typeof Image>
export type StoredReference = z.infer<typeof StoredReference>
