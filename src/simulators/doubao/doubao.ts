/**
 * Stands in for the image generation of Volcengine Ark (Doubao Seedream, `/api/v3/images/generations`), as it was documented and
 * measured until 2026-11. As strict as the service where that is known; where it is not, the stricter reading, so that a client which
 * passes here has not relied on luck.
 */
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import type { PictureOptions } from '../drawing/picture.ts'
import {
  type Exchange,
  type Fault,
  type FileRefusal,
  type KeyRule,
  openServer,
  type Simulator,
  type SimulatorOptions,
  triggersOf,
} from '../server.ts'
import {
  arkModels,
  bytePlusModels,
  type ModelStatus,
  modelsList,
  newModel,
  otherModalities,
  planModels,
  type ServedModel,
} from './models.ts'
import {
  type Body,
  countInPrompt,
  invalid,
  isBody,
  missing,
  type Order,
  openReferences,
  type Reference,
  Refusal,
  readOrder,
  sizeOf,
} from './requests.ts'

interface DoubaoKeyRule extends KeyRule {
  /** Account number in messages, default 2100000000. */
  account?: string
  /** Ids of the activated models; all when absent. */
  activated?: readonly string[]
  /** Inference endpoints of the account: `ep-…` → model id. */
  endpoints?: Readonly<Record<string, string>>
  /** The key may only use endpoints. */
  endpointsOnly?: boolean
  /** The key is not allowed for images at all. */
  denied?: boolean
  /** The balance is negative. */
  overdue?: boolean
  /** The account itself is in an abnormal state. */
  abnormal?: boolean
  /** Safe Experience Mode has stopped the models. */
  paused?: boolean
  /** Whether trouble with the account comes before (the default) or after complaints about the body; the service's order is not known. */
  accountCheck?: 'before-body' | 'after-body'
  /** Of one account and model version. Unlimited when absent; the service has 500. */
  imagesPerMinute?: number
  /** Where the key is good, and nowhere else: Ark China by use (the default), its subscription, or BytePlus. */
  platform?: Platform
  /** Has opened no model before it went out of sale: what is `Retiring` does not exist for it. */
  isNew?: boolean
}

type Platform = 'ark' | 'plan' | 'byteplus'

export interface DoubaoSimulatorOptions extends SimulatorOptions<DoubaoKeyRule> {
  /** Keys of another form are refused as malformed, unless `keys` has them. */
  keyPattern?: RegExp
  /** Models of Ark China that are not current; as the service has it since 2026-11-24 when absent. */
  retired?: Readonly<Record<string, ModelStatus>>
  /** Which reference URLs the service can reach; by default all but loopback, private and local names, its own result URLs aside. */
  reachable?: (url: URL) => boolean
}

export interface DoubaoSimulator extends Simulator {
  /** The base URL for subscription keys. */
  planBaseUrl: string
  /** The base URL of BytePlus; a request to a host under `bytepluses.com` comes there too. */
  bytePlusBaseUrl: string
  /**
   * Retires a model on Ark China from now on, for all or for one key by its name: `Retiring` is there for keys that have it open and for
   * no new one, `Shutdown` for nobody, `''` makes it current. Both spellings of lite are one model.
   */
  retire(modelId: string, status: ModelStatus, options?: { keyName?: string }): void
  /** A model that Ark China offers from now on, in its list as well. */
  offer(modelId: string): void
}

/** The good key; everything is activated. */
export const DOUBAO_DEMO_KEY = 'ark-demo-0000-good'
/** An inference endpoint of the account of that key, for the second build of 4.0. */
export const DOUBAO_DEMO_ENDPOINT = 'ep-20261101120000-demo1'

/** Keys for every answer that depends on the key. */
export const doubaoKeys = {
  good: DOUBAO_DEMO_KEY,
  /** Of the right form, but nobody's. */
  unknown: 'ark-demo-0000-nobody',
  malformed: 'not a key',
  overdue: 'ark-demo-0000-overdue',
  abnormal: 'ark-demo-0000-abnormal',
  paused: 'ark-demo-0000-paused',
  /** Has activated the second build of 4.0 and nothing else. */
  partlyActivated: 'ark-demo-0000-partly',
  denied: 'ark-demo-0000-denied',
  endpointsOnly: 'ark-demo-0000-endpoints',
  plan: 'ark-demo-0000-plan',
  byteplus: 'ark-demo-0000-byteplus',
  /** Everything is activated that could be when it was made, after models had gone out of sale. */
  newcomer: 'ark-demo-0000-newcomer',
  /** Two images a minute. */
  limited: 'ark-demo-0000-limited',
} as const

