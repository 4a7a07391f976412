/** Folders full of pictures: each tells its recipe itself, or a file of text beside it does. */

import { toFound } from '../metadata/read-recipe.ts'
import { parseSwarmui } from '../metadata/swarmui.ts'
import { asObject, asText, asTime, type FoundMarks, parseJson } from '../recipe.ts'
import { readSidecar } from '../sidecar.ts'
import { type Refuse, readTextFile, type Tree, type TreeFile } from '../trees/tree.ts'
import type { Format, FoundPicture } from './format.ts'

const besideName = /\.(?:json|txt|csv|md|html?|db|log|ya?ml)$/i
const archiveName = /\.(?:zip|7z|rar|tar|t?gz)$/i
const maxSidecarBytes = 8 * 1024 * 1024
const maxRecipesBytes = 64 * 1024 * 1024

export async function openPictures(tree: Tree): Promise<Format> {
  const recipes = await readRecipes(tree)
  return {
    name: 'pictures',

    async count() {
      let count = 0
      for await (const path of tree.paths()) if (isWorthALook(path)) count++
      return count
    },

    async *read(refuse) {
      for await (const file of tree.list(refuse)) {
        if (archiveName.test(file.path)) refuse(file.path, 'archive_inside', 'import it by itself')
        else if (isWorthALook(file.path)) yield await describe(tree, file, recipes, refuse)
      }
    },
  }
}

/** Of an export of ours; they come with the pictures that were made from them. */
const referenceName = /(?:^|\/)references\/[\da-f]{64}\.\w+$/

/** What has no ending, or one that nobody knows, may be a picture. */
function isWorthALook(path: string) {
  return !(besideName.test(path) || archiveName.test(path) || referenceName.test(path))
}

/** Names in a sidecar are relative to the folder of its export, which may lie in another. */
async function findUpwards(tree: Tree, path: string, name: string): Promise<TreeFile | undefined> {
  const folders = path.split('/').slice(0, -1)
  for (let depth = folders.length; depth >= 0; depth--) {
    const found = await tree.find([...folders.slice(0, depth), name].join('/'))
    if (found) return found
  }
  return undefined
}

async function describe(
  tree: Tree,
  file: TreeFile,
  recipes: ReadonlyMap<string, Record<string, unknown>>,
  refuse: Refuse,
): Promise<FoundPicture> {
  const found = { path: file.path, content: file, index: 0, createdAt: file.modifiedAt }
  const told = recipes.get(file.path)
  if (told) return { ...found, recipe: toFound(told), marks: readMarks(told) }
  const base = file.path.replace(/\.\w+$/, '')
  const own = await readBeside(tree, `${base}.json`, refuse)
  const sidecar = own === undefined ? undefined : readSidecar(own)
  if (sidecar) {
    const references = await Promise.all(sidecar.referenceFiles.map(name => findUpwards(tree, file.path, name)))
    return { ...found, ...sidecar, path: file.path, references: references.filter(one => one !== undefined) }
  }
  // SwarmUI keeps a second copy of what was marked.
  const marks = /(?:^|\/)Starred\//.test(file.path) ? { favorite: true } : undefined
  const swarm = await readBeside(tree, `${base}.swarm.json`, refuse)
  return { ...found, recipe: swarm === undefined ? undefined : parseSwarmui(swarm), marks }
}

async function readBeside(tree: Tree, path: string, refuse: Refuse): Promise<string | undefined> {
  const file = await tree.find(path)
  if (!file || file.bytes > maxSidecarBytes) return undefined
  return readTextFile(tree, file, maxSidecarBytes).catch(error => {
    refuse(path, 'unreadable', error instanceof Error ? error.message : String(error))
    return undefined
  })
}

/** The list in a ZIP of `POST /api/images/archive`, by the names of its files. */
async function readRecipes(tree: Tree): Promise<Map<string, Record<string, unknown>>> {
  const file = await tree.find('recipes.json')
  if (!file || file.bytes > maxRecipesBytes) return new Map()
  const list = asObject(parseJson(await readTextFile(tree, file, maxRecipesBytes).catch(() => undefined)))
  const pictures = list?.webimgui === 1 && Array.isArray(list.pictures) ? list.pictures : []
  return new Map(
    pictures.flatMap((one): [string, Record<string, unknown>][] => {
      const recipe = asObject(one)
      const name = asText(recipe?.file)
      return recipe && name ? [[name, recipe]] : []
    }),
  )
}

function readMarks(told: Record<string, unknown>): FoundMarks {
  return {
    favorite: told.favorite === true,
    tags: Array.isArray(told.tags) ? told.tags.flatMap(tag => asText(tag) ?? []) : [],
    startedAt: asTime(told.timestamp),
  }
}
