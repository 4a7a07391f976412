/**
 * The file beside each exported picture: the recipe of `api/recipes.ts` and all else that the history knows, as JSON. `docs/moving.md`
 * describes it for others.
 */
import type { FailureRecord, GenerationRecord, ImageRecord, JsonObject } from '../storage/records.ts'
import type { FoundPicture } from './formats/format.ts'
import { toFound } from './metadata/read-recipe.ts'
import { asNumber, asObject, asText, asTime, parseJson } from './recipe.ts'

/** @param files names of the picture and of its references, relative to the folder of the export */
export function writeSidecar(
  generation: GenerationRecord,
  image: ImageRecord,
  files: { picture: string; references: ReadonlyMap<string, string> },
): string {
  const sidecar = {
    webimgui: 1,
    file: files.picture.split('/').at(-1),
    prompt: generation.prompt,
    revised_prompt: generation.revisedPrompt,
    provider: generation.provider,
    model: generation.model,
    parameters: generation.parameters,
    resolved: generation.resolved,
    references: generation.references.map(({ id, sha256 }) => ({ id, sha256, file: files.references.get(id) ?? null })),
    timestamp: generation.timestamp,
    started_at: generation.startedAt,
    finished_at: generation.finishedAt,
    favorite: generation.favorite,
    tags: generation.tags,
    stars: generation.ratings[image.index]?.stars ?? 0,
    rejected: generation.ratings[image.index]?.isRejected ?? false,
    cover: generation.cover === image.index,
    warnings: generation.warnings,
    failures: generation.failures,
    charge: generation.charge,
    cost: generation.cost,
    retry_of: generation.retryOf,
    imported_from: generation.importedFrom,
    generation_id: generation.id,
    image_id: image.id,
    index: image.index,
    width: image.width,
    height: image.height,
    bytes: image.bytes,
    mime_type: image.mimeType,
    sha256: image.sha256,
    created_at: image.createdAt,
    details: image.details,
  }
  return `${JSON.stringify(sidecar, null, 2)}\n`
}

type Told = Pick<FoundPicture, 'identity' | 'generationId' | 'index' | 'recipe' | 'marks' | 'createdAt'>

/** Undefined for another program's file. What is missing or malformed is left out where the rest is of use. */
export function readSidecar(text: string): (Told & { referenceFiles: string[] }) | undefined {
  const given = asObject(parseJson(text))
  const generationId = asText(given?.generation_id)
  if (given?.webimgui !== 1 || generationId === undefined || typeof given.prompt !== 'string') return undefined
  const from = asText(given.imported_from)
  const index = Number.isInteger(given.index) && Number(given.index) >= 0 ? Number(given.index) : 0
  return {
    identity: `generation:${generationId.slice(0, 200)}`,
    generationId,
    index,
    recipe: { ...toFound(given), importedFrom: from },
    marks: {
      favorite: given.favorite === true,
      tags: listOf(given.tags, asText),
      stars: Math.min(5, Math.max(0, Math.trunc(asNumber(given.stars) ?? 0))),
      isRejected: given.rejected === true,
      isCover: given.cover === true,
      startedAt: asTime(given.started_at) ?? null,
      finishedAt: asTime(given.finished_at) ?? null,
      resolved: (asObject(given.resolved) as JsonObject | undefined) ?? null,
      warnings: listOf(given.warnings, asWarning),
      failures: listOf(given.failures, asFailure),
      details: (asObject(given.details) as JsonObject | undefined) ?? null,
    },
    createdAt: asTime(given.created_at),
    referenceFiles: listOf(given.references, one => asText(asObject(one)?.file)),
  }
}

function listOf<Item>(value: unknown, read: (one: unknown) => Item | undefined): Item[] {
  return Array.isArray(value) ? value.slice(0, 1000).flatMap(one => read(one) ?? []) : []
}

function asWarning(value: unknown): GenerationRecord['warnings'][number] | undefined {
  const { code, parameter, message, values } = asObject(value) ?? {}
  if (typeof message !== 'string' || typeof parameter !== 'string') return undefined
  const known = Object.entries(asObject(values) ?? {}).filter(([, one]) => ['string', 'number'].includes(typeof one))
  const told = known.length > 0 ? { values: Object.fromEntries(known) as Record<string, string | number> } : {}
  return { parameter, message, ...(typeof code === 'string' ? { code } : {}), ...told }
}

function asFailure(value: unknown): FailureRecord | undefined {
  const { index, code, message, providerCode } = asObject(value) ?? {}
  if (!Number.isInteger(index) || typeof code !== 'string' || typeof message !== 'string') return undefined
  return { index: Number(index), code, message, providerCode: asText(providerCode) ?? null }
}
