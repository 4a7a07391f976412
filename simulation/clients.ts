/** Who asks for pictures: they wait, lose patience, ask again with the same key, cancel, repeat and delete. */

import type { GenerationRequest, Services } from '../src/generation/services.ts'
import type { Caller } from '../src/members/caller.ts'
import type { GenerationRecord } from '../src/storage/records.ts'
import { CommitUnknown } from '../src/storage/trouble.ts'
import type { Facts, Told } from './facts.ts'
import type { Order, Plan } from './plan.ts'
import type { World } from './world/world.ts'

const admin: Caller = { role: 'admin', isKnown: true, ownerId: null, models: null }

export class Clients {
  readonly orders: Told[]
  private readonly world: World
  private readonly orderPlan: Plan
  private readonly facts: Facts
  private readonly services: () => Services | undefined
  /** Calls of a generation that the ledger tells of as sent. */
  private readonly sentOf: (generationId: string) => Set<string>
  /** Promises of the program that a client waits for, with what is done when the program dies before. */
  private readonly waiting = new Map<symbol, { name: string; lost(): void }>()
  /** What is done once the program runs again. */
  private later: (() => void)[] = []

  constructor(
    world: World,
    plan: Plan,
    facts: Facts,
    { services, sentOf }: { services(): Services | undefined; sentOf(generationId: string): Set<string> },
  ) {
    this.world = world
    this.orderPlan = plan
    this.facts = facts
    this.services = services
    this.sentOf = sentOf
    this.orders = plan.orders.map(order => ({
      order,
      ids: new Set(),
      repeats: new Set(),
      lostRepeats: 0,
      refusals: [],
      ends: [],
      removed: new Set(),
      cancels: [],
      lost: 0,
      isDone: false,
    }))
  }

  get isDone() {
    return this.open.length === 0
  }

  get open() {
    return this.orders.filter(({ isDone }) => !isDone).map(({ order }) => order.name)
  }

  plan() {
    for (const told of this.orders) this.world.plan('outside', told.order.atMs, '', () => this.ask(told))
  }

  /** In the first life: keys, tokens and caps. */
  async settle(services: Services) {
    const { caps, hasSecondKey, maxRunning } = this.orderPlan
    const { facts } = this
    if (facts.configIds.length > 0) return
    const openai = await services.configurations.add({
      ...{ name: 'OpenAI style', provider: 'openai', baseUrl: 'http://openai.test/v1', apiKey: 'sk-of-the-simulation' },
      monthlyImages: caps.configuration ?? null,
    })
    const configIds = [openai.id]
    if (hasSecondKey) {
      const second = {
        provider: 'doubao',
        apiKey: 'second-ark-key-of-the-simulation',
        maxRunning: maxRunning ?? null,
        monthlyImages: caps.configuration ?? null,
      }
      configIds.push((await services.configurations.add({ name: 'second', ...second })).id)
    }
    const monthlyImages = caps.token ?? null
    const made = await services.tokens.make({
      ...{ name: 'member', role: 'member', monthlyCap: null, models: null },
      monthlyImages,
    })
    facts.ownerId = made.token.id
    facts.configIds = configIds
  }

  /** The program runs. */
  begin() {
    const { later } = this
    this.later = []
    for (const work of later) work()
  }

  /** The program has died. */
  lostServer() {
    const waiting = [...this.waiting.values()]
    this.waiting.clear()
    for (const { lost } of waiting) lost()
  }

  /** Who still waits for the program. */
  unsettled() {
    return [...this.waiting.values()].map(({ name }) => name)
  }

  private caller({ hasToken }: Order): Caller {
    const { ownerId = null } = this.facts
    return hasToken ? { role: 'member', isKnown: true, ownerId, models: null } : admin
  }

  private when(work: () => void) {
    if (this.services() === undefined || this.world.isCrashed) this.later.push(work)
    else work()
  }

  private after(ms: number, work: () => void) {
    this.world.plan('outside', ms, '', () => this.when(work))
  }

  /** Calls the program; what it says is heard only while it lives. */
  private call<T>(
    name: string,
    work: (services: Services) => Promise<T>,
    next: { told(value: T): void; refused(error: Error): void; lost(): void },
  ) {
    const services = this.services()
    if (!services || this.world.isCrashed) return next.lost()
    const id = Symbol(name)
    const { waiting, world } = this
    waiting.set(id, { name, lost: next.lost })
    const isHeard = () => waiting.delete(id) && !world.isCrashed
    // As the server does before it answers.
    const answered = work(services).then(async value => {
      await services.whenDurable()
      return value
    })
    answered.then(
      value => {
        if (isHeard()) next.told(value)
      },
      (error: Error) => {
        if (!isHeard()) return
        world.tell(`  ${name}: ${error.name} ${'code' in error ? error.code : ''} ${error.message.slice(0, 100)}`)
        if (error instanceof CommitUnknown) next.lost()
        else next.refused(error)
      },
    )
  }

