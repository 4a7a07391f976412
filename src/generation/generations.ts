/** Creates generations: checks everything, decides configuration and model, and writes the rows that the runner walks. */
import { randomUUID } from 'node:crypto'
import type { Caller } from '../accounts/accounts.ts'
import { type Budget, BudgetExceeded } from '../accounts/budget.ts'
import { mayUse } from '../accounts/tokens.ts'
import { type CheckedRequest, checkRequest } from '../catalogue/checks.ts'
import { estimateCost, explainEstimate, type Wanted } from '../catalogue/costs.ts'
import type { ReferenceFacts, Size } from '../catalogue/model.ts'
import { collectNames } from '../catalogue/schema.ts'
import { formatSize, resolveSize } from '../catalogue/sizes.ts'
import { InvalidRequest, type Violation } from '../catalogue/violation.ts'
import type { ConfigurationRegistry } from '../configurations/configurations.ts'
import { type Lives, lifeWarnings, type Standing } from '../configurations/lives.ts'
import type { Prices } from '../configurations/prices.ts'
import { createEvents, hasEnded, type Notifier } from '../coordination/events.ts'
import type { Pauses } from '../coordination/pauses.ts'
import type { Waiting } from '../coordination/waiting.ts'
import { invalid, Refusal } from '../errors.ts'
import type { KeptReference, References, TakenReference } from '../images/images.ts'
import type { Plan, Provider } from '../providers/provider.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { Files } from '../storage/files/folder.ts'
import { type HistoryFilter, searchForm } from '../storage/generations.ts'
import type { ConfigurationRecord, GenerationRecord, JsonObject } from '../storage/records.ts'
import type { Repositories, Store } from '../storage/store.ts'
import { CommitUnknown, ConnectionBroken } from '../storage/trouble.ts'
import type { Runner } from './run.ts'
import type { CreateOptions, Estimate, GenerationRequest, Generations, HistoryQuery, RetryScope } from './services.ts'
import { chooseTarget, type Target } from './target.ts'

export interface GenerationParts {
  store: Store
  files: Files
  configurations: ConfigurationRegistry
  references: References
  runner: Runner
  notifier: Notifier
  pauses: Pauses
  waiting: Waiting
  prices: Prices
  lives: Lives
  catalogue: Catalogue
  budget: Budget
  /** Aborts when the server closes: whoever waits or follows gets what there is. */
  closing: AbortSignal
  /** Removes a raw answer that is kept in a file. */
  removeAnswer(name: string): Promise<void>
}

/** How long a client waits for a database that is away. */
const patienceMs = 10_000

