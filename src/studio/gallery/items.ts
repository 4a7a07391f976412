/** What the gallery shows, out of the pages of the history. */
import { type Generation, hasEnded, type Image } from '../data/generations.ts'
import { type HistoryFilter, isMeant } from '../data/history.ts'
import { generationRatio, imageRatio } from '../data/images.ts'
import { locale, type Text } from '../text/text.ts'
import type { Measured } from './rows.ts'

/** A cell of the grid or a line of the list. */
export interface Item extends Measured {
  generation: Generation
  /** A single picture in the grid, all of them in the list; none while they are being made, or when it failed. */
  images: readonly Image[]
}

/** A place for each picture, and one for each generation that is still being made. */
export function gridItems(generation: Generation, filter: HistoryFilter): Item[] {
  const day = dayOf(generation, filter)
  const meant = generation.images.filter(image => isMeant(image, filter))
  const images = meant.map(image => {
    return { key: image.id, ratio: imageRatio(image), day, generation, images: [image] }
  })
  if (hasEnded(generation) || generation.images.length > 0) return images
  return [{ key: generation.id, ratio: generationRatio(generation), day, generation, images: [] }]
}

export function listItems(generation: Generation, filter: HistoryFilter): Item[] {
  return [{ key: generation.id, ratio: 1, day: dayOf(generation, filter), generation, images: generation.images }]
}

/** Days are headings only where they follow one another. */
function dayOf({ timestamp }: Generation, { sort }: HistoryFilter) {
  return sort === 'stars' || sort === 'cost' ? '' : toDay(timestamp)
}

/** The day in the time zone of the browser, such as `2026-11-23`. */
function toDay(timestamp: string) {
  const time = new Date(timestamp)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
}

const dayMs = 86_400_000

/** `day` is such as `2026-11-23`, where the person is. */
export function dayName(day: string, t: Text): string {
  const date = new Date(`${day}T12:00:00`)
  const today = new Date()
  const days = Math.round((new Date(today).setHours(12, 0, 0, 0) - date.getTime()) / dayMs)
  if (days === 0) return t('gallery.today')
  if (days === 1) return t('gallery.yesterday')
  const isThisYear = date.getFullYear() === today.getFullYear()
  return date.toLocaleDateString(locale(), {
    month: 'long',
    day: 'numeric',
    weekday: 'short',
    year: isThisYear ? undefined : 'numeric',
  })
}

/** Would the server name it for this filter? For those that begin while the gallery is open. */
export function fits(generation: Generation, filter: HistoryFilter): boolean {
  const text = [generation.prompt, generation.revised_prompt ?? '', ...generation.tags].join('\n')
  const searched = text.normalize('NFC').toLowerCase()
  const words = (filter.q ?? '').normalize('NFC').toLowerCase().split(/\s+/)
  return (
    words.every(word => searched.includes(word)) &&
    (filter.provider === undefined || filter.provider === generation.provider) &&
    (filter.model === undefined || filter.model === generation.model) &&
    (filter.status === undefined || filter.status === generation.status) &&
    (filter.favorite === undefined || filter.favorite === generation.favorite) &&
    (filter.tag === undefined || generation.tags.includes(filter.tag)) &&
    (filter.stars === undefined || generation.images.some(({ stars }) => stars >= filter.stars!)) &&
    (filter.rejected !== true || generation.images.some(({ rejected }) => rejected)) &&
    (filter.from === undefined || filter.from <= generation.timestamp) &&
    (filter.to === undefined || filter.to >= generation.timestamp)
  )
}
