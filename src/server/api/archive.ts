/** Many pictures in one ZIP, with their recipes, written while it is being sent: one picture is in memory at a time. */
import { Readable } from 'node:stream'
import { strToU8, Zip, ZipPassThrough } from 'fflate'
import type { ArchiveRecipe } from '../../api/recipes.ts'
import { Refusal } from '../../errors.ts'
import type { Services } from '../../generation/services.ts'
import { shortenForName } from '../../moving/names.ts'
import type { GenerationRecord, ImageRecord } from '../../storage/records.ts'
import { fileEnding } from './present/images.ts'
import { fileWithRecipe, presentRecipe } from './present/recipes.ts'

/** The plain ZIP format has 32-bit sizes. Some room is left for recipes and names. */
const maxBytes = 4_000_000_000

/**
 * Pictures by their ids, in that order and once each; with `owner`, the id of a token, only what that one may see.
 * @throws Refusal `not_found` when none of them is there, `too_large`
 */
export async function createArchive(ids: string[], services: Services, owner: string | undefined): Promise<Readable> {
  const { images, generations } = services
  const found = (await Promise.all([...new Set(ids)].map(id => images.find(id, owner)))).filter(
    image => image !== undefined,
  )
  if (found.length === 0) {
    throw new Refusal('not_found', 'None of these pictures exists any more. Reload the gallery and choose again.')
  }
  const bytes = found.reduce((sum, image) => sum + image.bytes, 0)
  if (bytes > maxBytes) {
    throw new Refusal(
      'too_large',
      `These pictures are ${Math.ceil(bytes / 1e9)} GB together; choose at most 4 GB at a time.`,
    )
  }
  return Readable.from(pieces(), { objectMode: false })

  async function* pieces(): AsyncGenerator<Buffer> {
    const written: Buffer[] = []
    const zip = new Zip((error, data) => {
      if (error) throw error
      written.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
    })
    const names = new Set<string>()
    const recipes: ArchiveRecipe[] = []
    const missing: { image_id: string; reason: string }[] = []
    const known = new Map<string, GenerationRecord | undefined>()
    for (const image of found) {
      const id = image.generationId
      if (id !== null && !known.has(id)) known.set(id, await generations.find(id))
      const generation = id === null ? undefined : known.get(id)
      const content = await readImage(image)
      if (!content) {
        missing.push({ image_id: image.id, reason: 'Its file is not in the picture store.' })
        continue
      }
      const file = freeName(fileName(image, generation), names)
      const recipe = generation && presentRecipe(generation, image)
      add(file, recipe ? fileWithRecipe(content, image, recipe) : content, image.createdAt)
      if (generation && recipe) {
        const { tags, favorite, ratings } = generation
        const { stars = 0, isRejected: rejected = false } = ratings[image.index] ?? {}
        recipes.push({ ...recipe, file, tags, favorite, stars, rejected })
      }
      yield* written.splice(0)
    }
    add('recipes.json', strToU8(`${JSON.stringify({ webimgui: 1, pictures: recipes, missing }, null, 2)}\n`))
    zip.end()
    yield* written.splice(0)

    function add(name: string, content: Uint8Array, time?: string) {
      // Pictures are compressed already.
      const entry = new ZipPassThrough(name)
      entry.mtime = parseTime(time)
      zip.add(entry)
      entry.push(content, true)
    }
  }

  async function readImage(image: ImageRecord): Promise<Buffer | undefined> {
    try {
      return await readWhole(await images.read(image))
    } catch (error) {
      // The archive is useful without it; `recipes.json` lists what is missing.
      if (error instanceof Refusal && error.code === 'not_found') return undefined
      throw error
    }
  }
}

export async function readWhole(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(Buffer.from(piece as Uint8Array))
  return Buffer.concat(pieces)
}

/** Such as `2026-11-23 水墨山水 1a2b3c4d-1.png`: unique, and valid on every system. */
function fileName(image: ImageRecord, generation: GenerationRecord | undefined) {
  const short = shortenForName(generation?.prompt ?? '')
  const parts = [
    image.createdAt.slice(0, 10),
    short,
    `${image.id.replace(/[^\w-]/g, '').slice(0, 8)}-${image.index + 1}`,
  ]
  return `${parts.filter(part => part !== '').join(' ')}.${fileEnding(image.mimeType)}`
}

/** Names contain only the first characters of ids. */
function freeName(name: string, taken: Set<string>) {
  let free = name
  for (let count = 2; taken.has(free); count++) free = name.replace(/(\.\w+)$/, ` ${count}$1`)
  taken.add(free)
  return free
}

/** ZIP counts from 1980. */
function parseTime(text: string | undefined) {
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) || time < Date.UTC(1980, 0, 2) ? new Date() : new Date(time)
}