const endpoints = { [DOUBAO_DEMO_ENDPOINT]: 'doubao-seedream-4-0-20260415' }
const demoKeys: Readonly<Record<string, DoubaoKeyRule>> = {
  [doubaoKeys.good]: { name: 'good', endpoints },
  [doubaoKeys.overdue]: { name: 'overdue', overdue: true },
  [doubaoKeys.abnormal]: { name: 'abnormal', abnormal: true },
  [doubaoKeys.paused]: { name: 'paused', paused: true },
  [doubaoKeys.partlyActivated]: { name: 'partlyActivated', activated: ['doubao-seedream-4-0-20260415'] },
  [doubaoKeys.denied]: { name: 'denied', denied: true },
  [doubaoKeys.endpointsOnly]: { name: 'endpointsOnly', endpoints, endpointsOnly: true },
  [doubaoKeys.plan]: { name: 'plan', platform: 'plan' },
  [doubaoKeys.byteplus]: { name: 'byteplus', platform: 'byteplus' },
  [doubaoKeys.newcomer]: { name: 'newcomer', account: '2100000003', isNew: true },
  [doubaoKeys.limited]: { name: 'limited', account: '2100000002', imagesPerMinute: 2 },
}
const uuidOrArk = /^(?:ark-[a-z0-9-]{8,}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/i

/** Since 2026-11-24 14:00 (UTC+8). */
const stopped: Readonly<Record<string, ModelStatus>> = {
  'doubao-seedream-4-5-251128': 'Shutdown',
  'doubao-seedream-4-0-250828': 'Shutdown',
  'doubao-seedream-5-0-260128': 'Shutdown',
}

const filesPath = '/ark-content-generation-v2-cn-beijing/'
const outputBlocked = {
  code: 'OutputImageSensitiveContentDetected',
  message: 'The request failed because the output image may contain sensitive information.',
}
const innerFailure = { code: 'InternalServiceError', message: 'The service encountered an unexpected internal error.' }

interface Failure {
  code: string
  message: string
}

/** One place of the answer: a picture or why there is none. */
type Item = { index: number; picture: Drawing } | { index: number; error: Failure }

interface Drawing {
  width: number
  height: number
  type: 'png' | 'jpeg'
  options: PictureOptions
  /** What the item says beside its address and size. */
  facts: object
}

/** A request that passed everything and what will come of it. */
interface Job {
  id: string
  order: Order
  spelling: string
  platform: Platform
  keyName: string
  items: Item[]
  /** Width × height of what the tokens are counted from, all pictures together. */
  inputs: number
  secondsFirst: number
  secondsFurther: number
}

export async function startDoubaoSimulator(options: DoubaoSimulatorOptions = {}): Promise<DoubaoSimulator> {
  const keys = options.keys ?? demoKeys
  const keyPattern = options.keyPattern ?? uuidOrArk
  const admitted = new Map<string, { at: number; images: number }[]>()
  const retired = new Map<string, ModelStatus>()
  const offered: ServedModel[] = []
  const modelsAt = (platform: Platform) => (platform === 'ark' ? [...arkModels, ...offered] : modelsOf(platform))
  const retire: DoubaoSimulator['retire'] = (modelId, status, { keyName = '' } = {}) =>
    void retired.set(`${keyName} ${idInList(modelId)}`, status)
  const resetRetirement = () => {
    retired.clear()
    for (const [id, status] of Object.entries(options.retired ?? stopped)) retire(id, status)
  }
  resetRetirement()
  let sequence = 0

  const server = await openServer({ options, filesPath, refuseFile, handle })
  const { origin, billed, timeScale } = server
  const reachable = options.reachable ?? ((url: URL) => url.origin === origin || isPublic(url))

  return {
    ...server,
    baseUrl: `${origin}/api/v3`,
    planBaseUrl: `${origin}/api/plan/v3`,
    bytePlusBaseUrl: `${origin}${bytePlusPath}/api/v3`,
    retire,
    offer: modelId => void offered.push(newModel(modelId)),
    reset() {
      server.reset()
      resetRetirement()
      offered.length = 0
    },
  }

  async function handle(exchange: Exchange): Promise<void> {
    const id = nextRequestId()
    const { method, path } = exchange
    exchange.log.keyName = ruleOf(exchange)?.keyName ?? null
    const platform = platformOf(exchange)
    const resource = /^(?:\/byteplus)?\/api\/(?:plan\/)?v3\/(.+)$/.exec(path)?.[1]
    if (method === 'POST' && resource === 'images/generations') return generate(exchange, id, platform)

    const fault = server.takeFault(exchange.log, 'other')
    if (fault?.kind === 'cut') return exchange.cut()
    if (fault?.kind === 'slow') await exchange.wait(fault.ms)
    if (await misbehaved(exchange, id, fault)) return
    try {
      const isModels = method === 'GET' && resource === 'models'
      const isTasks = method === 'GET' && resource === 'contents/generations/tasks'
      if (platform === 'plan' && isModels)
        return await exchange.send(404, '404 page not found', headersOf(exchange, id))
      if (platform === 'plan' || !(isModels || isTasks))
        throw new Refusal(404, 'InvalidAction', `The specified action is invalid: ${path}`)
      authenticate(exchange, platform)
      // The list is the same for every account.
      const list = () => modelsList(modelsAt(platform), modelId => statusOf(modelId, platform))
      await exchange.send(200, isModels ? list() : { items: [], total: 0 }, headersOf(exchange, id))
    } catch (error) {
      await refuse(exchange, id, error)
    }
  }

  // ── One generation ────────────────────────────────────────────────────────────────────────────────────────────────

  async function generate(exchange: Exchange, id: string, platform: Platform): Promise<void> {
    let fault = server.takeFault(exchange.log, 'generation')
    if (fault && !wantsPictures(fault) && (await misbehaved(exchange, id, fault))) return
    let job: Job
    try {
      const { rule, keyName } = authenticate(exchange, platform)
      const body = readBody(exchange)
      const spelling = readModel(body)
      const model = resolveModel(spelling, { rule, keyName }, platform)
      if (rule.accountCheck !== 'after-body') checkAccount(rule, model)
      const order = readOrder(body, model)
      if (rule.accountCheck === 'after-body') checkAccount(rule, model)
      const references = await openReferences(order, { reachable, timeoutMs: Math.max(500, 10_000 * timeScale) })
      moderateInput(order.prompt)
      fault ??= faultOf(order.prompt)
      if (fault && !wantsPictures(fault) && (await misbehaved(exchange, id, fault))) return
      job = imagine({ id, order, spelling, platform, keyName }, references, fault)
      admit(rule, job)
    } catch (error) {
      return refuse(exchange, id, error)
    }

    if (fault?.kind === 'slow') await exchange.wait(fault.ms)
    if (job.order.stream) return stream(exchange, job, fault)
    return answer(exchange, job, fault)
  }

  function authenticate(exchange: Exchange, platform: Platform): { rule: DoubaoKeyRule; keyName: string } {
    const unauthorized = (message: string) => new Refusal(401, 'AuthenticationError', message)
    const key = keyOf(exchange)
    if (key === '') throw unauthorized('the API key or AK/SK in the request is missing or invalid.')
    const found = ruleOf(exchange)
    if (!found && !keyPattern.test(key)) throw unauthorized('The API key format is incorrect.')
    if (!found || (found.rule.platform ?? 'ark') !== platform) throw unauthorized("The API key doesn't exist.")
    const { rule } = found
    if (rule.abnormal) throw new Refusal(401, 'InvalidAccountStatus', 'The account status is abnormal.')
    return found
  }

  function ruleOf(exchange: Exchange): { rule: DoubaoKeyRule; keyName: string } | undefined {
    const key = keyOf(exchange)
    const rule = Object.hasOwn(keys, key) ? keys[key] : undefined
    return rule && { rule, keyName: rule.name ?? key }
  }

  /** For everybody, or for one key where that differs. What becomes of plans, nobody knows: they go on. */
  function statusOf(modelId: string, platform: Platform, keyName = ''): ModelStatus {
    if (platform !== 'ark') return ''
    const id = idInList(modelId)
    return retired.get(`${keyName} ${id}`) ?? retired.get(` ${id}`) ?? ''
  }

  function resolveModel(
    spelling: string,
    { rule, keyName }: { rule: DoubaoKeyRule; keyName: string },
    platform: Platform,
  ): ServedModel {
    const absent = (type?: string) =>
      new Refusal(
        404,
        'InvalidEndpointOrModel.NotFound',
        `The model or endpoint ${spelling} does not exist or you do not have access to it.`,
        { type },
      )
    const known = platform === 'plan' ? planModels[spelling] : (rule.endpoints?.[spelling] ?? spelling)
    const model = modelsAt(platform).find(one => one.id === known)
    if (platform === 'plan' && !model)
      throw new Refusal(404, 'UnsupportedModel', `The model ${spelling} is not supported by this plan.`)
    if (otherModalities.has(spelling)) throw invalid('model', `the model ${spelling} does not support this api`)
    if (!model) throw absent()
    const status = statusOf(model.id, platform, keyName)
    if (status === 'Shutdown' && spelling.startsWith('ep-')) {
      throw new Refusal(400, 'InvalidEndpoint.ClosedEndpoint', `The endpoint ${spelling} is closed.`)
    }
    // Captured of another retired model: the type with a space, which no other answer has.
    if (status === 'Shutdown') throw absent('Not Found')
    const isOpen = !rule.isNew && (rule.activated?.includes(model.id) ?? true)
    if (status === 'Retiring' && !isOpen) throw absent()
    if (rule.endpointsOnly && !spelling.startsWith('ep-')) {
      throw new Refusal(
        404,
        'InvalidEndpointOrModel.ModelIDAccessDisabled',
        'The API key can only access inference endpoints, not model ids.',
      )
    }
    if (rule.denied)
      throw new Refusal(403, 'AccessDenied', `The API key has no permission to access the model ${model.name}.`)
    if (rule.activated && !rule.activated.includes(model.id)) {
      const console = 'Please activate the model service in the Ark Console.'
      throw new Refusal(
        404,
        'ModelNotOpen',
        `Your account ${accountOf(rule)} has not activated the model ${model.name}. ${console}`,
      )
    }
    return model
  }

  function checkAccount(rule: DoubaoKeyRule, model: ServedModel): void {
    if (rule.overdue) {
      throw new Refusal(403, 'AccountOverdueError', 'The request failed because your account has an overdue balance.')
    }
    if (!rule.paused) return
    const reached = `Your account [${accountOf(rule)}] has reached the set inference limit for the [${model.name}] model, and the model service has been paused.`
    throw new Refusal(
      429,
      'SetLimitExceeded',
      `${reached} To continue using this model, please visit the Model Activation page to adjust or close the "Safe Experience Mode".`,
    )
  }

  /** The limit counts pictures of an account and model version; layers reserve 17 and give back the rest. */
  function admit(rule: DoubaoKeyRule, job: Job): void {
    const most = rule.imagesPerMinute
    if (most === undefined) return
    const name = `${accountOf(rule)} ${job.order.model.id}`
    const recent = (admitted.get(name) ?? []).filter(one => one.at > Date.now() - 60_000)
    const images = job.items.filter(item => 'picture' in item).length
    const used = recent.reduce((sum, one) => sum + one.images, 0)
    if (used + (job.order.layers ? 17 : images) > most) {
      const message = `IPM (Images Per Minute) limit of the model ${job.order.model.name} is exceeded. Please try again later.`
      throw new Refusal(429, 'ModelAccountIpmRateLimitExceeded', message)
    }
    recent.push({ at: Date.now(), images })
    admitted.set(name, recent)
  }

  /** Decides what will come of the order, before anything is drawn. @throws Refusal when nothing will. */
  function imagine(
    job: Pick<Job, 'id' | 'order' | 'spelling' | 'platform' | 'keyName'>,
    references: readonly Reference[],
    fault: Fault | undefined,
  ): Job {
    const { order } = job
    sequence += 1
    const seed = order.seed ?? sequence
    const size = sizeOf(order, references, hashOf(order.prompt))
    const wanted = order.isGroup
      ? Math.max(1, Math.min(order.pictures, countInPrompt(order.prompt) ?? order.pictures))
      : 1
    const count = fault?.kind === 'fewer' ? Math.max(0, Math.min(wanted, fault.count)) : wanted
    const thumbnails = references.flatMap(reference => reference.thumbnail ?? [])
    const { seconds } = order.model.family
    const isSmall = size.width * size.height < 2_700_000
    const made: Job = {
      ...job,
      items: [],
      inputs: order.references.length,
      secondsFirst: order.layers ? 37 : isSmall ? seconds.small : seconds.large,
      secondsFurther: seconds.further,
    }
    if (order.layers) {
      made.items = layerItems(order, size, seed, thumbnails)
    } else {
      const transparent =
        order.background === 'transparent' ||
        (order.background === 'auto' && order.type === 'png' && /透明|transparent|sticker|logo/i.test(order.prompt))
      for (let index = 0; index < count; index++) {
        made.items.push({ index, picture: drawing(order, size, { seed, index, references: thumbnails, transparent }) })
      }
    }
    made.items = made.items.map(item => failed(item, fault))
    if (fault?.kind === 'stops') made.items = made.items.slice(0, fault.atIndex + 1)
    if (fault?.kind === 'all-refused' && fault.form === 'empty') made.items = []
    refuseWhenNothing(made, fault)
    return made
  }

  function failed(item: Item, fault: Fault | undefined): Item {
    if (fault?.kind === 'all-refused') return { index: item.index, error: outputBlocked }
    if (fault?.kind === 'partial' && fault.failIndexes.includes(item.index))
      return { index: item.index, error: outputBlocked }
    if (fault?.kind === 'stops' && item.index === fault.atIndex) return { index: item.index, error: innerFailure }
    return item
  }

  /** A single picture that fails is an ordinary error; so is any layer that fails. */
  function refuseWhenNothing({ order, items, secondsFirst }: Job, fault: Fault | undefined): void {
    const error = items.flatMap(item => ('error' in item ? item.error : []))[0]
    if (!error) return
    const allFailed = items.every(item => 'error' in item)
    const asStatus = fault?.kind === 'all-refused' ? (fault.form ?? 'status') === 'status' : allFailed && !order.isGroup
    if (!asStatus && !order.layers) return
    throw new Refusal(error === innerFailure ? 500 : 400, error.code, error.message, { seconds: secondsFirst })
  }

  // ── Answers ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async function answer(exchange: Exchange, job: Job, fault: Fault | undefined): Promise<void> {
    await exchange.wait(secondsOf(job) * 1000 * timeScale)
    if (isBilled(fault)) for (const item of job.items) bill(job, item)
    if (fault && (await misbehaved(exchange, job.id, fault))) return
    const headers = headersOf(exchange, job.id)
    const made = job.items.filter(item => 'picture' in item)
    const error = job.items.flatMap(item => ('error' in item ? item.error : []))[0]
    const base = { model: echoOf(job, false), created: unixSeconds() }
    const tools = job.order.tools === undefined ? {} : { tools: job.order.tools }
    const usage = usageOf(job, made, true)
    if (fault?.kind === 'all-refused' && fault.form === 'top-level') {
      return exchange.send(200, { ...base, ...tools, error, usage }, headers)
    }
    const data: object[] = []
    for (const item of job.items) data.push(await itemOf(job, item))
    const body = { ...base, ...tools, data, usage }
    if (fault?.kind === 'cut')
      return exchange.sendCut(200, body, headers, fault.after === 'n-events' ? 'half-body' : fault.after)
    return exchange.send(200, body, headers)
  }

  async function stream(exchange: Exchange, job: Job, fault: Fault | undefined): Promise<void> {
    const { response } = exchange
    const how = fault?.kind === 'stream' ? fault.how : undefined
    const cut = fault?.kind === 'cut' ? fault : undefined
    const eventsBeforeCut = cut?.after === 'n-events' ? (cut.n ?? 1) : cut?.after === 'half-body' ? 1 : 0
    const base = () => ({ model: echoOf(job, true), created: unixSeconds() })
    let sent = 0
    const begin = () => {
      if (response.headersSent || response.destroyed) return
      exchange.log.status = 200
      response.writeHead(200, {
        ...headersOf(exchange, job.id),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      })
    }
    const send = async (text: string) => {
      begin()
      if (how === 'split-chunks') await exchange.writeSplit(text)
      else await exchange.write(text)
      sent += 1
    }

    const items = how === 'partial-failed-first' ? [{ index: 0, error: outputBlocked }] : job.items
    if (fault?.kind === 'all-refused' && fault.form === 'top-level') {
      await exchange.wait(job.secondsFirst * 1000 * timeScale)
      await send(`data: ${JSON.stringify({ error: outputBlocked })}\n\n`)
      return void response.end()
    }
    for (const [position, item] of items.entries()) {
      await exchange.wait((position === 0 ? job.secondsFirst : job.secondsFurther) * 1000 * timeScale)
      if (isBilled(fault)) bill(job, item)
      if (fault && position === 0 && !cut && (await misbehaved(exchange, job.id, fault))) {
        // What was billed with a lost answer is the whole order.
        if (isBilled(fault)) for (const other of items.slice(1)) bill(job, other)
        return
      }
      const type = `image_generation.partial_${'picture' in item ? 'succeeded' : 'failed'}`
      const { index } = item
      const event = async () => frame(type, { type, ...base(), image_index: index, ...(await itemOf(job, item)) })
      if (!cut || sent < eventsBeforeCut) await send(await event())
      if (cut && sent >= eventsBeforeCut) {
        // The service goes on without its client.
        const others = items.slice(position + 1)
        if (isBilled(fault)) for (const other of others) bill(job, other)
        if (cut.after === 'headers') {
          begin()
          response.flushHeaders()
        }
        if (cut.after === 'half-body') {
          const half = others[0]
            ? frame(type, { type, ...base(), image_index: index + 1, ...(await itemOf(job, others[0])) })
            : frame('image_generation.completed', base())
          await exchange.write(half.slice(0, Math.ceil(half.length / 2)))
        }
        if (cut.after !== 'request') await exchange.settle()
        return exchange.cut()
      }
      if (how === 'split-chunks' && position === 0) {
        // An event that no client knows, to be passed over; its characters have three bytes, for the pieces to fall inside them.
        const type = 'image_generation.notice'
        await send(frame(type, { type, message: '图片正在生成,请稍候' }))
      }
      if (how === 'error-event') {
        await send(`event: error\ndata: ${JSON.stringify({ error: innerFailure })}\n\n`)
        return void response.end()
      }
    }
    if (how === 'no-completed' || how === 'partial-failed-first') {
      begin()
      return void response.end()
    }
    const made = items.filter(item => 'picture' in item)
    const tools = job.order.tools === undefined ? {} : { tools: job.order.tools }
    const type = 'image_generation.completed'
    await send(frame(type, { type, ...base(), usage: usageOf(job, made, job.order.tools !== undefined), ...tools }))
    if (cut) {
      await exchange.settle()
      return exchange.cut()
    }
    await send('data: [DONE]\n\n')
    response.end()
  }

  async function itemOf(job: Job, item: Item): Promise<object> {
    if ('error' in item) return { error: item.error }
    const { picture, index } = item
    const place = job.order.base64
      ? { b64_json: (await server.draw(picture.options)).toString('base64') }
      : { url: publish(job, picture, index) }
    return { ...place, size: `${picture.width}x${picture.height}`, ...picture.facts }
  }

  function publish(job: Job, picture: Drawing, index: number): string {
    const path = `${filesPath}${job.order.model.name}/${job.id.slice(0, 37)}_${index}.${picture.type}`
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
    const query = [
      'X-Tos-Algorithm=TOS4-HMAC-SHA256',
      `X-Tos-Credential=AKLTsimulator%2F${time.slice(0, 8)}%2Fcn-beijing%2Ftos%2Frequest`,
      `X-Tos-Date=${time}`,
      `X-Tos-Expires=${server.urlLifetimeSeconds}`,
      `X-Tos-Signature=${createHash('sha256').update(`${path} ${time}`).digest('hex')}`,
      'X-Tos-SignedHeaders=host',
    ].join('&')
    return server.publish({
      path,
      query,
      contentType: `image/${picture.type}`,
      draw: () => server.draw(picture.options),
    })
  }

  function bill(job: Job, item: Item): void {
    if (!('picture' in item)) return
    const { order, id } = job
    const { width, height } = item.picture
    billed.push({
      requestId: id,
      model: order.model.id,
      key: job.keyName,
      prompt: order.prompt,
      index: item.index,
      width,
      height,
      at: Date.now(),
    })
  }

  async function refuse(exchange: Exchange, id: string, error: unknown): Promise<void> {
    if (!(error instanceof Refusal)) throw error
    await exchange.wait(error.seconds * 1000 * timeScale)
    await exchange.send(error.status, { error: errorOf(error, id) }, headersOf(exchange, id))
  }

  /** The answers and silences that need nothing of the order. True when that was all the client will get. */
  async function misbehaved(exchange: Exchange, id: string, fault: Fault | undefined): Promise<boolean> {
    const headers = headersOf(exchange, id)
    switch (fault?.kind) {
      case 'status': {
        const body = fault.body ?? usualBody(fault.status, id)
        const type: Record<string, string> =
          typeof body === 'string' && body.startsWith('<') ? { 'content-type': 'text/html' } : {}
        await exchange.send(fault.status, body, { ...headers, ...type, ...fault.headers })
        return true
      }
      case 'hang':
        await exchange.hang()
        return true
      case 'garbage':
        await exchange.send(200, fault.body, { ...headers, 'content-type': fault.contentType ?? 'text/html' })
        return true
      case 'unwrapped-error': {
        const { status = 400, code = 'InvalidParameter', message = 'The request is not valid.' } = fault
        await exchange.send(status, errorOf(new Refusal(status, code, message), id), headers)
        return true
      }
      case 'cut':
        if (fault.after !== 'request') return false
        exchange.cut()
        return true
      default:
        return false
    }
  }

  function headersOf(exchange: Exchange, id: string): Record<string, string> {
    const own = exchange.headers['x-client-request-id']
    const generated = `unknown-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}-${id.slice(15, 23)}`
    return {
      server: 'istio-envoy',
      'x-request-id': id,
      'x-client-request-id': typeof own === 'string' ? own : generated,
      'x-envoy-upstream-service-time': String(Date.now() - exchange.log.at),
    }
  }

  function nextRequestId(): string {
    sequence += 1
    const hex = createHash('sha256').update(`${origin} ${sequence}`).digest('hex')
    return `02${Date.now()}${hex.slice(0, 38)}`
  }
}

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const bytePlusPath = '/byteplus'

