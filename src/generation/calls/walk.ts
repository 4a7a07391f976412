/**
 * Walks one call of the ledger to its end: send, follow the task, keep the answer, collect the pictures, settle. Repeats,
 * cancelling and going on after a restart live here and only here.
 *
 * Every step is committed before the next begins, so the process may die anywhere: after the next start the walk goes on from
 * the state that the row tells.
 */
import { randomUUID } from 'node:crypto'
import type PQueue from 'p-queue'
import type { Logger } from 'pino'
import type { Budget } from '../../accounts/budget.ts'
import type { Warning } from '../../catalogue/model.ts'
import type { ConfigurationRegistry, SentWith } from '../../configurations/configurations.ts'
import type { ExplainUnknownModel } from '../../configurations/unknown-model.ts'
import type { Notifier } from '../../coordination/events.ts'
import type { Failpoint, Reached } from '../../coordination/failpoints.ts'
import { maxAttempts, type Pauses } from '../../coordination/pauses.ts'
import type { Lease, PlacementRequest, Pool } from '../../coordination/pool.ts'
import type { Reason, Waiting } from '../../coordination/waiting.ts'
import { LeftAside, Refusal } from '../../errors.ts'
import { type Collector, positionOf, resultLifeMs } from '../../images/collect.ts'
import { ExchangeError, type ProviderFailure } from '../../outgoing/errors.ts'
import type { Http, OutgoingHttp } from '../../outgoing/http.ts'
import type { Context, Parsed, Picture, Polled, Provider, RawAnswer, Task } from '../../providers/provider.ts'
import type { Catalogue } from '../../providers/registry.ts'
import type { Answers } from '../../storage/answers.ts'
import { type CallRecord, LedgerError, type Settlement } from '../../storage/calls.ts'
import { placeOf } from '../../storage/condense.ts'
import { type Files, StorageError } from '../../storage/files/folder.ts'
import type { GenerationChange } from '../../storage/generations.ts'
import type { Charge, ErrorRecord, FailureRecord, GenerationRecord } from '../../storage/records.ts'
import { SealError } from '../../storage/secrets/seal.ts'
import type { Store } from '../../storage/store.ts'
import { AnswerKeeper, largestBase64 } from './keeper.ts'

export interface WalkParts {
  store: Store
  files: Files
  answers: Answers
  http: OutgoingHttp
  catalogue: Catalogue
  configurations: ConfigurationRegistry
  collector: Collector
  notifier: Notifier
  pauses: Pauses
  waiting: Waiting
  reached: Reached
  log: Logger
  /** Where paid requests wait for their turn. */
  pool: Pool
  budget: Budget
  explainUnknownModel: ExplainUnknownModel
  /** Ids of calls that this process has sent and still waits for; others that are not heard of were lost, with a former process or here. */
  underWay: Set<string>
  /** Where pictures wait that stand in answers, to be taken out of their files. */
  largeTexts: PQueue
  /** Aborts waits and polls when the process stops; what is being sent goes on. */
  stopping: AbortSignal
  /** Aborts also what is being sent. */
  ending: AbortSignal
}

/** Thrown on shutdown: stops without changing any row, and the next start resumes from there. */
export class Stopped extends Error {
  override name = 'Stopped'
}

/** Answers up to this many characters are kept in the row itself. */
const largestInRow = 64 * 1024
/** The service asked for a longer pause than anyone waits for. */
const longestRetryAfterMs = 120_000
/** The clocks of the service and ours may differ by this much when a lost task is looked for. */
const clockSkewMs = 60_000
/** Looks at the list of tasks that bring nothing: one that was just made may come into it a little late. */
const maxEmptyLooks = 3
/** Looks in all, also those that the service did not answer: together about five minutes. */
const maxLooks = 10

/** An answer that drips, or a stream that only says that it lives, comes to an end so long after the call should have. */
const longestBodyMs = 10 * 60_000

/** Looks in a row that bring nothing, before the person is told. */
const maxQuietTroubles = 4

/** What a walk needs to know of its generation. */
export type WalkedGeneration = Pick<GenerationRecord, 'id' | 'tokenId' | 'timestamp'>

/** Pictures of a stream are looked for so often while it comes: more than any series has. */
const maxEarlyLooks = 100
/** What is known of an answer before its body. */
type AnswerHead = Pick<RawAnswer, 'status' | 'contentType' | 'requestId'>

/** What came of an answer, condensed, and the file that holds all of it. */
interface CutAnswer extends AnswerHead {
  file: string | undefined
  body: string
}

/** Why there is no key to go on with. */
interface Unusable {
  unusable: string
}

export class CallWalk {
  private readonly parts: WalkParts
  private readonly generation: WalkedGeneration
  private readonly cancelled: AbortSignal
  /** Pictures in the generation that its calls ask for; extra ones are placed behind them. */
  private readonly planned: number
  private readonly log: Logger
  private call: CallRecord
  /** The answer that was just kept; after a restart it is read from where it is kept. */
  private understood: Parsed | undefined
  private readonly collecting = new Map<number, Promise<FailureRecord | undefined>>()

  constructor(
    parts: WalkParts,
    options: { generation: WalkedGeneration; call: CallRecord; planned: number; cancelled: AbortSignal },
  ) {
    this.parts = parts
    this.generation = options.generation
    this.call = options.call.state === 'planned' ? withoutBody(options.call) : options.call
    this.planned = options.planned
    this.cancelled = options.cancelled
    this.log = parts.log.child({ call: options.call.id, provider: options.call.provider, model: options.call.model })
  }

  /** @throws Stopped */
  async run() {
    try {
      while (this.call.state !== 'settled') {
        if (this.call.state === 'planned') await this.begin()
        else if (this.call.state === 'sending') await this.recover()
        else if (this.call.state === 'accepted') await ((await this.takeUp()) || this.follow())
        else await this.settle()
      }
    } finally {
      this.parts.underWay.delete(this.call.id)
    }
  }

