/**
 * Clients repeat requests by themselves, after a time limit or a broken connection, and would pay for each. A repeat joins the generation
 * that the first one began. Equal requests side by side are no repeats: whoever sends them wants different pictures.
 */
import { type GenerationRecord, hasEnded } from '../storage/records.ts'
import { composeRetry } from './compose-retry.ts'
import { createGeneration } from './create.ts'
import type { GenerationParts } from './parts.ts'
import type { Joined, RepeatOptions, Repeats } from './services.ts'

/** So long after its end a generation is what a repeat asks for. */
const maxRepeatMs = 10 * 60_000

/** A request that is being answered by this process. */
interface Asked {
  /** Undefined until it is written; resolves with undefined where it was refused. */
  creation: Promise<GenerationRecord | undefined>
  generationId: string | undefined
  /** Callers that wait for its answer. */
  callers: number
}

/** A request that another may repeat. */
interface Former {
  asked: Asked | undefined
  generationId: string | undefined
  callers: number
  isAnswered: boolean
}

type Create = () => Promise<GenerationRecord>

export function createRepeats(parts: GenerationParts): Repeats {
  const { store } = parts
  const atWork = new Map<string, Asked[]>()
  /** Until it is written down. */
  const answered = new Set<string>()

  function enter(fingerprint: string, asked: Asked, left: AbortSignal) {
    const all = atWork.get(fingerprint) ?? []
    if (!all.includes(asked)) all.push(asked)
    atWork.set(fingerprint, all)
    asked.callers++
    const leave = () => {
      asked.callers--
      // What is written is found in the database.
      void asked.creation.then(() => {
        if (asked.callers > 0 || !all.includes(asked)) return
        all.splice(all.indexOf(asked), 1)
        if (all.length === 0) atWork.delete(fingerprint)
      })
    }
    if (left.aborted) leave()
    else left.addEventListener('abort', leave, { once: true })
  }

  /** Those that were there before, the likeliest to be repeated first: unanswered, without a caller, the longest ago. */
  async function findFormer(fingerprint: string, before: readonly Asked[]): Promise<Former[]> {
    const written = await store.fingerprints.find(fingerprint)
    const known = written.toReversed().map(({ generationId, isAnswered }): Former => {
      const askers = before.filter(one => one.generationId === generationId)
      const callers = askers.reduce((sum, asked) => sum + asked.callers, 0)
      return { asked: askers[0], generationId, isAnswered: isAnswered || answered.has(generationId), callers }
    })
    const unwritten = before
      .filter(one => one.generationId === undefined)
      .map((asked): Former => ({ asked, generationId: undefined, callers: asked.callers, isAnswered: false }))
    return [...known, ...unwritten].toSorted(
      (a, b) => Number(a.isAnswered) - Number(b.isAnswered) || a.callers - b.callers,
    )
  }

  async function findRepeated(
    fingerprint: string,
    before: readonly Asked[],
    repeats: Exclude<RepeatOptions['repeats'], 'never'>,
  ): Promise<GenerationRecord | undefined> {
    for (const former of await findFormer(fingerprint, before)) {
      if (repeats === 'unsaid' && former.callers > 0) continue
      const id = former.generationId ?? (await former.asked?.creation)?.id
      const generation = id === undefined ? undefined : await store.generations.find(id)
      if (generation && isRepeatable(generation, repeats === 'said' || !former.isAnswered)) return generation
    }
    return undefined
  }

  async function ask(options: RepeatOptions, before: readonly Asked[], create: Create): Promise<Joined> {
    const { fingerprint, repeats, requestId } = options
    const former = repeats === 'never' ? undefined : await findRepeated(fingerprint, before, repeats)
    if (former) return { generation: former, isJoined: true }
    const generation = await create()
    // Another request has made it with the same key.
    return { generation, isJoined: generation.requestId !== requestId }
  }

  async function unlessRepeated(options: RepeatOptions, create: Create): Promise<Joined> {
    const { fingerprint, left } = options
    // Before anything is awaited: a repeat finds also what is still being prepared. It waits for earlier ones alone.
    const before = [...(atWork.get(fingerprint) ?? [])]
    const { promise, resolve } = Promise.withResolvers<GenerationRecord | undefined>()
    const asked: Asked = { creation: promise, generationId: undefined, callers: 0 }
    enter(fingerprint, asked, left)
    try {
      const joined = await ask(options, before, create)
      asked.generationId = joined.generation.id
      resolve(joined.generation)
      return joined
    } catch (error) {
      resolve(undefined)
      throw error
    }
  }

  return {
    createUnlessRepeated: (request, options) =>
      unlessRepeated(options, () => createGeneration(parts, request, options, null)),
    retryUnlessRepeated: (id, only, options) =>
      unlessRepeated(options, async () => createGeneration(parts, await composeRetry(parts, id, only), options, id)),
    async noteAnswered(id) {
      answered.add(id)
      await store.fingerprints.answered(id)
      answered.delete(id)
    },
  }
}

/**
 * What cost nothing is made again. `isOpen`: the caller says that it repeats, or has not got its answer; otherwise only an end that may
 * have cost money without giving what was paid for.
 */
function isRepeatable({ status, finishedAt, charge, images }: GenerationRecord, isOpen: boolean): boolean {
  if (!hasEnded(status)) return isOpen
  if (charge === 'none') return false
  if (Date.now() - Date.parse(finishedAt ?? '') > maxRepeatMs) return false
  return isOpen || charge === 'unknown' || images.length === 0
}