function platformOf({ path, headers }: Exchange): Platform {
  if (path.startsWith('/api/plan/v3/')) return 'plan'
  const isBytePlus = path.startsWith(`${bytePlusPath}/`) || /(?:^|\.)bytepluses\.com(?::\d+)?$/.test(headers.host ?? '')
  return isBytePlus ? 'byteplus' : 'ark'
}

function modelsOf(platform: Platform): readonly ServedModel[] {
  return platform === 'byteplus' ? bytePlusModels : arkModels
}

/** The second spelling of lite is no model of its own. */
function idInList(modelId: string): string {
  return arkModels.find(({ id }) => id === modelId)?.echo ?? modelId
}

function readBody(exchange: Exchange): Body {
  const isJson = /^application\/json\b/.test(exchange.headers['content-type'] ?? '')
  if (isJson && isBody(exchange.json)) return exchange.json
  throw new Refusal(400, 'InvalidParameter', 'The request body is not a valid JSON object.')
}

function keyOf(exchange: Exchange): string {
  const header = exchange.headers.authorization
  return header?.startsWith('Bearer ') ? header.slice('Bearer '.length) : ''
}

function readModel({ model }: Body): string {
  if (model === undefined || model === null || model === '') throw missing('model')
  if (typeof model !== 'string') throw invalid('model', 'must be a string')
  return model
}