  // ── planned ───────────────────────────────────────────────────────────────────────────────────────────────────────

  private async begin() {
    // No longer than such a pause can be: the clock may have been put back since.
    const ms = Math.min(
      Date.parse(this.call.notBefore ?? '') - Date.now(),
      this.parts.pauses.scaled(longestRetryAfterMs),
    )
    if (ms > 0) await this.wait(ms, this.cancelled, this.parts.stopping)
    const turn = await this.turn()
    if (!turn) return
    try {
      await this.untilStoreIsSound()
      this.throwIfStopping()
      if (this.cancelled.aborted) return await this.drop()
      const context = await this.context()
      if (!context) return
      await this.reload()
      const at = new Date().toISOString()
      // A task may have to be asked for when its configuration has another key.
      const sentWith = this.provider().poll ? this.parts.configurations.sealSent(this.call.id, context) : null
      await this.reached('before-sending')
      this.parts.underWay.add(this.call.id)
      await this.retryUntilStored('note that a request is being sent', () =>
        this.parts.store.asOwner(async ({ calls, generations }) => {
          await calls.sending(this.call.id, at, sentWith)
          const now = await generations.find(this.generation.id)
          const startedAt = now?.startedAt ?? at
          // Another call of it may be paid and kept already.
          const charge = now?.charge === 'charged' ? 'charged' : 'unknown'
          await generations.change(this.generation.id, { status: 'running', startedAt, charge, waiting: null })
        }),
      )
      this.call = { ...this.call, state: 'sending', sentAt: at, sentWith }
      await this.parts.waiting.note(this.generation.id, null)
      this.parts.notifier.notify(this.generation.id)
      await this.reached('sending-written')
      await this.exchange(context)
      if (this.call.state === 'accepted' || (this.understood?.pictures.length ?? 0) > 0) {
        await this.retryUntilStored('note that a configuration works', () =>
          this.parts.configurations.worked(this.call.configId, turn.isTrial),
        )
      }
      // The place is held while the task is known to run: the services limit running tasks, not only requests.
      if (this.call.state === 'accepted') await this.follow(turn)
      // A refusal is understood before the next one is sent into the same.
      if (this.call.state === 'answered' && this.understood?.pictures.length === 0) await this.settle()
    } finally {
      turn.release()
    }
  }

  /** No paid request is sent while storage is failing. */
  private async untilStoreIsSound() {
    const { collector, pauses, stopping } = this.parts
    for (let tries = 1; !this.cancelled.aborted && !stopping.aborted; tries++) {
      const trouble = await collector.storeTrouble()
      if (trouble === undefined) return
      const message = `Nothing is sent while pictures cannot be stored: ${trouble} Trying again.`
      await this.note({ code: 'nothing_can_be_stored', message, values: { detail: trouble } })
      await this.wait(pauses.storing(tries), this.cancelled, stopping)
    }
  }

  /** A place with a configuration, to which the call was moved if it was planned for another. Without one the call has ended. */
  private async turn(): Promise<Lease | undefined> {
    const { pool, stopping } = this.parts
    const placement = await this.placement()
    const signal = AbortSignal.any([this.cancelled, stopping])
    for (;;) {
      const turn = await this.retryUntilStored('find a configuration to send with', () => pool.enter(placement, signal))
      if (turn === undefined) {
        this.throwIfStopping()
        return void (await this.drop())
      }
      if (turn === 'none') return void (await this.endWithoutConfiguration())
      let isTaken = false
      try {
        isTaken = !(await this.isStillRefused(turn)) && (await this.moveTo(turn.configId))
      } finally {
        if (!isTaken) turn.release()
      }
      if (isTaken) return turn
      placement.without.add(turn.configId)
    }
  }

  /** What a free test can show need not be tried with a request. */
  private async isStillRefused({ configId, isTrial }: Lease): Promise<boolean> {
    if (!isTrial) return false
    const { configurations } = this.parts
    return this.retryUntilStored('test a configuration that was refused', async () => {
      const suspension = (await configurations.list()).find(({ id }) => id === configId)?.suspension
      return suspension?.code === 'provider_key_rejected' && (await configurations.isKeyStillRefused(configId))
    })
  }

  /** What earlier attempts of this call tell: who was asked, and who refused it for good. */
  private async placement() {
    const tried = new Set<string>()
    const without = new Set<string>()
    for (const { configId, error } of await this.earlierAttempts()) {
      tried.add(configId)
      if (error?.concerns) without.add(configId)
    }
    return { call: this.call, owner: this.generation.tokenId, askedAt: this.generation.timestamp, tried, without }
  }

  private async earlierAttempts(): Promise<CallRecord[]> {
    const { slot, attempt, generationId } = this.call
    if (attempt === 1) return []
    const calls = await this.retryUntilStored('read the ledger', () =>
      this.parts.store.calls.ofGeneration(generationId),
    )
    return calls.filter(call => call.slot === slot && call.attempt < attempt)
  }

  /** What it may cost counts in the cap of the other configuration from now on; false when that has no room. */
  private async moveTo(configId: string): Promise<boolean> {
    if (configId === this.call.configId) return true
    const { store, budget } = this.parts
    const { id, generationId, slot } = this.call
    const isMoved = await this.retryUntilStored('move a call to another configuration', () =>
      store
        .transaction(async repositories => {
          // Its row is held first: a move whose word was lost has come to its end then, and is not made twice.
          if (!(await repositories.calls.moved(id, configId))) return true
          if (!(await budget.shift(repositories, this.call, configId))) throw new NoRoom()
          if (slot === 0) await repositories.generations.change(generationId, { configId })
          return true
        })
        .catch(error => {
          if (error instanceof NoRoom) return false
          throw error
        }),
    )
    if (isMoved) await this.reload()
    return isMoved
  }