export function createGenerations(parts: GenerationParts): Generations {
  const { store, runner, notifier } = parts
  const knownNames = collectNames(parts.catalogue.all().map(({ model }) => model))

  return {
    create: (request, options) => create(request, options, null),

    async retry(id, only, options) {
      return create(await retryOf(id, only), options, id)
    },

    async estimateRetry(id, only, caller) {
      return estimated(await retryOf(id, only), caller)
    },

    estimate: estimated,

    async whenEnded(id, { timeoutMs, signal }) {
      return waitForEnd(id, timeoutMs, signal ? AbortSignal.any([signal, parts.closing]) : parts.closing)
    },

    async find(id, owner) {
      const generation = await store.generations.find(id)
      return generation && (owner === undefined || generation.tokenId === owner) ? withReason(generation) : undefined
    },

    async list(query) {
      const items = await store.generations.list({ ...filterOf(query), limit: query.limit + 1 })
      const page = items.slice(0, query.limit).map(withReason)
      const last = page.at(-1)
      return { items: page, nextCursor: items.length > page.length && last ? cursorOf(last) : null }
    },

    async change(id, change) {
      const changed = await store.transaction(async ({ generations }) => {
        if (!(await generations.find(id))) return undefined
        return generations.change(id, change)
      })
      if (!changed) throw missing()
      notifier.notify(id)
      return changed
    },

    async remove(id) {
      const generation = await get(id)
      if (!hasEnded(generation.status)) {
        throw new Refusal(
          'conflict',
          'This generation is still running. Cancel it or wait for its end, then delete it.',
        )
      }
      // Two who delete it at once: for the second it was gone already, whoever looked first.
      if ((await removeAll([id])) === 0) throw missing()
    },

    async clear(owner) {
      let count = 0
      for (;;) {
        const ids = await store.generations.endedIds(200, owner)
        if (ids.length === 0) return count
        count += await removeAll(ids)
      }
    },

    async cancel(id) {
      const generation = await get(id)
      if (hasEnded(generation.status))
        throw new Refusal(
          'conflict',
          `This generation has ended already (${generation.status}); there is nothing to cancel.`,
        )
      const changed = await store.transaction(({ generations }) => generations.change(id, { cancelRequested: true }))
      notifier.notify(id)
      runner.cancel(id)
      return changed ?? generation
    },

    events: createEvents(store, notifier, parts.closing),
  }

  async function create(request: GenerationRequest, options: CreateOptions, retryOf: string | null) {
    const idempotency = ofCaller(options)
    if (idempotency) {
      const known = await earlier(idempotency)
      if (known) return known
    }
    const draft = await drafted(request, options)
    try {
      const references = await parts.references.keep(draft.id, draft.taken)
      const written = { ...options, idempotency, references, retryOf }
      await store.asOwner(repositories => write(repositories, parts.budget, draft, written))
    } catch (error) {
      if (error instanceof CommitUnknown) return inDoubt(draft, error)
      await parts.references.discard(draft.id, draft.taken)
      if (!(error instanceof KeyTaken) || !idempotency) throw error
      // The same key came twice at once, and the other request was first.
      const known = await earlier(idempotency)
      if (known) return known
      throw error
    }
    return begun(draft.id)
  }

  function begun(id: string): Promise<GenerationRecord> {
    notifier.notify(id)
    void runner.run(id)
    return patiently(() => get(id))
  }

  /**
   * The word whether it was written got lost. It is looked for until that is known, also when the client could not wait so long: what
   * was written is sent, now and not at the next start.
   */
  async function inDoubt({ id, taken }: Draft, doubt: CommitUnknown): Promise<GenerationRecord> {
    const { pauses, closing } = parts
    const outcome = retried(() => store.transaction(({ generations }) => generations.isThere(id)), closing).then(
      async isThere => {
        if (isThere) return { begun: begun(id) }
        await parts.references.discard(id, taken)
        return 'nothing' as const
      },
    )
    outcome.catch(() => {})
    const late = pauses.wait(patienceMs, closing).catch(() => {})
    const found = await Promise.race([outcome, late])
    if (found === undefined) throw doubt
    if (found === 'nothing') throw doubt.cause
    return found.begun
  }

  /** Of what is there already: a database that is away for a moment does not make its client ask again. */
  function patiently<T>(read: () => Promise<T>): Promise<T> {
    const late = AbortSignal.any([AbortSignal.timeout(patienceMs), parts.closing])
    return retried(read, late).catch(error => {
      throw error instanceof ConnectionBroken ? new CommitUnknown(error) : error
    })
  }

  /** Again and again while the database is away. @throws what it said last when `signal` aborts */
  async function retried<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof ConnectionBroken || error instanceof CommitUnknown)) throw error
        await parts.pauses.wait(parts.pauses.storing(tries), signal).catch(() => {})
        if (signal.aborted) throw error
      }
    }
  }

  async function estimated(request: GenerationRequest, caller: Caller): Promise<Estimate> {
    const draft = await drafted(request, { caller, isEstimate: true })
    await parts.references.discard(draft.id, draft.taken)
    const { target } = draft
    const wanted = wantedOf(draft)
    return {
      model: target.modelId,
      images: wanted.images,
      calls: wanted.calls,
      cost: estimateCost(target.found.model, wanted),
      reasons: explainEstimate(target.found.model, target.modelId, wanted),
      warnings: warningsOf(draft),
    }
  }

  /** Everything that can be known, and refused, before anything is written or sent. The references are the caller's to keep or discard. */
  async function drafted(
    request: GenerationRequest,
    { caller, signal, isEstimate }: { caller: Caller; signal?: AbortSignal; isEstimate?: boolean },
  ): Promise<Draft> {
    const chosen = await chooseTarget(parts, request)
    if (chosen.refusal && !isEstimate) throw chosen.refusal
    const target = { ...chosen, found: parts.prices.priced(chosen.found, chosen) }
    const { model } = target.found
    if (!mayUse(parts.catalogue, caller, target.modelId)) {
      const allowed = caller.models?.join(', ')
      throw new Refusal('not_allowed', `This token may not use ${target.modelId}; it may use: ${allowed || 'none'}.`)
    }
    const prompt = request.prompt ?? ''
    const references = request.references.length
    const checked = checkRequest(model, { prompt, parameters: request.parameters, references }, knownNames)
    refuse(checked.violations)
    const taken = await parts.references.prepare(request.references, model.references, { caller, signal })
    const id = randomUUID()
    try {
      const facts = taken.map(reference => reference.facts)
      const standing = parts.lives.at(target.found, target)
      return {
        id,
        request,
        prompt,
        target,
        standing,
        checked,
        taken,
        ...planOf(parts.catalogue.provider(target.found.provider), target, prompt, checked, facts),
      }
    } catch (error) {
      await parts.references.discard(id, taken)
      throw error
    }
  }

  /** The request that makes an ended generation, or what is missing of it, once more. */
  async function retryOf(id: string, only: RetryScope): Promise<GenerationRequest> {
    const generation = await get(id)
    if (!hasEnded(generation.status)) {
      throw new Refusal(
        'conflict',
        'This generation is still running. Wait for its end, or cancel it, before you make it again.',
      )
    }
    if (generation.model === null) {
      throw new Refusal(
        'conflict',
        'Nobody knows the model of this entry of an old database; send its prompt to POST /api/generate instead.',
      )
    }
    const parameters = { ...generation.parameters }
    if (only === 'missing' && generation.images.length > 0) {
      const missing = generation.failures.map(failure => failure.index)
      if (missing.length === 0) throw new Refusal('conflict', 'No picture of this generation is missing.')
      parameters.n = missing.length
      // Picture i of a seed is made with the seed + i; a negative seed means a random one.
      const { seed } = parameters
      if (typeof seed === 'number' && seed >= 0) parameters.seed = (seed + Math.min(...missing)) % 2 ** 31
    }
    // Where nobody named a configuration, nobody has to now.
    const wasNamed = (await store.calls.ofGeneration(id)).some(call => !call.mayMove)
    const isActive = (await parts.configurations.active()).some(
      configuration => configuration.id === generation.configId,
    )
    return {
      prompt: generation.prompt,
      model: generation.model,
      provider: generation.provider ?? undefined,
      configId: wasNamed && isActive ? (generation.configId ?? undefined) : undefined,
      parameters,
      references: generation.references.map(image => ({ text: image.id })),
    }
  }

  async function get(id: string): Promise<GenerationRecord> {
    const generation = await store.generations.find(id)
    if (!generation) throw missing()
    return withReason(generation)
  }

  /** Why it waits may be that the database cannot be told why. */
  function withReason(generation: GenerationRecord): GenerationRecord {
    const reason = hasEnded(generation.status) ? undefined : parts.waiting.reasonOf(generation.id)
    return reason === undefined ? generation : { ...generation, waiting: reason }
  }

  /** What an Idempotency-Key stands for already. */
  async function earlier({ key, bodyHash }: { key: string; bodyHash: string }) {
    const used = await store.idempotency.find(key)
    if (!used) return undefined
    if (used.bodyHash !== bodyHash) {
      throw new Refusal(
        'idempotency_mismatch',
        'This Idempotency-Key was used for another request. Use a new key for a new request.',
      )
    }
    const generation = await store.generations.find(used.generationId)
    if (!generation)
      throw new Refusal('gone', 'The generation of this Idempotency-Key was deleted. Use a new key to make it again.')
    return generation
  }

  /** How many were there. */
  async function removeAll(ids: string[]): Promise<number> {
    const { files, answers, removed } = await store.transaction(async ({ generations, images, calls }) => {
      const made = await images.ofGenerations(ids)
      const answers = await calls.answerFiles(ids)
      const removed = await generations.remove(ids)
      return { files: made.flatMap(image => [image.file, `thumbnails/${image.id}.webp`]), answers, removed }
    })
    // Delete rows first: an orphaned file can be swept, a dangling row cannot be repaired.
    for (const file of files) await parts.files.remove(file)
    for (const answer of answers) await parts.removeAnswer(answer)
    for (const { id } of removed) notifier.notify(id)
    return removed.length
  }

  /**
   * Also ends when a picture that was made has been out of reach for a minute, or while a request waits to be sent again, half a minute
   * after its first refusal: the client gets the record meanwhile.
   */
  function waitForEnd(id: string, timeoutMs: number | undefined, signal: AbortSignal): Promise<GenerationRecord> {
    return new Promise((resolve, reject) => {
      let late: NodeJS.Timeout | undefined
      let refused: NodeJS.Timeout | undefined
      let isRefusedLong = false
      let isDone = false
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => void finish(), timeoutMs)
      const stopListening = notifier.listen(changed => {
        if (changed === id) void look()
      })
      const onAbort = () => void finish()
      signal.addEventListener('abort', onAbort)
      if (signal.aborted) onAbort()
      else void look()

      async function look() {
        try {
          const generation = await retried(() => get(id), signal)
          const waitsForRepeat = generation.waiting?.code === 'sent_again'
          if (hasEnded(generation.status) || (waitsForRepeat && isRefusedLong)) return finish(generation)
          if (waitsForRepeat) refused ??= setTimeout(whenRefusedLong, parts.pauses.refusedMs)
          if (!parts.waiting.isStuck(generation)) {
            clearTimeout(late)
            late = undefined
          } else late ??= setTimeout(() => void finish(), parts.pauses.lateMs)
        } catch (error) {
          finish(undefined, error)
        }
      }

      /** What is under way just then has its time. */
      function whenRefusedLong() {
        isRefusedLong = true
        void look()
      }

      function finish(generation?: GenerationRecord, error?: unknown) {
        if (isDone) return
        isDone = true
        clearTimeout(timer)
        clearTimeout(late)
        clearTimeout(refused)
        stopListening()
        signal.removeEventListener('abort', onAbort)
        if (error) reject(error)
        else resolve(generation ?? patiently(() => get(id)))
      }
    })
  }
}