function moderateInput(prompt: string): void {
  const triggers = triggersOf(prompt)
  if (triggers.has('input-blocked')) {
    throw new Refusal(
      400,
      'InputTextSensitiveContentDetected',
      'The request failed because the input text may contain sensitive information.',
    )
  }
  if (triggers.has('image-blocked')) {
    throw new Refusal(
      400,
      'InputImageSensitiveContentDetected.PrivacyInformation',
      'The request failed because the input image may contain real person.',
      { seconds: 2 },
    )
  }
}

/** What the words in double brackets in a prompt ask for, such as `[[slow:30]]`, `[[429]]` or `[[partial:2]]`. */
function faultOf(prompt: string): Fault | undefined {
  for (const [name, argument] of triggersOf(prompt)) {
    const number = Number(argument)
    if (/^[45]\d\d$/.test(name)) return { kind: 'status', status: Number(name) }
    if (name === 'slow') return { kind: 'slow', ms: (argument === '' ? 30 : number) * 1000 }
    if (name === 'hang') return { kind: 'hang', billed: true }
    if (name === 'cut') return { kind: 'cut', after: argument === 'events' ? 'n-events' : 'request' }
    if (name === 'output-blocked')
      return { kind: 'all-refused', form: argument === 'items' || argument === 'top-level' ? argument : 'status' }
    if (name === 'empty') return { kind: 'all-refused', form: 'empty' }
    if (name === 'partial') return { kind: 'partial', failIndexes: [argument === '' ? 1 : number] }
    if (name === 'stops') return { kind: 'stops', atIndex: argument === '' ? 1 : number }
    if (name === 'fewer') return { kind: 'fewer', count: argument === '' ? 1 : number }
    if (name === 'garbage') return { kind: 'garbage', body: '<html><body>Welcome</body></html>' }
    if (
      name === 'no-completed' ||
      name === 'error-event' ||
      name === 'partial-failed-first' ||
      name === 'split-chunks'
    ) {
      return { kind: 'stream', how: name }
    }
  }
  return undefined
}