  private async endWithoutConfiguration() {
    const refusal = (await this.earlierAttempts()).findLast(({ error }) => error?.concerns)?.error
    if (refusal) return this.end({ outcome: 'refused', charge: 'none', error: refusal })
    const own = (await this.parts.configurations.list()).find(({ id }) => id === this.call.configId)
    if (!own?.suspension) return void (await this.context())
    const { message, providerCode, providerMessage, retryAfterMs } = new LeftAside(own.suspension)
    const error = { ...plainError(own.suspension.code, message), providerCode, providerMessage, retryAfterMs }
    await this.end({ outcome: 'dropped', charge: 'none', error })
  }

  private async drop() {
    const message = 'Cancelled before it was sent; nothing was charged.'
    await this.end({ outcome: 'dropped', charge: 'none', error: plainError('cancelled', message) })
  }

  // ── sending ───────────────────────────────────────────────────────────────────────────────────────────────────────

  private async exchange(context: Context) {
    const { call } = this
    const began = performance.now()
    const streamed: string[] = []
    let looks = 0
    let wasRequested = false
    let head: AnswerHead = { status: 200 }
    const keeper = new AnswerKeeper({
      smallBytes: largestInRow,
      begin: () => this.beginFile(head),
      retryUntilStored: work => this.retryUntilStored('keep the answer', work),
      failed: error => this.log.error({ err: error }, 'an answer cannot be written while it comes; trying again'),
    })
    const timeoutMs = this.parts.pauses.scaled(call.timeoutMs + longestBodyMs)
    const http: Http = {
      request: async request => {
        wasRequested = true
        const sent = context.http.request({ timeoutMs, through: pieces => keeper.through(pieces), ...request })
        const [response] = await Promise.all([sent, this.reached('request-sent')])
        const { status, headers } = response
        // All services name the id so; a broken body does not take it away.
        head = { status, contentType: headers['content-type'], requestId: headers['x-request-id'] }
        return response
      },
    }
    try {
      const sent = {
        id: call.id,
        route: call.route,
        body: call.body,
        timeoutMs: this.parts.pauses.scaled(call.timeoutMs),
      }
      for await (const learned of this.provider().send(sent, { ...context, http })) {
        if (learned.type === 'task') {
          const at = new Date().toISOString()
          await this.reached('task-known-before-written')
          await this.retryUntilStored('keep the task id', () =>
            this.parts.store.transaction(async ({ calls, generations }) => {
              const isRevived = await calls.accepted(call.id, learned.taskId, learned.requestId, at)
              if (isRevived) await generations.change(this.generation.id, goesOn)
            }),
          )
          await this.reached('task-written')
          this.log.info({ task: learned.taskId, provider_request_id: learned.requestId }, 'task accepted')
        } else if (learned.type === 'part' && !learned.matters) {
          streamed.push(learned.text)
        } else if (learned.type === 'part') {
          await this.reached('stream-part-read')
          await keeper.commit()
          streamed.push(learned.text)
          await this.reached('stream-part-appended')
          // The others are found when the stream has ended.
          if (++looks <= maxEarlyLooks)
            this.collectFrom({ ...learned, body: streamed.join(''), complete: false }, keeper.name)
        } else {
          if (keeper.needsFile) {
            await keeper.commit()
            if (streamed.length === 0) await this.reached('answer-file-written')
          }
          await this.keepOrAdopt(learned.answer, keeper.name)
        }
      }
      await this.reload()
      if (this.call.state === 'sending') throw new Error('the adapter ended an exchange without an answer')
      this.log.info(
        {
          ms: Math.round(performance.now() - began),
          state: this.call.state,
          provider_request_id: this.call.providerRequestId,
        },
        'exchange ended',
      )
    } catch (error) {
      if (!wasRequested && !(error instanceof ExchangeError) && !this.parts.ending.aborted) await this.notSent(error)
      else {
        if (keeper.needsFile) await keeper.commit()
        await this.exchangeFailed(error, { ...head, file: keeper.name, body: streamed.join('') })
      }
    } finally {
      await keeper.close()
    }
  }

  private async beginFile({ status, contentType, requestId }: AnswerHead) {
    const { store, answers } = this.parts
    const growing = await answers.begin(this.call.id)
    try {
      await store.calls.streaming(this.call.id, growing.name, status, contentType, requestId)
    } catch (error) {
      await growing.close()
      throw error
    }
    await this.reached('stream-begun')
    return growing
  }

  /** It could not even be put together, so there is no doubt about money. */
  private async notSent(error: unknown) {
    if (error instanceof Stopped) throw error
    this.log.error({ err: error }, 'a request could not be put together; nothing was sent')
    const reason = error instanceof StorageError || error instanceof MissingReference ? ` ${error.message}` : ''
    const message = `The request could not be put together, so nothing was sent and nothing was charged.${reason} Ask again.`
    await this.end({ outcome: 'refused', charge: 'none', error: plainError('storage_failed', message) })
  }

  private async exchangeFailed(error: unknown, came: CutAnswer) {
    if (error instanceof Stopped || this.parts.ending.aborted) throw new Stopped()
    if (!(error instanceof ExchangeError)) {
      this.log.error({ err: error }, 'the exchange broke for a reason of our own')
      return this.lost(unknownOutcome('Something broke here after the request was sent.'), came)
    }
    this.log.warn({ code: error.failure.code, disposition: error.failure.disposition, err: error }, 'exchange failed')
    if (error.failure.disposition === 'retry_safe') return this.repeatOrRefuse(error.failure)
    if (error.failure.disposition === 'refused') return this.refuse(error.failure)
    return this.lost(error.failure, { ...came, body: came.body || error.partial })
  }

  /** The request may have arrived and its answer did not, or not whole. Never sent again by itself. */
  private async lost(failure: ProviderFailure, { file, body, ...head }: CutAnswer) {
    await this.reload()
    if (this.call.state !== 'sending') return
    const requestId = failure.requestId ?? head.requestId
    if (body !== '') return this.keep({ ...head, requestId, body, complete: isWholeJson(body) }, file)
    if (await this.adopt()) return
    await this.end({ outcome: 'unknown', charge: 'unknown', error: errorRecord({ ...failure, requestId }) })
  }