interface Draft {
  id: string
  request: GenerationRequest
  prompt: string
  target: Target
  standing: Standing
  checked: CheckedRequest
  taken: TakenReference[]
  plan: Plan
  size: Size | undefined
}

function warningsOf({ target, standing, checked, plan }: Draft) {
  return [...lifeWarnings(target.modelId, standing), ...checked.warnings, ...plan.warnings]
}

/** What decides the price of a draft. */
function wantedOf({ checked, plan, size, taken }: Draft): Wanted {
  return {
    images: checked.count,
    calls: plan.calls.length,
    size,
    references: taken.length,
    parameters: plan.resolved,
    mayMakeFewer: plan.calls.some(call => call.mayMakeFewer),
  }
}

/** A key is the client's own: those of different tokens may be alike and mean different requests. */
function ofCaller({ idempotency, caller }: CreateOptions): CreateOptions['idempotency'] {
  if (!idempotency || caller.tokenId === null) return idempotency
  return { ...idempotency, key: `${caller.tokenId}/${idempotency.key}` }
}

/** The generation, its calls and what they may cost, all at once. @throws KeyTaken, BudgetExceeded */
async function write(
  repositories: Repositories,
  budget: Budget,
  draft: Draft,
  options: CreateOptions & { references: KeptReference[]; retryOf: string | null },
) {
  const { generations, calls, images, idempotency } = repositories
  const { id, target, plan } = draft
  const timestamp = new Date().toISOString()
  const { provider } = target.found
  const { mayMove } = target
  const model = target.modelId
  if (options.idempotency && !(await idempotency.insert({ ...options.idempotency, generationId: id }, timestamp)))
    throw new KeyTaken()
  const { caller } = options
  const wanted = wantedOf(draft)
  const range = estimateCost(target.found.model, wanted)
  const reservation = {
    ...{ caller, generationId: id, timestamp, tokenId: caller.tokenId, model },
    ...{ images: wanted.images, calls: wanted.calls },
    cost: range && { amount: range.max, currency: range.currency },
  }
  const { configId, warnings } = await reserveWithOne(repositories, budget, target.candidates, reservation)
  await generations.insert({
    ...{
      id,
      prompt: draft.prompt,
      timestamp,
      provider,
      model,
      configId,
      tokenId: caller.tokenId,
      retryOf: options.retryOf,
      requestId: options.requestId,
    },
    parameters: draft.request.parameters,
    resolved: plan.resolved,
    warnings: [...warningsOf(draft), ...warnings],
  })
  await images.addReferences(id, options.references)
  let firstIndex = 0
  for (const [slot, { route, body, images, mayMakeFewer = false, timeoutMs }] of plan.calls.entries()) {
    await calls.insert({
      ...{ id: randomUUID(), generationId: id, slot, attempt: 1, provider, configId, model, notBefore: null },
      ...{ route, body, images, firstIndex, mayMakeFewer, mayMove, timeoutMs },
    })
    firstIndex += images
  }
}