/** Whether the order is carried out in spite of the fault, so that it must be a good one. */
function wantsPictures(fault: Fault): boolean {
  if (fault.kind === 'status' || fault.kind === 'hang' || fault.kind === 'garbage') return fault.billed === true
  if (fault.kind === 'cut') return fault.after !== 'request' || fault.billed !== false
  return fault.kind !== 'unwrapped-error'
}

function isBilled(fault: Fault | undefined): boolean {
  return !(fault?.kind === 'cut' && fault.billed === false)
}

function isPublic(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) === 6) return /^[23]/.test(host)
  if (isIP(host) === 4)
    return !/^(?:0|10|127|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(
      host,
    )
  return host.includes('.') && !/\.(?:local|internal|lan|home|localhost|test|invalid|example)$/.test(host)
}

// ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const errorTypes: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  429: 'TooManyRequests',
  500: 'InternalServerError',
}

function errorOf(refusal: Refusal, id: string): object {
  return {
    code: refusal.code,
    message: `${refusal.message} Request id: ${id}`,
    param: refusal.param,
    type: refusal.type ?? errorTypes[refusal.status] ?? '',
  }
}

/** What the service says with a status when a fault does not say it; proxies before it speak HTML. */
function usualBody(status: number, id: string): string | object {
  const usual: Readonly<Record<number, Failure>> = {
    400: { code: 'InvalidParameter', message: 'A parameter specified in the request is not valid.' },
    401: { code: 'AuthenticationError', message: "The API key doesn't exist." },
    403: {
      code: 'AccessDenied',
      message: 'The request failed because you do not have access to the requested resource.',
    },
    404: { code: 'InvalidAction', message: 'The specified action is invalid.' },
    429: {
      code: 'ModelAccountIpmRateLimitExceeded',
      message: 'IPM (Images Per Minute) limit of the model is exceeded. Please try again later.',
    },
    499: { code: 'RequestCanceled', message: 'The request was canceled by the client.' },
    500: innerFailure,
  }
  const failure = usual[status]
  if (!failure)
    return `<html>\r\n<head><title>${status}</title></head>\r\n<body><center><h1>${status}</h1></center></body>\r\n</html>\r\n`
  return { error: errorOf(new Refusal(status, failure.code, failure.message), id) }
}

