import type { QueryClient } from '@tanstack/react-query'
import { markGenerations, ratePictures } from '../actions/mark.ts'
import type { Item } from './items.ts'

/** Marks what is in turn: `f`, `x`, `0` to `5`. False for any other key. Those that are selected are marked together. */
export function markByKey(client: QueryClient, item: Item | undefined, key: string): boolean {
  if (!item || item.images.length === 0) return false
  const { generation, images } = item
  const rate = (rating: { stars?: number; rejected?: boolean }) =>
    void ratePictures(
      client,
      images.map(image => ({ generation, image, rating })),
    )
  if (key === 'f') void markGenerations(client, [generation], now => ({ favorite: !now.favorite }))
  else if (key === 'x') rate({ rejected: !images.every(({ rejected }) => rejected) })
  else if (/^[0-5]$/.test(key)) rate({ stars: Number(key) })
  else return false
  return true
}
