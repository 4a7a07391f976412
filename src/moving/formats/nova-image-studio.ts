/**
 * The backup of nova-image-studio, a ZIP: `metadata.json`, the jobs as a text in `localStorage.json` under `nova-jobs`, and the stores of the
 * browser in `indexedDB/nova-image-db.json`, with their pictures under `blobs/`. Sources: WinterChenS/nova-image-studio,
 * `frontend/src/lib/backup-utils.ts` (commit 19881cc), and tianjiangqiji/nova-image-studio, `frontend/src/lib/job-store.ts` (commit
 * d836c8e); read 2026-11. Keys of services stand in other members, which are not read.
 */
import { asNumber, asObject, asText, asTime, cleanParameters, objectsIn, parseJson } from '../recipe.ts'
import { type Refuse, readTextFile, type Tree, TreeError } from '../trees/tree.ts'
import type { Format, FoundPicture } from './format.ts'

const databaseName = 'indexedDB/nova-image-db.json'
const jobsName = 'localStorage.json'
const maxBytes = 256 * 1024 * 1024

type Members = Record<string, unknown>

export async function openNovaImageStudio(tree: Tree): Promise<Format | undefined> {
  const about = await readJson(tree, 'metadata.json')
  if (asText(about?.appName) !== 'Nova Image' && !(await tree.find(databaseName))) return undefined
  const database = await readJson(tree, databaseName)
  const jobs = new Map(
    readJobs(await readJson(tree, jobsName)).flatMap((job): [string, Members][] => {
      const id = asText(job.id)
      return id === undefined ? [] : [[id, job]]
    }),
  )
  const stored = [...listBlobs(database), ...listInline(database)]
  return {
    name: 'nova-image-studio',
    count: async () => stored.length,
    async *read(refuse) {
      for (const one of stored) {
        const found = await describe(tree, one, jobs.get(one.jobId), refuse)
        if (found) yield found
      }
    },
  }
}

interface Stored {
  jobId: string
  index: number
  /** Where it lies in the archive, or the picture itself. */
  content: string | Buffer
}

async function describe(
  tree: Tree,
  { jobId, index, content }: Stored,
  job: Members | undefined,
  refuse: Refuse,
): Promise<FoundPicture | undefined> {
  const path = typeof content === 'string' ? content : `${databaseName}/${jobId}/${index + 1}`
  const file = typeof content === 'string' ? await tree.find(content) : content
  if (!file) {
    refuse(path, 'missing', 'the backup names it')
    return undefined
  }
  const found = { path, content: file, identity: `job:${jobId}`, index }
  const { prompt, originalPrompt, model, created_at } = job ?? {}
  const timestamp = asTime(created_at)
  return {
    ...found,
    recipe: {
      source: 'nova-image-studio',
      prompt: asText(originalPrompt) || asText(prompt) || '',
      revisedPrompt: originalPrompt && originalPrompt !== prompt ? (asText(prompt) ?? null) : null,
      model: asText(model) || null,
      parameters: cleanParameters({
        size: asText(job?.custom_size) || asText(job?.output_size),
        aspect_ratio: asText(job?.aspect_ratio),
        temperature: asNumber(job?.temperature),
        quality: asText(job?.gptImageQuality),
        style: asText(job?.gptImageStyle),
        background: asText(job?.gptImageBackground),
      }),
      timestamp,
    },
    createdAt: timestamp,
  }
}

function readJobs(storage: Members | undefined): Members[] {
  return objectsIn(parseJson(asText(storage?.['nova-jobs'])))
}

function listBlobs(database: Members | undefined): Stored[] {
  return storeOf(database, 'blobs').flatMap(row => {
    const jobId = asText(row.jobId)
    const reference = asText(asObject(row.blob)?._blobRef)
    return jobId === undefined || reference === undefined
      ? []
      : [{ jobId, index: asNumber(row.index) ?? 0, content: `blobs/${reference}` }]
  })
}

/** Earlier versions kept the text of a picture in its row; addresses and references to blobs stand there too. */
function listInline(database: Members | undefined): Stored[] {
  return storeOf(database, 'images').flatMap(row => {
    const jobId = asText(row.jobId) ?? asText(row.id)
    if (jobId === undefined) return []
    const texts = Array.isArray(row.images) ? row.images : [row.imageData]
    return texts.flatMap((text, index) => {
      const base64 = asText(text)?.replace(/^data:[^,]*;base64,/, '')
      const isInline = base64 !== undefined && base64.length > 200 && /^[A-Za-z0-9+/=\s]+$/.test(base64.slice(0, 2000))
      return isInline ? [{ jobId, index, content: Buffer.from(base64, 'base64') }] : []
    })
  })
}

function storeOf(database: Members | undefined, name: string): Members[] {
  return objectsIn(database?.[name])
}

async function readJson(tree: Tree, name: string): Promise<Members | undefined> {
  const file = await tree.find(name)
  if (!file) return undefined
  const text = await readTextFile(tree, file, maxBytes).catch(error => {
    throw new TreeError(
      `${name} of ${tree.name} cannot be read. Make the backup again.`,
      `无法读取 ${tree.name} 的 ${name}。请重新备份。`,
      { cause: error },
    )
  })
  return asObject(parseJson(text))
}