  /** After a restart: the request may have been sent, and nobody heard the end. */
  private async recover() {
    if (await this.takeUp()) return
    // What another server has sent since is its own to wait for.
    await this.retryUntilStored('look after a request that was sent', () => this.parts.store.asOwner(async () => {}))
    const { answer } = this.call
    const file = answer?.file ?? undefined
    const body = file === undefined ? '' : ((await this.keptText(file)) ?? '')
    const failure = unknownOutcome('The server was stopped while it waited for the answer.')
    await this.lost(failure, { status: answer?.status ?? 200, contentType: answer?.contentType, file, body })
  }

  /** An answer that reached the disk before its row could tell of it. */
  private async takeUp(): Promise<boolean> {
    const found = await this.parts.answers.find(this.call.id)
    if (!found) return false
    const { name, ...answer } = found
    this.log.warn('an answer that was kept before its row could tell of it is taken up')
    await this.keep(answer, name)
    return true
  }

  /** Looks for the task of a submit whose answer was lost; exactly one that nobody knows, and no other lost submit, is ours. */
  private async adopt(): Promise<boolean> {
    const { call, parts } = this
    const provider = this.provider()
    const sentAt = Date.parse(call.sentAt ?? '')
    const context = provider.findTasks && !Number.isNaN(sentAt) ? await this.context() : undefined
    if (!provider.findTasks || !context) return this.call.state === 'settled'
    parts.underWay.delete(call.id)
    const window = { from: new Date(sentAt - clockSkewMs), to: new Date(sentAt + clockSkewMs + call.timeoutMs) }
    let emptyLooks = 0
    for (let looks = 1; looks <= maxLooks; looks++) {
      const found = await provider.findTasks({ model: call.model, route: call.route, ...window }, context)
      if (found === null) return false
      const candidates = await this.candidates(window)
      if (candidates.lost > 0) return false
      // While another submit is under way, a task that nobody knows may be its own.
      if (found && candidates.underWay === 0) {
        const known = await parts.store.calls.knownTaskIds()
        const orphans = found.filter(id => !known.has(id))
        const [orphan] = orphans
        if (orphans.length > 1) return false
        if (orphan) return await this.adoptTask(orphan)
        if (++emptyLooks >= maxEmptyLooks) return false
      }
      await this.wait(parts.pauses.poll(Math.min(60_000, 1_000 * 2 ** looks)), parts.stopping)
      this.throwIfStopping()
    }
    return false
  }

  private async adoptTask(taskId: string) {
    const at = new Date().toISOString()
    await this.retryUntilStored('keep the id of a task that was found again', () =>
      this.parts.store.calls.accepted(this.call.id, taskId, undefined, at, true),
    )
    this.log.warn({ task: taskId }, 'a task whose id was lost was found in the list of the service')
    await this.reload()
    return true
  }

  /** Other submits of that time which could have made a task that nobody knows. Two configurations may be one account. */
  private async candidates(window: { from: Date; to: Date }) {
    const { provider, model, id } = this.call
    const { underWay, store } = this.parts
    const others = (await store.calls.withoutAnswer(provider, model, window)).filter(other => other.id !== id)
    const lostOnes = others.filter(({ id, state }) => state === 'settled' || !underWay.has(id)).length
    return { lost: lostOnes, underWay: others.length - lostOnes }
  }

