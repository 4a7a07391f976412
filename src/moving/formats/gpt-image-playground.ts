/**
 * The ZIP that gpt_image_playground exports: `manifest.json` with tasks and the paths of all pictures, made and given. Source:
 * CookSleep/gpt_image_playground, `src/types.ts` (`ExportData`, `TaskRecord`) and `src/store.ts` (`exportData`), commit 4e56f38 of 2026-04-30
 * (version 2) and later forks, read 2026-11. Keys stand in `settings`, which is not read.
 */
import { asObject, asText, asTime, cleanParameters, objectsIn, parseJson } from '../recipe.ts'
import { type Refuse, readTextFile, type Tree, TreeError, type TreeFile } from '../trees/tree.ts'
import type { Format, FoundPicture } from './format.ts'

const manifestName = 'manifest.json'
/** Of a hundred thousand tasks; pictures are files of their own. */
const maxManifestBytes = 512 * 1024 * 1024

type Members = Record<string, unknown>

export async function openGptImagePlayground(tree: Tree): Promise<Format | undefined> {
  const file = await tree.find(manifestName)
  if (!file) return undefined
  const manifest = asObject(parseJson(await readTextFile(tree, file, maxManifestBytes).catch(fail(tree))))
  const images = asObject(manifest?.imageFiles)
  if (!Array.isArray(manifest?.tasks) || !images) return undefined
  const tasks = objectsIn(manifest.tasks)
  return {
    name: 'gpt_image_playground',
    count: async () => tasks.reduce((sum, task) => sum + listOf(task.outputImages).length, 0),
    async *read(refuse) {
      for (const task of tasks) {
        for (const [index, id] of listOf(task.outputImages).entries()) {
          const found = await describe(tree, { task, images, id, index }, refuse)
          if (found) yield found
        }
      }
    },
  }
}

async function describe(
  tree: Tree,
  { task, images, id, index }: { task: Members; images: Members; id: string; index: number },
  refuse: Refuse,
): Promise<FoundPicture | undefined> {
  const about = asObject(images[id])
  const path = asText(about?.path) ?? id
  const content = await tree.find(path)
  if (!content) {
    refuse(path, 'missing', 'the manifest names it')
    return undefined
  }
  const createdAt = asTime(task.createdAt)
  const references = await findGiven(tree, { task, images, index }, refuse)
  const actual = asObject(asObject(task.actualParamsByImage)?.[id]) ?? asObject(task.actualParams) ?? {}
  const parameters = asObject(task.params) ?? {}
  // One for each picture there, one for the whole generation here; each picture keeps its own beside it.
  const revised = asObject(task.revisedPromptByImage) ?? {}
  return {
    path,
    content,
    identity: `task:${asText(task.id) ?? createdAt ?? id}`,
    index,
    recipe: {
      source: 'gpt-image-playground',
      prompt: asText(task.prompt) ?? '',
      revisedPrompt: asText(Object.values(revised)[0]) ?? null,
      model: asText(task.apiModel) ?? asText(task.model) ?? null,
      parameters: cleanParameters(parameters),
      timestamp: createdAt,
    },
    marks: {
      favorite: task.isFavorite === true || listOf(task.favoriteCollectionIds).length > 0,
      startedAt: createdAt ?? null,
      finishedAt: asTime(task.finishedAt) ?? null,
      resolved: cleanParameters({ ...parameters, ...actual }),
      details: asText(revised[id]) === undefined ? null : { revised_prompt: asText(revised[id])! },
    },
    createdAt: asTime(about?.createdAt) ?? createdAt,
    references,
  }
}

/** The mask stands behind the others, as it does in generations of this program. */
async function findGiven(
  tree: Tree,
  { task, images, index }: { task: Members; images: Members; index: number },
  refuse: Refuse,
): Promise<TreeFile[]> {
  const mask = asText(task.maskImageId)
  const found: TreeFile[] = []
  for (const id of [...listOf(task.inputImageIds), ...(mask ? [mask] : [])]) {
    const path = asText(asObject(images[id])?.path)
    const file = path === undefined ? undefined : await tree.find(path)
    if (file) found.push(file)
    // Pictures of one task have the same ones.
    else if (index === 0) refuse(path ?? id, 'missing', `the manifest names it as ${id === mask ? 'a mask' : 'given'}`)
  }
  return found
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : []
}

function fail({ name }: Tree) {
  return (error: unknown) => {
    throw new TreeError(
      `${manifestName} of ${name} cannot be read. Export it again.`,
      `无法读取 ${name} 的 ${manifestName}。请重新导出。`,
      { cause: error },
    )
  }
}