/** With the first configuration whose own cap has room. @throws BudgetExceeded that of the first, when none has */
async function reserveWithOne(
  repositories: Repositories,
  budget: Budget,
  candidates: ConfigurationRecord[],
  reservation: Omit<Parameters<Budget['reserve']>[1], 'configId'>,
) {
  let full: BudgetExceeded | undefined
  for (const { id: configId } of candidates) {
    try {
      return { configId, warnings: await budget.reserve(repositories, { ...reservation, configId }) }
    } catch (error) {
      if (!(error instanceof BudgetExceeded) || error.shortage.scope !== 'configuration') throw error
      full ??= error
    }
  }
  throw full
}

/** Another request with the same Idempotency-Key was faster. */
class KeyTaken extends Error {
  override name = 'KeyTaken'
}

function planOf(
  provider: Provider,
  target: Target,
  prompt: string,
  checked: CheckedRequest,
  references: ReferenceFacts[],
): { plan: Plan; size: Size | undefined } {
  const { model } = target.found
  const rule = checked.sizeRule
  const resolution = rule ? resolveSize(rule, model.id, checked.size, references.at(-1)) : {}
  if ('violation' in resolution) throw invalid([resolution.violation])
  try {
    const plan = provider.plan(
      {
        modelId: target.modelId,
        prompt,
        count: checked.count,
        size: resolution.size,
        parameters: checked.parameters,
        references,
      },
      model,
    )
    const size: JsonObject = resolution.size ? { size: formatSize(resolution.size) } : {}
    return { plan: { ...plan, resolved: { ...size, n: checked.count, ...plan.resolved } }, size: resolution.size }
  } catch (error) {
    if (error instanceof InvalidRequest) throw invalid(error.violations)
    throw error
  }
}

function filterOf(query: HistoryQuery): HistoryFilter {
  const { cursor, q, from, to, ...rest } = query
  return {
    ...rest,
    before: cursor === undefined ? undefined : readCursor(cursor),
    words: q === undefined ? undefined : searchForm(q).split(/\s+/).filter(Boolean),
    from: from?.toISOString(),
    to: to?.toISOString(),
  }
}

function cursorOf({ timestamp, id }: GenerationRecord) {
  return Buffer.from(JSON.stringify([timestamp, id])).toString('base64url')
}

function readCursor(cursor: string) {
  try {
    const [timestamp, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (typeof timestamp === 'string' && typeof id === 'string') return { timestamp, id }
  } catch {
    // Falls through to the sentence below.
  }
  throw invalid([
    { path: 'cursor', message: 'The cursor is not one that this server gave out. Start again without it.' },
  ])
}

function refuse(violations: readonly Violation[]) {
  if (violations.length > 0) throw invalid(violations)
}

function missing() {
  return new Refusal('not_found', 'There is no generation with this id; it may have been deleted.')
}
