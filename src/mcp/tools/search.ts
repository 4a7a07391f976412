/** `search_history`: what was made before, without pictures. */
import type { z } from 'zod'
import type { HistoryFilter, Operations } from '../operations.ts'
import type { SearchAnswer } from '../schemas.ts'

const usualLimit = 10

export async function searchHistory(
  operations: Pick<Operations, 'search' | 'link'>,
  { query, limit = usualLimit, ...filter }: Omit<HistoryFilter, 'q'> & { query?: string },
): Promise<z.infer<typeof SearchAnswer>> {
  const { items, next_cursor } = await operations.search({ ...filter, q: query, limit })
  return {
    generations: items.map(({ id, timestamp, status, prompt, model, images, cost, favorite, tags }) => ({
      generation_id: id,
      timestamp,
      status,
      prompt,
      model: model ?? undefined,
      images: images.map(image => ({
        id: image.id,
        url: operations.link(image),
        width: image.width,
        height: image.height,
      })),
      cost,
      favorite,
      tags,
    })),
    next_cursor: next_cursor ?? undefined,
  }
}

export function describeFound({ generations, next_cursor }: z.infer<typeof SearchAnswer>) {
  if (generations.length === 0) return 'Nothing was found. Fewer or shorter words find more.'
  const lines = generations.map(
    ({ generation_id, timestamp, status, prompt, images }) =>
      `${timestamp.slice(0, 16)} ${generation_id} (${status}): ${shorten(prompt)} [${images.map(({ id }) => id).join(', ')}]`,
  )
  return [...lines, ...(next_cursor ? [`More with cursor "${next_cursor}".`] : [])].join('\n')
}

function shorten(text: string) {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