  // ── accepted ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private async follow(turn?: Lease) {
    const { pauses, stopping } = this.parts
    const provider = this.provider()
    if (!provider.poll || !this.call.taskId) return
    // Counted by this process: a clock that was put forward gives nothing up.
    const beganAt = performance.now()
    let { taskId } = this.call
    let askedToCancel = false
    let pauseMs = 2_000
    let troubles = 0
    for (let polls = 0; ; polls++) {
      await this.wait(pauses.poll(pauseMs), stopping, ...(askedToCancel ? [] : [this.cancelled]))
      this.throwIfStopping()
      // Read anew each time: a key that was refused may have been replaced meanwhile.
      const context = await this.access(troubles)
      const isOtherKey = !('unusable' in context) && context.isOtherKey
      const task = { id: taskId, route: this.call.route, polls, isOtherKey }
      if (this.cancelled.aborted && !askedToCancel && !('unusable' in context)) {
        askedToCancel = true
        if (await provider.cancel?.(task, context)) {
          const message = 'Cancelled while it waited at the service; nothing was charged.'
          return this.end({ outcome: 'dropped', charge: 'none', error: plainError('cancelled', message) })
        }
      }
      await this.reached('before-poll')
      const polled = await this.look(task, context)
      if ('taskId' in polled && polled.taskId !== undefined) taskId = polled.taskId
      if (polled.state === 'ended')
        return this.call.wasFound ? this.keepFound(polled.answer) : this.keep(polled.answer, undefined)
      if (performance.now() - beganAt > pauses.scaled(resultLifeMs)) {
        const what =
          polled.state === 'unsure'
            ? 'The service could not be asked for its task for a day, and has forgotten it.'
            : 'The service did not come to the end of its task in a day.'
        return this.end({ outcome: 'unknown', charge: 'unknown', error: errorRecord(unknownOutcome(what)) })
      }
      if (polled.state === 'unsure') {
        this.log.warn({ task: task.id, reason: polled.reason }, 'task could not be looked at')
        if (++troubles === maxQuietTroubles) {
          const message = `The service works on it, but cannot be asked for the result: ${polled.reason} Trying again.`
          await this.note({ code: 'result_out_of_reach', message, values: { detail: polled.reason } })
          // Nobody knows for how long: until then it would stand in the way of what can be sent.
          turn?.release()
        }
      } else if (troubles > 0) {
        troubles = 0
        await this.note(null)
      }
      pauseMs = polled.afterMs
    }
  }

  /** Another program of the account may have asked for it: then its picture is nobody's business here. */
  private async keepFound(answer: RawAnswer) {
    const isOwn = this.provider().isOwnTask?.(answer, this.call)
    if (isOwn !== false) return this.keep(answer, undefined, { isProven: isOwn === true })
    const failure = unknownOutcome(
      'The answer of the service was lost, and the only task that it has of that time was asked for by another program.',
    )
    await this.end({ outcome: 'unknown', charge: 'unknown', error: errorRecord(failure) })
  }

  private async look(task: Task, context: Context | Unusable): Promise<Polled> {
    if ('unusable' in context) return { state: 'unsure', afterMs: 30_000, reason: context.unusable }
    const { stopping } = this.parts
    return this.provider().poll!(task, { ...context, signal: stopping }).catch(error => {
      this.throwIfStopping()
      throw error
    })
  }

  // ── answered ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Makes the raw answer safe before anyone understands it. A database that cannot take it is given time; a file holds the answer
   * meanwhile, so that it outlives this process.
   */
  private async keep(answer: RawAnswer, keptFile: string | undefined, { isProven = false } = {}) {
    const { store, answers } = this.parts
    const { id } = this.call
    const { body, ...head } = answer
    const isSmall = body.length <= largestInRow
    const isDoubtful = this.call.wasFound && !isProven
    const paid = this.understand(answer)
    let spare: string | undefined
    await this.reached('answer-read-before-kept')
    const at = new Date().toISOString()
    await this.retryUntilStored('keep the answer', async () => {
      let file = keptFile
      if (!file && !isSmall) {
        file = await answers.write(id, answer)
        await this.reached('answer-file-written')
      }
      try {
        // Whoever has the database now may not see what is written into this one.
        if (isSmall && !keptFile && !store.isOurs()) await answers.write(id, answer)
        await store.transaction(async ({ calls, generations }) => {
          const isRevived = await calls.answered(id, { ...head, isProven, file, body: file ? undefined : body }, at)
          const changes = {
            ...(isRevived && goesOn),
            ...(paid && isDoubtful ? { ...paid, charge: 'unknown' as const } : paid),
          }
          if (paid || isRevived) await generations.change(this.generation.id, changes)
          if (paid && isDoubtful) {
            const warnings = (await generations.find(this.generation.id))?.warnings ?? []
            const isTold = warnings.some(({ code }) => code === notProven.code)
            if (!isTold) await generations.change(this.generation.id, { warnings: [...warnings, notProven] })
          }
        })
      } catch (error) {
        if (isSmall && !keptFile) spare ??= await answers.write(id, answer).catch(() => undefined)
        throw error
      }
    })
    if (paid) this.parts.notifier.notify(this.generation.id)
    if (spare) await answers.remove(spare).catch(error => this.log.warn({ err: error }, 'a spare answer stays behind'))
    await this.reached('answer-kept')
    await this.reload()
  }

  /** What an answer with pictures changes at once. That it cannot be understood is told when the call is settled. */
  private understand(answer: RawAnswer): GenerationChange | undefined {
    try {
      const requestId = answer.requestId ?? this.call.providerRequestId ?? undefined
      this.understood = this.provider().parse({ ...answer, requestId }, this.call)
      return this.understood.pictures.length > 0 ? paidChange(this.understood) : undefined
    } catch {
      this.understood = undefined
      return undefined
    }
  }

  /**
   * An answer that is not the service's own, whatever its status, says nothing about the task that the submit may have made: it is
   * looked for before that is given up.
   */
  private async keepOrAdopt(answer: RawAnswer, streamFile: string | undefined) {
    if (this.provider().findTasks && this.provesNothing(answer)) {
      // The row knows when it was sent.
      await this.reload()
      if (await this.adopt()) return
    }
    await this.keep(answer, streamFile)
  }

  private provesNothing(answer: RawAnswer): boolean {
    try {
      const { pictures, error } = this.provider().parse(answer, this.call)
      return pictures.length === 0 && error?.disposition === 'maybe_billed'
    } catch {
      // That it cannot be understood is told when the call is settled.
      return false
    }
  }

  private async settle() {
    const { parts, call } = this
    const parsed = this.understood ?? (await this.parsedAnswer())
    this.understood = undefined
    if (parsed.pictures.length === 0) return this.settleWithout(parsed)

    const lost = await Promise.all(this.collect(parsed, call.answer?.file ?? undefined))
    const failures = [
      ...parsed.failures.map(
        (failure): FailureRecord => ({
          index: this.positionOf(failure.index),
          code: failure.code,
          message: failure.message,
          providerCode: failure.providerCode ?? null,
        }),
      ),
      ...lost.filter(failure => failure !== undefined),
      ...this.missing(parsed),
    ]
    await this.end({
      outcome: 'made',
      charge: parsed.complete && !call.wasFound ? 'charged' : 'unknown',
      billedImages: parsed.billedImages ?? parsed.pictures.length,
      failures: failures.sort((a, b) => a.index - b.index),
    })
    // The pictures of a large answer are files of their own now; a second copy of them in base64 serves nobody.
    const file = call.answer?.file
    if (file && failures.length === 0 && parsed.pictures.some(picture => picture.base64 !== undefined))
      await parts.answers.remove(file)
  }

  private async settleWithout(parsed: Parsed) {
    const failure = parsed.error ?? unknownOutcome('The answer of the service broke off.')
    if (parsed.complete && failure.disposition === 'retry_safe') return this.repeatOrRefuse(failure)
    if (parsed.complete && failure.disposition === 'refused') {
      const failures = parsed.failures.map(
        (item): FailureRecord => ({
          index: this.positionOf(item.index),
          code: item.code,
          message: item.message,
          providerCode: item.providerCode ?? null,
        }),
      )
      return this.refuse(failure, failures)
    }
    await this.end({ outcome: 'unknown', charge: 'unknown', error: errorRecord(failure) })
  }

  private async parsedAnswer(): Promise<Parsed> {
    const { call } = this
    const answer = call.answer
    if (!answer) throw new Error(`call ${call.id} is answered but holds no answer`)
    const body = answer.body ?? (answer.file ? await this.keptText(answer.file) : '')
    if (body === undefined) {
      const error = unknownOutcome(`The file answers/${answer.file}, which held the answer of the service, has gone.`)
      return { pictures: [], failures: [], error, complete: answer.complete }
    }
    const raw: RawAnswer = { ...answer, body, requestId: call.providerRequestId ?? undefined }
    try {
      return this.provider().parse(raw, call)
    } catch (error) {
      this.log.error({ err: error }, 'an answer could not be understood; it is kept with its call')
      const failure = unknownOutcome('The answer of the service could not be understood.')
      return { pictures: [], failures: [], error: failure, complete: answer.complete }
    }
  }

  /** A file that has gone may be put back; it is given up after as long as the pictures of an answer live, or with a cancel. */
  private keptText(file: string): Promise<string | undefined> {
    return this.fromFile(file, () => this.parts.answers.read(file))
  }

  private async fromFile(file: string, read: () => Promise<string | undefined>): Promise<string | undefined> {
    const { pauses, stopping } = this.parts
    const beganAt = performance.now()
    for (let tries = 1; ; tries++) {
      const text = await read()
      if (text !== undefined || this.cancelled.aborted || performance.now() - beganAt > pauses.scaled(resultLifeMs)) {
        await this.note(null)
        return text
      }
      const message = `The file answers/${file} of the data folder, which holds the answer of the service, has gone. Put it back, or cancel the generation to give its pictures up.`
      await this.note({ code: 'answer_file_gone', message, values: { file: `answers/${file}` } })
      await this.wait(pauses.storing(tries), this.cancelled, stopping)
      this.throwIfStopping()
    }
  }

  private collectFrom(answer: RawAnswer, file: string | undefined) {
    try {
      for (const collected of this.collect(this.provider().parse(answer, this.call), file)) {
        // Whatever ends it early is met again when the call is settled.
        collected.catch(() => {})
      }
    } catch (error) {
      this.log.warn({ err: error }, 'the beginning of a stream could not be understood yet')
    }
  }

  /** Each picture is collected once, however often the answer is parsed. */
  private collect(parsed: Parsed, file: string | undefined): Promise<FailureRecord | undefined>[] {
    return parsed.pictures.map(picture => {
      const known = this.collecting.get(picture.index)
      if (known) return known
      const collected = this.collectOne(picture, file)
      this.collecting.set(picture.index, collected)
      return collected
    })
  }

  private async collectOne(picture: Picture, file: string | undefined) {
    const { store, collector, ending, stopping } = this.parts
    // A fetch under way gets the time that a stop leaves: the address may be dead by the next start.
    const position = this.positionOf(picture.index)
    const stored = await store.images.ofGenerations([this.generation.id])
    if (stored.some(image => image.index === position)) return undefined
    const place = {
      generationId: this.generation.id,
      callId: this.call.id,
      tokenId: this.generation.tokenId,
      position,
      note: (reason: Reason | null) => this.note(reason),
    }
    const collect = async (whole: Picture) =>
      collector.collect(whole, place, { fetching: ending, waiting: stopping }).catch(error => {
        this.throwIfStopping()
        throw error
      })
    const rest = placeOf(picture.base64 ?? '')
    if (!rest || file === undefined) return collect(await this.located(picture))
    // One such picture is in memory at a time, whoever asked for it.
    return this.parts.largeTexts.add(async () => {
      const read = () => this.parts.answers.readString(file, rest, largestBase64)
      return collect({ ...picture, base64: (await this.fromFile(file, read)) ?? '' })
    })
  }

  /** A place without a host is at home at the address that answered, as links of a page are. */
  private async located(picture: Picture): Promise<Picture> {
    if (picture.url === undefined || /^[a-z][a-z0-9+.-]*:/i.test(picture.url)) return picture
    const context = await this.access()
    if ('unusable' in context) return picture
    const from = new URL(this.provider().addressOf(this.call.route, context.baseUrl))
    const isRooted = picture.url.startsWith('/') && !picture.url.startsWith('//')
    // Letter for letter, where that is possible: a signature may cover it.
    return { ...picture, url: isRooted ? from.origin + picture.url : new URL(picture.url, from).href }
  }

  /** Asked for, and neither made nor refused. */
  private missing(parsed: Parsed): FailureRecord[] {
    const told = new Set([...parsed.pictures, ...parsed.failures].map(item => item.index))
    const billed = Math.max(0, (parsed.billedImages ?? 0) - parsed.pictures.length)
    return Array.from({ length: this.call.images }, (_, index) => index)
      .filter(index => !told.has(index))
      .map((index, position) => ({ index: this.positionOf(index), ...fateOfMissing(parsed, position < billed) }))
  }

  private positionOf(index: number) {
    return positionOf(this.call, this.planned, index)
  }

  // ── ends ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Nothing was made, so the same may be sent again: at once with a configuration that was not asked yet, or after a pause. */
  private async repeatOrRefuse(failure: ProviderFailure) {
    const { call } = this
    const { pauses, pool } = this.parts
    const isRateLimit = failure.code === 'rate_limited'
    const placement = await this.placement()
    const tried = placement.tried.add(call.configId)
    const repeats = call.attempt - tried.size
    const asked = pauses.scaled(failure.retryAfterMs ?? 0)
    const pauseMs = Math.max(asked, pauses.repeat(repeats + 1, isRateLimit))
    // One answer that names a day must not hold back everything else for a day.
    if (isRateLimit) pool.rest(call.configId, Math.min(pauseMs, pauses.scaled(longestRetryAfterMs)))
    if (this.cancelled.aborted || (await this.wasRepeatedEnough(failure))) return this.endRefused(failure)
    if (await this.isThereAnother(placement)) return this.planAgain(failure, isRateLimit ? 0 : pauseMs)
    if (repeats >= maxAttempts - 1 || (failure.retryAfterMs ?? 0) > longestRetryAfterMs) return this.endRefused(failure)
    return this.planAgain(failure, pauseMs)
  }

  /** Whatever configuration it was sent with. */
  private async wasRepeatedEnough({ code, maxRepeats }: ProviderFailure): Promise<boolean> {
    if (maxRepeats === undefined) return false
    const alike = (await this.earlierAttempts()).filter(({ error }) => error?.code === code)
    return alike.length >= maxRepeats
  }

  /** Refused for good. Where that is about the key and not about the request, another configuration may still make it. */
  private async refuse(given: ProviderFailure, failures: FailureRecord[] = []) {
    const { pool, configurations } = this.parts
    const failure = given.isModelUnknown ? await this.explained(given) : given
    const { configId, model } = this.call
    if (failure.concerns === 'configuration') {
      const sentAt = Date.parse(this.call.sentAt ?? '') || Date.now()
      await this.retryUntilStored('leave a configuration aside', () =>
        configurations.suspend(configId, failure, sentAt),
      )
      this.log.error({ configuration: configId, code: failure.code }, 'a service refused the configuration')
    } else if (failure.concerns === 'model') pool.avoid(configId, model)
    if (failure.concerns && !this.cancelled.aborted) {
      const placement = await this.placement()
      placement.tried.add(configId)
      placement.without.add(configId)
      if (await this.isThereAnother(placement)) return this.planAgain(failure, 0)
    }
    return this.endRefused(failure, failures)
  }

  private async explained(failure: ProviderFailure): Promise<ProviderFailure> {
    const { explainUnknownModel, stopping } = this.parts
    try {
      return await explainUnknownModel(this.call, failure, AbortSignal.any([this.cancelled, stopping]))
    } catch (error) {
      this.log.warn({ err: error }, 'nothing more could be found out about a model that the service does not know')
      return failure
    }
  }

  private isThereAnother(placement: PlacementRequest) {
    return this.retryUntilStored('look for another configuration', () => this.parts.pool.isThereAnother(placement))
  }

  /** The same call once more, as a row of its own. */
  private async planAgain(failure: ProviderFailure, pauseMs: number) {
    const { call } = this
    const { store } = this.parts
    const notBefore = new Date(Date.now() + pauseMs).toISOString()
    const next = { ...call, id: randomUUID(), attempt: call.attempt + 1, notBefore }
    const at = new Date().toISOString()
    await this.retryUntilStored('note that a call is repeated', () =>
      store.transaction(async ({ calls, generations }) => {
        const settlement: Settlement = { outcome: 'repeated', charge: 'none', error: errorRecord(failure) }
        await calls.settled(call.id, settlement, at)
        await calls.insert(next)
        await generations.change(call.generationId, { charge: chargeOf(await calls.ofGeneration(call.generationId)) })
      }),
    )
    if (pauseMs > 0) {
      const message = `${failure.message} Nothing was charged; it is sent again by itself at ${notBefore.slice(11, 19)} (UTC).`
      const values = { detail: failure.message, at: notBefore }
      await this.parts.waiting.note(call.generationId, { code: 'sent_again', message, values }, { isBounded: true })
    }
    await this.reached('repeat-written')
    this.log.warn(
      { code: failure.code, attempt: call.attempt, pause_ms: Math.round(pauseMs) },
      'refused without a picture; it will be sent again',
    )
    this.parts.underWay.delete(call.id)
    const planned = await store.calls.find(next.id)
    if (planned) this.call = withoutBody(planned)
  }

  private async endRefused(failure: ProviderFailure, failures: FailureRecord[] = []) {
    // Prefer the error of a configuration with a valid key.
    const said = failure.concerns === 'configuration' ? await this.earlierAttempts() : []
    const telling = said.find(({ error }) => error?.concerns === 'model')?.error
    await this.end({ outcome: 'refused', charge: 'none', error: telling ?? errorRecord(failure), failures })
  }

  private async end(settlement: Settlement) {
    await this.reached('before-settled')
    const at = new Date().toISOString()
    await this.retryUntilStored('note how a call ended', () =>
      this.parts.store.calls.settled(this.call.id, settlement, at),
    )
    await this.reached('settled')
    const { outcome, charge, error } = settlement
    this.log.info(
      {
        outcome,
        charge,
        code: error?.code,
        provider_code: error?.providerCode,
        provider_request_id: this.call.providerRequestId,
      },
      'call settled',
    )
    await this.reload()
  }

  // ── what every step needs ─────────────────────────────────────────────────────────────────────────────────────────

  private provider(): Provider {
    return this.parts.catalogue.provider(this.call.provider)
  }

  /** Undefined when there is no key to go on with; the call is settled then. */
  private async context(): Promise<Context | undefined> {
    const context = await this.access()
    if (!('unusable' in context)) return context
    const wasSent = this.call.state !== 'planned'
    await this.end({
      outcome: wasSent ? 'unknown' : 'dropped',
      charge: wasSent ? 'unknown' : 'none',
      error: plainError(wasSent ? 'outcome_unknown' : 'configuration_missing', context.unusable),
    })
    return undefined
  }

  /**
   * With the key and the address that the call was sent with; before that, and where nothing was kept, with the present ones. One may
   * have been revoked and the other belong to another account, so later tries take turns.
   */
  private async access(tries = 0): Promise<(Context & { isOtherKey: boolean }) | Unusable> {
    const sent = this.sentWith()
    const present = await this.present()
    const ways: (SentWith & { isOtherKey: boolean })[] = sent ? [{ ...sent, isOtherKey: false }] : []
    if ('unusable' in present) {
      if (!sent) return present
    } else if (present.apiKey !== sent?.apiKey || present.baseUrl !== sent.baseUrl) {
      ways.push({ ...present, isOtherKey: sent !== undefined })
    }
    const { apiKey, baseUrl, isOtherKey } = ways[tries % ways.length]!
    const { http, ending: signal } = this.parts
    return { apiKey, baseUrl, http, signal, reference: index => this.reference(index), isOtherKey }
  }

  /** Undefined where nothing was kept, or the secret that sealed it was lost. */
  private sentWith(): SentWith | undefined {
    const { id, sentWith } = this.call
    try {
      return sentWith === null ? undefined : this.parts.configurations.openSent(id, sentWith)
    } catch (error) {
      if (!(error instanceof SealError)) throw error
      return undefined
    }
  }

  private async present(): Promise<SentWith | Unusable> {
    try {
      return await this.parts.configurations.access(this.call.configId)
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof SealError)) throw error
      return { unusable: `The configuration cannot be used any more: ${error.message}` }
    }
  }

  private async reference(index: number) {
    const prepared = await this.parts.store.images.preparedReference(this.generation.id, index)
    if (!prepared) throw new MissingReference(index)
    const chunks: Buffer[] = []
    for await (const chunk of await this.parts.files.open(prepared.file)) chunks.push(chunk as Buffer)
    return { mimeType: prepared.mimeType, bytes: Buffer.concat(chunks) }
  }

  private async reload() {
    const call = await this.retryUntilStored('read the ledger', () => this.parts.store.calls.find(this.call.id))
    if (!call) throw new Error(`call ${this.call.id} has gone from the ledger`)
    this.call = call
  }

  /**
   * A step that must not be skipped: while the disk is full or the database locked it is tried again and again, and the person is
   * told why nothing moves.
   */
  private async retryUntilStored<T>(what: string, work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        const result = await work()
        if (tries > 1) await this.note(null)
        return result
      } catch (error) {
        if (error instanceof LedgerError) throw error
        this.log.error({ err: error, tries }, `could not ${what}; trying again`)
        const detail = error instanceof Error ? error.message : String(error)
        const message = `The server could not ${what}: ${detail}. Trying again.`
        await this.note({ code: 'not_recorded', message, values: { detail } })
        // Nothing is lost with a call that was not sent; anything later has the time that a stop leaves.
        const { stopping, ending, pauses } = this.parts
        const end = this.call.state === 'planned' ? stopping : ending
        await this.wait(pauses.storing(tries), end)
        if (end.aborted) throw new Stopped()
      }
    }
  }

  private noted: Reason | null = null

  private async note(reason: Reason | null) {
    if (reason === null && this.noted === null) return
    if (reason !== null && reason.message !== this.noted?.message)
      this.log.error({ reason: reason.message }, 'a generation waits')
    this.noted = reason
    await this.parts.waiting.note(this.generation.id, reason)
  }

  /** Ends early, without an error, when one of the signals aborts. */
  private async wait(ms: number, ...signals: AbortSignal[]) {
    await this.parts.pauses.wait(ms, AbortSignal.any(signals)).catch(() => {})
  }

  private reached(point: Failpoint) {
    return this.parts.reached(point, this.generation.id)
  }

  private throwIfStopping() {
    if (this.parts.stopping.aborted) throw new Stopped()
  }
}