  private ask(told: Told) {
    this.when(() => {
      if (told.order.isEstimated) this.estimate(told)
      this.askOnce(told, true)
      if (told.order.isDoubled) this.askOnce(told, false)
    })
  }

  /** It is free, and tells as many pictures and requests as are made then. */
  private estimate({ order }: Told) {
    const { kind, name } = order
    this.call(`estimate ${name}`, services => services.generations.estimate(requestOf(order), this.caller(order)), {
      told: ({ images, calls }) => {
        if (images !== kind.pictures || calls !== kind.calls)
          this.facts.violations.push(`${name} was estimated as ${images} pictures in ${calls} requests`)
      },
      refused() {},
      lost() {},
    })
  }

  private askOnce(told: Told, isFirst: boolean, tries = 1) {
    const { order } = told
    const { kind, name, key } = order
    const request = requestOf(order)
    const idempotency = key === undefined ? undefined : { key, bodyHash: name }
    const again = () => {
      if (key !== undefined) this.after(3_000, () => this.askOnce(told, isFirst, tries + 1))
      else if (isFirst) told.isDone = true
    }
    this.world.tell(`${name} asks for ${kind.name}`)
    this.call(
      `create ${name}`,
      services => services.generations.create(request, { caller: this.caller(order), requestId: name, idempotency }),
      {
        told: record => {
          this.world.tell(`  ${name} is ${record.id}`)
          told.ids.add(record.id)
          if (isFirst) this.goOn(told, record.id)
        },
        refused: error => {
          const code = 'code' in error ? String(error.code) : error.name
          told.refusals.push(code)
          const isFinal = ['budget_exceeded', 'invalid_request', 'configuration_missing', 'gone'].includes(code)
          const isAside = code.startsWith('provider_')
          if (isFinal || isAside || tries > 20) {
            if (isFirst) told.isDone = true
          } else again()
        },
        lost: () => {
          told.lost++
          again()
        },
      },
    )
  }

  private goOn(told: Told, id: string) {
    const { cancelAfterMs, waits } = told.order
    if (cancelAfterMs !== undefined) {
      this.after(cancelAfterMs, () =>
        this.call(`cancel ${told.order.name}`, services => services.generations.cancel(id), {
          told: () => {
            told.cancels.push({ id, at: this.world.now, sent: this.sentOf(id) })
          },
          refused() {},
          lost() {},
        }),
      )
    }
    if (waits) this.wait(told, id)
    else this.after(60_000, () => this.wait(told, id))
  }

  private wait(told: Told, id: string) {
    const { order } = told
    const again = (ms: number) => this.after(ms, () => this.wait(told, id))
    this.call(`wait ${order.name}`, services => services.generations.whenEnded(id, { timeoutMs: 300_000 }), {
      told: record => {
        if (record.status === 'queued' || record.status === 'running') return again(60_000)
        told.ends.push(record)
        this.world.tell(`  ${order.name} ended: ${record.status} ${record.charge} ${record.images.length}`)
        this.endedOnce(told, id, record)
      },
      refused: error => {
        if ('code' in error && error.code === 'not_found') {
          this.facts.violations.push(`${order.name}: what was accepted as ${id} is not there`)
          told.isDone = true
        } else again(20_000)
      },
      lost: () => again(1_000),
    })
  }

  private endedOnce(told: Told, id: string, record: GenerationRecord) {
    const { order } = told
    const isRepeat = told.repeats.has(id)
    if (order.retry && !isRepeat) {
      const scope = record.images.length > 0 ? order.retry : 'all'
      const options = { caller: this.caller(order), requestId: `${order.name}-again` }
      return this.call(`retry ${order.name}`, services => services.generations.retry(id, scope, options), {
        told: made => {
          told.repeats.add(made.id)
          this.wait(told, made.id)
        },
        refused: () => {
          told.isDone = true
        },
        lost: () => {
          told.lostRepeats++
          told.isDone = true
        },
      })
    }
    if (!order.isRemoved) {
      told.isDone = true
      return
    }
    this.call(`remove ${order.name}`, services => services.generations.remove(id), {
      told: () => {
        told.removed.add(id)
        told.isDone = true
      },
      // Its rows go first, so it is gone even where its files are still there.
      refused: () => {
        told.removed.add(id)
        told.isDone = true
      },
      lost: () => {
        told.removed.add(id)
        told.isDone = true
      },
    })
  }
}

function requestOf({ name, kind }: Order): GenerationRequest {
  const { parameters, prompt, ...rest } = kind.request
  return {
    ...rest,
    prompt: `${name} ${prompt}`,
    parameters: parameters as GenerationRequest['parameters'],
    references: [],
  }
}
