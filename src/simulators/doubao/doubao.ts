/**
 * Stands in for the image generation of Volcengine Ark (Doubao Seedream, `/api/v3/images/generations`), as it was documented and
 * measured until 2026-11. As strict as the service where that is known; where it is not, the stricter reading, so that a client which
 * passes here has not relied on luck.
 */
import { createHash, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { Exchange, Wording } from '../exchange.ts'
import { deliver, faultInPrompt, isLate, meetEarlyFault, meetFault } from '../faults.ts'
import type { FileRefusal } from '../files.ts'
import { namedRefusal, Refusal } from '../refusal.ts'
import { openServer, type Simulator, type SimulatorOptions } from '../server.ts'
import { echoOf, errorOf, type Item, imagine, type Job, toolsOf, usageOf } from './answers.ts'
import { openReferences } from './inputs.ts'
import { accountOf, type DoubaoKeyRule, doubaoDemoKeys, type Platform } from './keys.ts'
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
import { refusals } from './refusals.ts'
import { type Body, invalid, isBody, missing, type Order, readOrder } from './requests.ts'
import { streamAnswer } from './stream.ts'

export interface DoubaoSimulatorOptions extends SimulatorOptions<DoubaoKeyRule> {
  /** Models of Ark China that are not current; as the service has it since 2026-11-24 when absent. */
  retired?: Readonly<Record<string, ModelStatus>>
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

interface Caller {
  rule: DoubaoKeyRule
  keyName: string
}

/** Keys of another form are refused as malformed. */
const uuidOrArk = /^(?:ark-[a-z0-9-]{8,}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/i
const bytePlusPath = '/byteplus'
const filesPath = '/ark-content-generation-v2-cn-beijing/'

/** Since 2026-11-24 14:00 (UTC+8). */
const stopped: Readonly<Record<string, ModelStatus>> = {
  'doubao-seedream-4-5-251128': 'Shutdown',
  'doubao-seedream-4-0-250828': 'Shutdown',
  'doubao-seedream-5-0-260128': 'Shutdown',
}

const errorTypes: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  429: 'TooManyRequests',
  500: 'InternalServerError',
}

export async function startDoubaoSimulator(options: DoubaoSimulatorOptions = {}): Promise<DoubaoSimulator> {
  const admitted = new Map<string, { at: number; images: number }[]>()
  const retired = new Map<string, ModelStatus>()
  const offered: ServedModel[] = []
  let sequence = 0

  const wording: Wording = {
    newRequestId: () => `02${Date.now()}${randomBytes(19).toString('hex')}`,
    headersOf({ requestId, headers, log }) {
      const own = headers['x-client-request-id']
      const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
      return {
        server: 'istio-envoy',
        'x-request-id': requestId,
        'x-client-request-id': typeof own === 'string' ? own : `unknown-${time}-${requestId.slice(15, 23)}`,
        'x-envoy-upstream-service-time': String(Date.now() - log.at),
      }
    },
    describeRefusal: ({ status, code, message, details }, { requestId }) => ({
      code,
      message: `${message} Request id: ${requestId}`,
      param: details.param ?? '',
      type: details.type ?? errorTypes[status] ?? '',
    }),
    wrapsErrors: true,
    refusals,
    refusalSeconds: 0.3,
  }
  const server = await openServer({ options, demoKeys: doubaoDemoKeys, wording, filesPath, refuseFile, handle })
  const { origin, timeScale } = server
  const reachable = (url: URL) => url.origin === origin || isPublic(url)

  const retire: DoubaoSimulator['retire'] = (modelId, status, { keyName = '' } = {}) =>
    void retired.set(`${keyName} ${idInList(modelId)}`, status)
  const resetRetirement = () => {
    retired.clear()
    for (const [id, status] of Object.entries(options.retired ?? stopped)) retire(id, status)
  }
  resetRetirement()

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
    const { method, path } = exchange
    const platform = platformOf(exchange)
    const resource = /^(?:\/byteplus)?\/api\/(?:plan\/)?v3\/(.+)$/.exec(path)?.[1]
    if (method === 'POST' && resource === 'images/generations') return generate(exchange, platform)

    if (await meetFault(exchange, server.takeFault(exchange, 'other'))) return
    const isModels = method === 'GET' && resource === 'models'
    const isTasks = method === 'GET' && resource === 'contents/generations/tasks'
    if (platform === 'plan' && isModels) return exchange.answer('404 page not found', 404)
    if (platform === 'plan' || !(isModels || isTasks)) {
      throw new Refusal(404, 'InvalidAction', `The specified action is invalid: ${path}`)
    }
    authenticate(exchange, platform)
    // The list is the same for every account.
    const list = () => modelsList(modelsAt(platform), modelId => statusOf(modelId, platform))
    return exchange.answer(isModels ? list() : { items: [], total: 0 })
  }

  // ── Who may use what ──────────────────────────────────────────────────────────────────────────────────────────────

  function authenticate(exchange: Exchange, platform: Platform): Caller {
    const unauthorized = (message: string) => new Refusal(401, 'AuthenticationError', message)
    const { key } = exchange
    if (key === '') throw unauthorized('the API key or AK/SK in the request is missing or invalid.')
    const rule = server.findRule(exchange)
    if (!rule && !uuidOrArk.test(key)) throw unauthorized('The API key format is incorrect.')
    if (!rule || (rule.platform ?? 'ark') !== platform) throw unauthorized("The API key doesn't exist.")
    if (rule.state === 'abnormal') throw namedRefusal(refusals, 'abnormal')
    return { rule, keyName: rule.name ?? key }
  }

  function modelsAt(platform: Platform): readonly ServedModel[] {
    if (platform === 'byteplus') return bytePlusModels
    return platform === 'plan' ? arkModels : [...arkModels, ...offered]
  }

  /** For everybody, or for one key where that differs. What becomes of plans, nobody knows: they go on. */
  function statusOf(modelId: string, platform: Platform, keyName = ''): ModelStatus {
    if (platform !== 'ark') return ''
    const id = idInList(modelId)
    return retired.get(`${keyName} ${id}`) ?? retired.get(` ${id}`) ?? ''
  }

  function resolveModel(spelling: string, { rule, keyName }: Caller, platform: Platform): ServedModel {
    const message = `The model or endpoint ${spelling} does not exist or you do not have access to it.`
    const absent = (type?: string) => new Refusal(404, 'InvalidEndpointOrModel.NotFound', message, { type })
    const isEndpoint = spelling.startsWith('ep-')
    const known = platform === 'plan' ? planModels[spelling] : (rule.endpoints?.[spelling] ?? spelling)
    const model = modelsAt(platform).find(({ id }) => id === known)
    if (platform === 'plan' && !model) {
      throw new Refusal(404, 'UnsupportedModel', `The model ${spelling} is not supported by this plan.`)
    }
    if (otherModalities.has(spelling)) throw invalid('model', `the model ${spelling} does not support this api`)
    if (!model) throw absent()
    const status = statusOf(model.id, platform, keyName)
    if (status === 'Shutdown' && isEndpoint) {
      throw new Refusal(400, 'InvalidEndpoint.ClosedEndpoint', `The endpoint ${spelling} is closed.`)
    }
    // Captured of another retired model: the type with a space, which no other answer has.
    if (status === 'Shutdown') throw absent('Not Found')
    const isActivated = rule.activated?.includes(model.id) ?? true
    if (status === 'Retiring' && (rule.isNew || !isActivated)) throw absent()
    const refuse = (name: string) => namedRefusal(refusals, name, { model: model.name, account: accountOf(rule) })
    if (rule.endpointsOnly && !isEndpoint) throw refuse('endpoints-only')
    if (rule.state === 'denied') throw refuse('denied')
    if (!isActivated) throw refuse('not-open')
    return model
  }

  function checkAccount(rule: DoubaoKeyRule, model: ServedModel): void {
    if (rule.state !== 'overdue' && rule.state !== 'paused') return
    throw namedRefusal(refusals, rule.state, { model: model.name, account: accountOf(rule) })
  }

  /** The limit counts pictures of an account and model version; layers reserve 17 and give back the rest. */
  function admit(rule: DoubaoKeyRule, { order, items }: Job): void {
    const max = rule.imagesPerMinute
    if (max === undefined) return
    const name = `${accountOf(rule)} ${order.model.id}`
    const recent = (admitted.get(name) ?? []).filter(({ at }) => at > Date.now() - 60_000)
    const images = items.filter(item => 'image' in item).length
    const used = recent.reduce((sum, each) => sum + each.images, 0)
    if (used + (order.layers ? 17 : images) > max) throw namedRefusal(refusals, '429', { model: order.model.name })
    recent.push({ at: Date.now(), images })
    admitted.set(name, recent)
  }

  // ── One generation ────────────────────────────────────────────────────────────────────────────────────────────────

  async function generate(exchange: Exchange, platform: Platform): Promise<void> {
    const given = server.takeFault(exchange, 'generation')
    if (await meetEarlyFault(exchange, given)) return
    const caller = authenticate(exchange, platform)
    const { spelling, order } = read(exchange, caller, platform)
    const references = await openReferences(order, { reachable, timeoutMs: Math.max(500, 10_000 * timeScale) })
    const asked = faultInPrompt(order.prompt, refusals)
    if (await meetEarlyFault(exchange, asked)) return
    const fault = given ?? asked
    const call = { id: exchange.requestId, order, spelling, platform, keyName: caller.keyName }
    sequence += 1
    const job = imagine(call, references, { seed: order.seed ?? sequence, fault })
    admit(caller.rule, job)

    const bill = (item: Item) => {
      if (!('image' in item)) return
      server.bill({ requestId: job.id, key: job.keyName, model: order.model.id }, item.image)
    }
    const describe = (item: Item) => describeItem(job, item)
    if (order.stream) return streamAnswer(exchange, job, { fault, timeScale, bill, describe })

    const furtherSeconds = job.secondsFurther * Math.max(0, job.items.length - 1)
    await exchange.wait((job.secondsFirst + furtherSeconds) * 1000 * timeScale)
    job.items.forEach(bill)
    const begin = { ...echoOf(job, false), ...toolsOf(job) }
    const usage = usageOf(job, true)
    if (fault?.kind === 'all-refused' && fault.form === 'top-level') {
      return exchange.answer({ ...begin, error: errorOf(job.items), usage })
    }
    const data: object[] = []
    // What is lost on its way need not be drawn, unless half of it arrives.
    if (!isLate(fault) || fault?.kind === 'cut') for (const item of job.items) data.push(await describe(item))
    return deliver(exchange, fault, { ...begin, data, usage })
  }

  /** @throws Refusal with the first fault only, as the service does */
  function read(exchange: Exchange, caller: Caller, platform: Platform): { spelling: string; order: Order } {
    const { rule } = caller
    const body = readBody(exchange)
    const spelling = readModel(body)
    const model = resolveModel(spelling, caller, platform)
    if (rule.accountCheck !== 'after-body') checkAccount(rule, model)
    const order = readOrder(body, model)
    if (rule.accountCheck === 'after-body') checkAccount(rule, model)
    return { spelling, order }
  }

  async function describeItem(job: Job, item: Item): Promise<object> {
    if ('error' in item) return { error: item.error }
    const { image, facts } = item
    const place = job.order.base64
      ? { b64_json: (await server.draw(image)).toString('base64') }
      : { url: server.publish({ ...signedPlace(job, item.index, image.type), image }) }
    return { ...place, size: `${image.width}x${image.height}`, ...facts }
  }

  /** In the manner of TOS, version 4. */
  function signedPlace({ id, order }: Job, index: number, type: string): { path: string; query: string } {
    const path = `${filesPath}${order.model.name}/${id.slice(0, 37)}_${index}.${type}`
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
    const query = [
      'X-Tos-Algorithm=TOS4-HMAC-SHA256',
      `X-Tos-Credential=AKLTsimulator%2F${time.slice(0, 8)}%2Fcn-beijing%2Ftos%2Frequest`,
      `X-Tos-Date=${time}`,
      `X-Tos-Expires=${server.urlLifetimeSeconds}`,
      `X-Tos-Signature=${createHash('sha256').update(`${path} ${time}`).digest('hex')}`,
      'X-Tos-SignedHeaders=host',
    ].join('&')
    return { path, query }
  }
}

function platformOf({ path, headers }: Exchange): Platform {
  if (path.startsWith('/api/plan/v3/')) return 'plan'
  const isBytePlus = path.startsWith(`${bytePlusPath}/`) || /(?:^|\.)bytepluses\.com(?::\d+)?$/.test(headers.host ?? '')
  return isBytePlus ? 'byteplus' : 'ark'
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

function readModel({ model }: Body): string {
  if (model === undefined || model === null || model === '') throw missing('model')
  if (typeof model !== 'string') throw invalid('model', 'must be a string')
  return model
}

function isPublic(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) === 6) return /^[23]/.test(host)
  if (isIP(host) === 4) {
    return !/^(?:0|10|127|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(
      host,
    )
  }
  return host.includes('.') && !/\.(?:local|internal|lan|home|localhost|test|invalid|example)$/.test(host)
}

const signatureMismatch = 'The request signature we calculated does not match the signature you provided.'
const fileRefusals: Record<FileRefusal, [status: number, code: string, message: string]> = {
  missing: [404, 'NoSuchKey', 'The specified key does not exist.'],
  method: [403, 'SignatureDoesNotMatch', signatureMismatch],
  authorization: [403, 'AccessDenied', 'Only one auth mechanism allowed.'],
  altered: [403, 'SignatureDoesNotMatch', signatureMismatch],
  expired: [403, 'AccessDenied', 'Request has expired.'],
}

async function refuseFile(exchange: Exchange, reason: FileRefusal): Promise<void> {
  const [status, code, message] = fileRefusals[reason]
  const id = createHash('sha256').update(exchange.path).digest('hex').slice(0, 32)
  const body = { Code: code, RequestId: id, HostId: 'simulator', Message: message }
  await exchange.send(status, body, { 'x-tos-request-id': id })
}