/** Thousands may wait: what is sent is read when its turn has come. */
function withoutBody(call: CallRecord): CallRecord {
  return { ...call, body: {} }
}

/** What is known of the money of a generation whose calls stand like this. */
function chargeOf(calls: readonly CallRecord[]): Charge {
  const has = (charge: Charge) => calls.some(call => call.charge === charge)
  return has('charged') ? 'charged' : has('unknown') ? 'unknown' : 'none'
}

/** Of a generation that another server had given up. */
export const goesOn: GenerationChange = { status: 'running', finishedAt: null, error: null, failures: [] }

/** Then it is whole, whatever became of the connection that brought it. */
function isWholeJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function paidChange(parsed: Parsed): GenerationChange {
  return { charge: 'charged', ...(parsed.revisedPrompt ? { revisedPrompt: parsed.revisedPrompt } : {}) }
}

function fateOfMissing({ complete }: Parsed, isBilled: boolean): Omit<FailureRecord, 'index'> {
  if (!complete) {
    const message = 'The connection broke before this picture came; it may have been made and charged.'
    return { code: 'outcome_unknown', message, providerCode: null }
  }
  if (isBilled) {
    const message =
      'The service counts this picture as made and charged, but its answer does not hold it. Show its support the request id.'
    return { code: 'outcome_unknown', message, providerCode: null }
  }
  const message = 'The service made fewer pictures than asked for; this one was not made and not charged.'
  return { code: 'not_made', message, providerCode: null }
}