function frame(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

/** The documents say the full id; measured with subscription keys: the name alone, in a stream the spelling of the request. */
function echoOf({ order, platform, spelling }: Job, inStream: boolean): string {
  if (platform === 'plan') return inStream ? spelling : order.model.name
  return order.model.echo ?? order.model.id
}

function usageOf({ order, inputs }: Job, made: Item[], withTools: boolean): object {
  const areas = made.map(item => ('picture' in item ? item.picture.width * item.picture.height : 0))
  // Layers are counted with the area of their base, however small they were cut.
  const area = order.layers ? areas.length * (areas[0] ?? 0) : areas.reduce((sum, one) => sum + one, 0)
  const tokens = Math.round(area / 256)
  const { family } = order.model
  const searches =
    order.tools !== undefined && /today|latest|news|weather|今天|最新|新闻|天气/i.test(order.prompt) ? 1 : 0
  return {
    ...(family.countsInputs ? { input_images: inputs } : {}),
    generated_images: made.length,
    output_tokens: tokens,
    total_tokens: tokens,
    ...(family.search && withTools ? { tool_usage: { web_search: searches } } : {}),
  }
}

function secondsOf({ items, secondsFirst, secondsFurther }: Job): number {
  return secondsFirst + secondsFurther * Math.max(0, items.length - 1)
}

function drawing(
  order: Order,
  { width, height }: { width: number; height: number },
  options: { seed: number; index: number; references: Buffer[]; transparent: boolean },
): Drawing {
  const { prompt, type, watermark } = order
  const { family } = order.model
  const format = family.namesFormat ? { output_format: type } : {}
  const background: object =
    family.name === '5.5' && order.background !== undefined
      ? { background: options.transparent ? 'transparent' : 'opaque' }
      : {}
  return {
    width,
    height,
    type,
    options: { width, height, type, prompt, watermark, ...options },
    facts: { ...format, ...background },
  }
}

/** The base, then layers cut from it at places that the prompt decides. */
function layerItems(order: Order, size: { width: number; height: number }, seed: number, references: Buffer[]): Item[] {
  const { width, height } = size
  const names = ['figure', 'foreground', 'mountain', 'text', 'sun', 'water']
  const wanted = countInPrompt(order.prompt) ?? 1 + (hashOf(order.prompt) % 3)
  const layers = Math.max(1, Math.min(wanted, order.model.family.maxLayers))
  const base = drawing(order, size, { seed, index: 0, references, transparent: false })
  const items: Item[] = [{ index: 0, picture: { ...base, facts: { ...base.facts, z_index: 0 } } }]
  for (let index = 1; index <= layers; index++) {
    const chance = hashOf(`${order.prompt} ${index}`)
    const left = Math.floor((width * (chance % 40)) / 100)
    const top = Math.floor((height * ((chance >>> 8) % 40)) / 100)
    const right = Math.min(width, left + Math.ceil(width * 0.5))
    const bottom = Math.min(height, top + Math.ceil(height * 0.5))
    const part: Order = { ...order, type: 'png', watermark: false }
    // The size of a layer is not that of its box: some come larger, in the ratio of their region.
    const scale = index % 3 === 0 ? 1.25 : 1
    const picture = drawing(
      part,
      { width: Math.round((right - left) * scale), height: Math.round((bottom - top) * scale) },
      { seed, index, references: [], transparent: true },
    )
    const name = names[(index - 1) % names.length]!
    const normalized = [left / width, top / height, right / width, bottom / height].map(share =>
      Math.round(share * 1000),
    )
    const facts = {
      ...picture.facts,
      z_index: index,
      name,
      description: `${name} of the picture`,
      bounding_box: { absolute: [left, top, right, bottom], normalized },
    }
    items.push({ index, picture: { ...picture, facts } })
  }
  return items
}

async function refuseFile(exchange: Exchange, reason: FileRefusal): Promise<void> {
  const messages: Record<FileRefusal, [number, string, string]> = {
    missing: [404, 'NoSuchKey', 'The specified key does not exist.'],
    method: [
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
    ],
    authorization: [403, 'AccessDenied', 'Only one auth mechanism allowed.'],
    altered: [
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
    ],
    expired: [403, 'AccessDenied', 'Request has expired.'],
  }
  const [status, code, message] = messages[reason]
  const id = createHash('sha256').update(exchange.path).digest('hex').slice(0, 32)
  await exchange.send(
    status,
    { Code: code, RequestId: id, HostId: 'simulator', Message: message },
    { 'x-tos-request-id': id },
  )
}

function accountOf(rule: DoubaoKeyRule): string {
  return rule.account ?? '2100000000'
}

function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32LE()
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
