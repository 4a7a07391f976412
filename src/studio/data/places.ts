/** Pictures by name, wherever they stand: results and references of generations, in an address. */
import type { Generation, Image } from './generations.ts'

export interface PlaceName {
  generationId: string
  /** Position among the results, or among the references. */
  index: number
  isReference: boolean
}

export const maxCompared = 4

/** As `ids` of the compare page: `generation.0` is a result, `generation.r0` a reference. */
export function formatPlaces(places: readonly PlaceName[]): string {
  return places
    .slice(0, maxCompared)
    .map(({ generationId, index, isReference }) => `${generationId}.${isReference ? 'r' : ''}${index}`)
    .join(',')
}

export function nameResult(generation: Pick<Generation, 'id'>, image: Pick<Image, 'index'>): PlaceName {
  return { generationId: generation.id, index: image.index, isReference: false }
}

export function nameReference(generation: Pick<Generation, 'id'>, reference: Pick<Image, 'index'>): PlaceName {
  return { generationId: generation.id, index: reference.index, isReference: true }
}

/** Once each, and no more than fit beside one another. What is no name is left out. */
export function parsePlaces(text: string): PlaceName[] {
  const names = [...new Set(text.split(','))].flatMap(name => {
    const [, generationId, reference, index] = /^(.+)\.(r?)(\d{1,5})$/.exec(name.trim()) ?? []
    return generationId === undefined ? [] : [{ generationId, index: Number(index), isReference: reference === 'r' }]
  })
  return names.slice(0, maxCompared)
}

export function findPlaceImage(generation: Generation, { index, isReference }: PlaceName): Image | undefined {
  return (isReference ? generation.references : generation.images).find(image => image.index === index)
}