/** Another configuration may not take what a call may cost. */
class NoRoom extends Error {
  override name = 'NoRoom'
}

class MissingReference extends Error {
  override name = 'MissingReference'

  constructor(index: number) {
    super(`Reference ${index + 1} is not in the picture store any more.`)
  }
}

const notProven: Warning = {
  code: 'task_not_proven',
  parameter: 'prompt',
  message:
    'The answer of the service was lost, and the only task that it has of that time was taken for this one. The service does not tell what was asked for there: if it is not your picture, another program of the account asked for it.',
}

function unknownOutcome(what: string): ProviderFailure {
  const message = `${what} The service may have made and charged the picture. Look at the usage page of the service before you ask again.`
  return { code: 'outcome_unknown', disposition: 'maybe_billed', message }
}

function errorRecord(failure: ProviderFailure): ErrorRecord {
  return {
    code: failure.code,
    message: failure.message,
    providerCode: failure.providerCode ?? null,
    providerMessage: failure.providerMessage ?? null,
    providerRequestId: failure.requestId ?? null,
    retryAfterMs: failure.retryAfterMs ?? null,
    concerns: failure.concerns,
    reason: failure.reason,
  }
}

function plainError(code: string, message: string): ErrorRecord {
  return { code, message, providerCode: null, providerMessage: null, providerRequestId: null, retryAfterMs: null }
}
