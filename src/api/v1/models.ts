/** Models as clients of the OpenAI API list them. */
import { z } from 'zod'

export const V1Model = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.int().describe('When this program learned of it, in seconds since 1970.'),
    owned_by: z.string().describe('Its provider.'),
  })
  .meta({ id: 'V1Model' })

export const V1ModelList = z.object({ object: z.literal('list'), data: z.array(V1Model) }).meta({ id: 'V1ModelList' })

export type V1Model = z.infer<typeof V1Model>
