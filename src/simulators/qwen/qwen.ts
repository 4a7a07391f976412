/**
 * A server that speaks the image API of DashScope: four generation routes, tasks, uploads, signed result URLs and the
 * list of models, as strict and as peculiar as the documentation and published measurements of 2026-11 describe it.
 *
 * Prompt triggers for people: `[[input-blocked]] [[output-blocked]] [[infringement]] [[partial]] [[empty]] [[fail-task]]
 * [[slow:30]] [[hang]] [[cut]] [[429]] [[burst]] [[quota]] [[500]] [[503]] [[503-html]] [[timeout]]`.
 */
import { createHmac, randomBytes, randomInt, randomUUID } from 'node:crypto'
import { deliver, isLate, meetFault } from '../faults.ts'
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
import { inputBlocked, make, newAnswer, oldAnswer, outputBlocked, type QwenOutcome, storyEvents } from './answers.ts'
import { invalidParameter, QwenRefusal, type WebPicture } from './inputs.ts'
import { type QwenModel, type QwenRoute, qwenModels } from './models.ts'
import {
  checkRoute,
  findModel,
  missingModel,
  type QwenJob,
  qwenRoutePaths,
  readBody,
  readJob,
  wrongRoute,
} from './requests.ts'
import { createTasks, type QwenTask, type QwenTasks, taskAnswer } from './tasks.ts'
import { createUploads, signatureMismatch, storeError } from './uploads.ts'

export const QWEN_DEMO_KEY = 'sk-simulator-demo'
/** Not known to the service at all. */
export const QWEN_INVALID_KEY = 'sk-simulator-invalid'
/** Good in another region, which looks exactly like a wrong key. */
export const QWEN_WRONG_REGION_KEY = 'sk-simulator-singapore'
export const QWEN_ARREARS_KEY = 'sk-simulator-arrears'
/** The service was never activated for this account. */
export const QWEN_UNPURCHASED_KEY = 'sk-simulator-unpurchased'
export const QWEN_FREE_TIER_KEY = 'sk-simulator-free-tier-exhausted'

interface QwenKeyRule extends KeyRule {
  /** Keys of one main account share tasks, uploads and limits. */
  account?: string
  /** Default `good`. */
  state?: 'good' | 'wrong-region' | 'arrears' | 'unpurchased' | 'free-tier-exhausted'
  /** Only these models may be called; all when absent. */
  models?: readonly string[]
}

export interface QwenSimulatorOptions extends SimulatorOptions<QwenKeyRule> {
  /** Default `cn-beijing`; a few model ids differ. */
  region?: 'cn-beijing' | 'ap-southeast-1'
  /** Status of "Model not exist.": 404 (the default) was captured, 400 is documented. */
  missingModelStatus?: 400 | 404
  /** Default: on when `timeScale` is above 0. The windows shrink with `timeScale`. */
  rateLimits?: boolean
  /** At time scale 0: tasks have ended by the first look. Otherwise the first look finds them running. */
  finishTasksAtOnce?: boolean
  /** Models that are retired from the start; none when absent, since nobody saw whether the first line stopped on 2026-10-10. */
  retired?: Readonly<Record<string, Retirement>>
  /** Tasks of 3.0 are unknown to other keys of their account (documented); off when absent. */
  tasksOfTheirKey?: boolean
  /** How long tasks can be looked at, default 86400. */
  taskLifetimeSeconds?: number
  /** Default 20 MiB. The real bound is not known. */
  maxBodyBytes?: number
  /** What stands at the web addresses of input pictures. Others are fetched on this machine only. */
  webPictures?: Readonly<Record<string, WebPicture>>
}

export interface QwenSimulator extends Simulator {
  /** Every task ever made, the oldest first. */
  tasks(): { id: string; requestId: string; model: string; prompt: string; status: string }[]
  /** New and waiting tasks stay pending (the default) or, once begun, running until `releaseTasks`. */
  holdTasks(status?: 'PENDING' | 'RUNNING'): void
  releaseTasks(): void
  /** As after 24 hours: the tasks made so far become unknown. */
  forgetTasks(): void
  /**
   * Retires a model from now on: `denied` as it was reported of stopped models, `missing` as of ids that never were; neither was
   * captured of a picture model. `''` brings it back. The list of models goes on naming it, as the real one does.
   */
  retire(modelId: string, how: Retirement): void
}

type Retirement = 'denied' | 'missing' | ''

const demoKeys: Readonly<Record<string, QwenKeyRule>> = {
  [QWEN_DEMO_KEY]: { name: 'demo' },
  [QWEN_WRONG_REGION_KEY]: { name: 'wrong-region', state: 'wrong-region' },
  [QWEN_ARREARS_KEY]: { name: 'arrears', state: 'arrears', account: '1000000000000002' },
  [QWEN_UNPURCHASED_KEY]: { name: 'unpurchased', state: 'unpurchased', account: '1000000000000003' },
  [QWEN_FREE_TIER_KEY]: { name: 'free-tier-exhausted', state: 'free-tier-exhausted', account: '1000000000000004' },
}

const filesPath = '/result/'
const uploadPath = '/dashscope-file'
/** Of a submit, a look or a refusal, in real milliseconds at time scale 1. */
const exchangeMs = 200

/** Prompts that make the service refuse before anything is drawn. */
const promptRefusals: Readonly<Record<string, [status: number, code: string, message: string]>> = {
  429: [429, 'Throttling.RateQuota', 'Requests rate limit exceeded, please try again later.'],
  burst: [
    429,
    'Throttling.BurstRate',
    'Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale requests more smoothly over time.',
  ],
  quota: [429, 'Throttling.AllocationQuota', 'Allocated quota exceeded, please increase your quota limit.'],
  500: [500, 'InternalError', 'An internal error has occured, please try again later or contact service support.'],
  503: [503, 'ModelUnavailable', 'Model is unavailable, please try again later.'],
  timeout: [500, 'RequestTimeOut', 'Request timed out, please try again later.'],
  infringement: [400, 'IPInfringementSuspect', 'Input data is suspected of being involved in IP infringement.'],
}

const gatewayPage =
  '<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body></body>\r\n</html>'

interface Caller {
  key: string
  rule: QwenKeyRule
  account: string
}

/** Listens at once; `baseUrl` is `${origin}/api/v1`. */
export async function startQwenSimulator(options: QwenSimulatorOptions = {}): Promise<QwenSimulator> {
  const keys = options.keys ?? demoKeys
  const region = options.region ?? 'cn-beijing'
  const timeScale = options.timeScale ?? 1
  const tasks: QwenTasks = createTasks({
    timeScale,
    finishAtOnce: options.finishTasksAtOnce ?? false,
    lifetimeSeconds: options.taskLifetimeSeconds ?? 86_400,
  })
  const retired = new Map(Object.entries(options.retired ?? {}))
  const signingSecret = randomBytes(20)
  const limiter = createLimiter(options.rateLimits ?? timeScale > 0, timeScale)
  const server = await openServer({ options, filesPath, refuseFile, handle })
  const uploads = createUploads(`${server.origin}${uploadPath}`)

  const base = { reset: server.reset, close: server.close }
  return Object.assign(server, {
    baseUrl: `${server.origin}/api/v1`,
    tasks: () =>
      tasks.all().map(({ id, requestId, job, status }) => ({
        id,
        requestId,
        model: job.model.id,
        prompt: job.prompt,
        status,
      })),
    holdTasks: (status: 'PENDING' | 'RUNNING' = 'PENDING') => tasks.hold(status),
    releaseTasks: () => tasks.release(),
    forgetTasks: () => tasks.forget(),
    retire: (modelId: string, how: Retirement) => void retired.set(modelId, how),
    reset() {
      tasks.release()
      retired.clear()
      for (const [id, how] of Object.entries(options.retired ?? {})) retired.set(id, how)
      base.reset()
    },
    async close() {
      tasks.close()
      await base.close()
    },
  })

  async function handle(exchange: Exchange): Promise<void> {
    const requestId = randomUUID()
    try {
      if (exchange.path === uploadPath) return await receiveUpload(exchange)
      if (exchange.path.startsWith('/compatible-mode/v1/')) return await answerCompatible(exchange, requestId)
      const caller = findCaller(exchange)
      const route = qwenRoutePaths[exchange.path]
      if (route && exchange.method === 'POST') return await generate(exchange, route, caller, requestId)
      await exchange.wait(exchangeMs * timeScale)
      const target = /^\/api\/v1\/tasks\/[^/]/.test(exchange.path) ? 'task' : 'other'
      if (await metFault(exchange, server.takeFault(exchange.log, target), requestId)) return
      return await send(exchange, 200, answerQuestion(exchange, caller, requestId), requestId)
    } catch (error) {
      if (!(error instanceof QwenRefusal)) throw error
      await send(exchange, error.status, refusalBody(error, requestId), requestId)
    }
  }

  /** Also writes the name of the key into the log. @throws QwenRefusal 401 */
  function findCaller(exchange: Exchange): Caller {
    const authorization = exchange.headers.authorization
    if (!authorization) throw new QwenRefusal(401, 'InvalidApiKey', 'No API-key provided.')
    const key = /^Bearer (\S+)$/.exec(authorization)?.[1] ?? ''
    const rule = Object.hasOwn(keys, key) ? keys[key] : undefined
    if (rule) exchange.log.keyName = rule.name ?? key
    if (!rule || rule.state === 'wrong-region') {
      throw new QwenRefusal(401, 'InvalidApiKey', 'Invalid API-key provided.')
    }
    return { key: rule.name ?? key, rule, account: rule.account ?? '1000000000000001' }
  }

  /** @throws QwenRefusal when nobody has it, or no more */
  function findServed(modelId: string): QwenModel {
    const missingStatus = options.missingModelStatus ?? 404
    const how = retired.get(modelId)
    if (how === 'denied') throw new QwenRefusal(403, 'Endpoint.AccessDenied', 'Workspace endpoint access denied.')
    if (how === 'missing') throw missingModel(missingStatus)
    return findModel(modelId, { region, missingStatus })
  }

  // ── Making pictures ───────────────────────────────────────────────────────────────────────────────────────────────

  async function generate(exchange: Exchange, route: QwenRoute, caller: Caller, requestId: string): Promise<void> {
    const fault = server.takeFault(exchange.log, 'generation')
    if (fault && !isLate(fault) && (await metFault(exchange, fault, requestId))) return
    await exchange.wait(exchangeMs * timeScale)
    if (exchange.body.length > (options.maxBodyBytes ?? 20 * 2 ** 20)) {
      throw new QwenRefusal(413, 'BadRequest.TooLarge', 'Payload Too Large.')
    }
    const { body, modelId } = readBody(exchange.body.toString(), exchange.headers['content-type'])
    const model = findServed(modelId)
    checkRoute(model, route, header(exchange, 'x-dashscope-async'))
    checkAccess(caller, model)
    limiter.submit(caller.account, model, tasks.unfinished(caller.account, model.id))
    const job = await readJob(body, {
      route,
      streamed: header(exchange, 'x-dashscope-sse')?.toLowerCase() === 'enable',
      sources: {
        model,
        account: caller.account,
        resolvesUploads: header(exchange, 'x-dashscope-ossresourceresolve')?.toLowerCase() === 'enable',
        uploads: uploads.files,
        web: options.webPictures ?? {},
      },
    })
    const triggers = triggersOf(job.prompt)
    for (const [name, [status, code, message]] of Object.entries(promptRefusals)) {
      if (triggers.has(name)) throw new QwenRefusal(status, code, message)
    }
    if (triggers.has('503-html')) return exchange.send(503, gatewayPage, { 'content-type': 'text/html' })
    // Old routes tell of their verdict on the prompt by a task that fails (measured).
    if (triggers.has('input-blocked') && (route === 'MM' || route === 'IG')) {
      const { code, message } = inputBlocked(job)
      throw new QwenRefusal(400, code, message)
    }
    const late = lateFault(fault, triggers)
    if (route === 'MM') return answerAtOnce(exchange, { job, fault, late, caller, requestId })
    const task = submitTask(job, fault, caller, requestId)
    const answer = { output: { task_status: 'PENDING', task_id: task.id }, request_id: requestId }
    return deliver(exchange, late, answer, answerHeaders(requestId))
  }

  async function answerAtOnce(
    exchange: Exchange,
    parts: { job: QwenJob; fault: Fault | undefined; late: Fault | undefined; caller: Caller; requestId: string },
  ): Promise<void> {
    const { job, fault, late, caller, requestId } = parts
    const runMs = runTime(job)
    if (runMs === Infinity) return exchange.hang()
    await exchange.wait(runMs ?? 0)
    const outcome = draw(job, fault, { caller: caller.key, requestId })
    if (fault?.kind === 'all-refused' && fault.form === 'top-level') {
      return send(exchange, 200, { ...outputBlocked, request_id: requestId }, requestId)
    }
    if (outcome.failure) {
      throw new QwenRefusal(400, outcome.failure.code, outcome.failure.message)
    }
    if (job.interleaved) return tellStory(exchange, storyEvents(job, outcome, requestId), late ?? fault, requestId)
    const { output, usage } = newAnswer(job, outcome)
    return deliver(exchange, late, { output, usage, request_id: requestId }, answerHeaders(requestId))
  }

  function submitTask(job: QwenJob, fault: Fault | undefined, caller: Caller, requestId: string): QwenTask {
    const identity = { id: randomUUID(), requestId, account: caller.account, key: caller.key, job }
    return tasks.submit(identity, runTime(job), () => {
      const outcome = draw(job, fault, { caller: caller.key, requestId })
      if (outcome.failure) {
        const metrics = { TOTAL: job.count, SUCCEEDED: 0, FAILED: job.count }
        return { status: 'FAILED', output: { ...outcome.failure, task_metrics: metrics } }
      }
      return { status: 'SUCCEEDED', ...(job.route === 'IG' ? newAnswer(job, outcome) : oldAnswer(job, outcome)) }
    })
  }

  /** Real milliseconds of the drawing; undefined for at once, Infinity for never. */
  function runTime(job: QwenJob): number | undefined {
    const triggers = triggersOf(job.prompt)
    if (triggers.has('hang')) return Infinity
    const slow = Number(triggers.get('slow'))
    if (triggers.has('slow') && slow > 0) return slow * 1000
    if (timeScale === 0) return undefined
    const area = job.size.width * job.size.height
    return job.model.seconds(area) * (1 + 0.25 * (job.count - 1)) * 1000 * timeScale
  }

  /** Makes the pictures and puts them on the bill, whether or not anybody still listens. */
  function draw(job: QwenJob, fault: Fault | undefined, from: { caller: string; requestId: string }): QwenOutcome {
    const { width, height } = job.size
    const seed = job.seed ?? randomInt(2 ** 31)
    const transparent = job.model.transparent === true && /transparent|透明/i.test(job.prompt)
    const previews = job.references.flatMap(reference => (reference.preview ? [reference.preview] : []))
    return make(job, fault, index => {
      server.billed.push({
        requestId: from.requestId,
        model: job.model.id,
        key: from.caller,
        prompt: job.prompt,
        index,
        width,
        height,
        at: Date.now(),
      })
      const { path, query } = signedPlace()
      return server.publish({
        path,
        query,
        contentType: 'image/png',
        draw: () =>
          server.draw({
            width,
            height,
            type: 'png',
            prompt: job.prompt,
            seed: seed % 2 ** 31,
            index,
            watermark: job.watermark,
            transparent,
            references: previews,
          }),
      })
    })
  }

  /** In the manner of OSS, version 1. The signature always holds characters that only survive when nobody rebuilds the query. */
  function signedPlace(): { path: string; query: string } {
    const folder = randomBytes(2).toString('hex')
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '')
    const path = `${filesPath}${folder.slice(0, 2)}/${folder.slice(2)}/${day}/${randomUUID()}-1.png`
    const expires = Math.floor(Date.now() / 1000) + server.urlLifetimeSeconds
    let signature: string
    do {
      signature = createHmac('sha1', signingSecret).update(`GET\n${expires}\n${path}\n${randomUUID()}`).digest('base64')
    } while (!signature.includes('+') || !signature.includes('/'))
    const query = `Expires=${expires}&OSSAccessKeyId=LTAI5tSimulatorResult&Signature=${encodeURIComponent(signature)}`
    return { path, query }
  }

  // ── Everything that is free ───────────────────────────────────────────────────────────────────────────────────────

  /** @throws QwenRefusal */
  function answerQuestion(exchange: Exchange, caller: Caller, requestId: string): object {
    const query = new URLSearchParams(exchange.query)
    // The official Python SDK looks at a task with a slash at the end.
    const place = /^\/api\/v1\/tasks\/?(?:([^/]+)(\/cancel)?\/?)?$/.exec(exchange.path)
    const [, taskId, cancel] = place ?? []
    if (place && taskId === undefined && exchange.method === 'GET') {
      limiter.question('list', caller.account)
      return tasks.list(caller.account, query, { region, requestId })
    }
    if (place && taskId !== undefined && !cancel && exchange.method === 'GET') {
      limiter.question('look', caller.account)
      const task = tasks.look(taskId, caller.account)
      const isForeign = options.tasksOfTheirKey && task?.key !== caller.key && task?.job.model.id.includes('-3.0')
      if (task && !isForeign) return taskAnswer(task, requestId)
      return { request_id: requestId, output: { task_id: taskId, task_status: 'UNKNOWN' } }
    }
    if (place && taskId !== undefined && cancel && exchange.method === 'POST') {
      limiter.question('cancel', caller.account)
      tasks.cancel(taskId, caller.account)
      return { request_id: requestId }
    }
    if (exchange.path === '/api/v1/uploads' && exchange.method === 'GET') {
      if (query.get('action') !== 'getPolicy') throw invalidParameter('Field required: action')
      const modelId = query.get('model')
      if (!modelId) throw invalidParameter('Field required: model')
      const model = findServed(modelId)
      return { request_id: requestId, data: uploads.grant(caller.account, model.id) }
    }
    if (exchange.path.startsWith('/api/v1/services/') && exchange.method === 'POST') throw wrongRoute()
    throw new QwenRefusal(404, 'NotFound', 'Not found!')
  }

  async function answerCompatible(exchange: Exchange, requestId: string): Promise<void> {
    const refuse = (status: number, code: string, message: string) =>
      send(
        exchange,
        status,
        { error: { message, type: 'invalid_request_error', param: null, code }, request_id: requestId },
        requestId,
      )
    try {
      findCaller(exchange)
    } catch {
      return refuse(401, 'invalid_api_key', 'Incorrect API key provided.')
    }
    await exchange.wait(exchangeMs * timeScale)
    if (await metFault(exchange, server.takeFault(exchange.log, 'other'), requestId)) return
    if (exchange.path === '/compatible-mode/v1/models' && exchange.method === 'GET') {
      return send(exchange, 200, { object: 'list', data: compatibleModels(region) }, requestId)
    }
    // Pictures are made here on workspace hosts only; a shared host answers 404 (measured).
    return refuse(404, 'not_found', 'Not found!')
  }

  async function receiveUpload(exchange: Exchange): Promise<void> {
    if (await metFault(exchange, server.takeFault(exchange.log, 'other'), randomUUID())) return
    const { status, body } = await uploads.receive(exchange.body, {
      authorization: exchange.headers.authorization,
      contentType: exchange.headers['content-type'],
    })
    await exchange.send(status, body, { 'content-type': 'application/xml', server: 'AliyunOSS' })
  }

  async function refuseFile(exchange: Exchange, reason: FileRefusal): Promise<void> {
    const { status, body } = fileRefusals[reason]()
    await exchange.send(status, body, { 'content-type': 'application/xml', server: 'AliyunOSS' })
  }

  // ── Faults ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** True when the fault has already answered. */
  function metFault(exchange: Exchange, fault: Fault | undefined, requestId: string): Promise<boolean> {
    return meetFault(exchange, fault, {
      headers: answerHeaders(requestId),
      body: { request_id: requestId, output: {} },
      unwrapped: (code, message) => ({ code, message, request_id: requestId }),
    })
  }

  async function tellStory(exchange: Exchange, events: object[], fault: Fault | undefined, requestId: string) {
    if (fault && isLate(fault) && !(fault.kind === 'cut' && fault.after === 'n-events')) {
      return deliver(exchange, fault, { request_id: requestId, output: {} }, answerHeaders(requestId))
    }
    const how = fault?.kind === 'stream' ? fault.how : undefined
    exchange.log.status = 200
    const headers = { ...answerHeaders(requestId), 'content-type': 'text/event-stream;charset=UTF-8' }
    exchange.response.writeHead(200, headers)
    const last = events.length - 1
    for (const [index, event] of events.entries()) {
      if (fault?.kind === 'cut' && index === (fault.n ?? 1)) {
        // What was written must be on its way before the connection goes.
        await exchange.wait(15)
        return exchange.cut()
      }
      if (how === 'no-completed' && index === last) break
      const failure = { code: 'InternalError.Algo', message: 'inference internal error.', request_id: requestId }
      const broken = how === 'error-event' && index === 2
      const text = broken ? eventText(index, 'error', 500, failure) : eventText(index, 'result', 200, event)
      await (how === 'split-chunks' ? exchange.writeSplit(text) : exchange.write(text))
      if (broken) break
    }
    exchange.response.end()
  }
}

const eventText = (index: number, name: string, status: number, data: object) =>
  `id:${index + 1}\nevent:${name}\n:HTTP_STATUS/${status}\ndata:${JSON.stringify(data)}\n\n`

function lateFault(fault: Fault | undefined, triggers: ReadonlyMap<string, string>): Fault | undefined {
  if (triggers.has('cut')) return { kind: 'cut', after: 'request' }
  return fault && isLate(fault) ? fault : undefined
}

/** Seen on real answers (measured). An ordinary 429 has no `retry-after`. */
function answerHeaders(requestId: string): Record<string, string> {
  const now = Date.now()
  return {
    'content-type': 'application/json',
    'x-request-id': requestId,
    'x-dashscope-call-gateway': 'true',
    'req-cost-time': '180',
    'req-arrive-time': String(now - 180),
    'resp-start-time': String(now),
    'x-envoy-upstream-service-time': '176',
    server: 'istio-envoy',
    vary: 'Origin,Accept-Encoding',
  }
}

const send = (exchange: Exchange, status: number, body: object, requestId: string) =>
  exchange.send(status, body, answerHeaders(requestId))

const refusalBody = (refusal: QwenRefusal, requestId: string) => ({
  code: refusal.code,
  message: refusal.message,
  request_id: requestId,
})

const header = (exchange: Exchange, name: string) => exchange.headers[name]?.toString()

/** @throws QwenRefusal */
function checkAccess(caller: Caller, model: QwenModel) {
  const { state, models } = caller.rule
  if (state === 'unpurchased') {
    throw new QwenRefusal(
      403,
      'AccessDenied.Unpurchased',
      'Access to model denied. Please make sure you are eligible for using the model.',
    )
  }
  if (models && !models.includes(model.id)) throw new QwenRefusal(403, 'Model.AccessDenied', 'Model access denied.')
  if (state === 'free-tier-exhausted') {
    throw new QwenRefusal(
      403,
      'AllocationQuota.FreeTierOnly',
      'The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, please disable the "use free tier only" mode in the management console.',
    )
  }
  if (state === 'arrears') {
    throw new QwenRefusal(400, 'Arrearage', 'Access denied, please make sure your account is in good standing.')
  }
}

const fileRefusals: Readonly<Record<FileRefusal, () => { status: number; body: string }>> = {
  missing: () => storeError(404, 'NoSuchKey', 'The specified key does not exist.'),
  method: () => storeError(403, 'SignatureDoesNotMatch', signatureMismatch),
  altered: () => storeError(403, 'SignatureDoesNotMatch', signatureMismatch),
  authorization: () => storeError(403, 'AccessDenied', 'The Authorization header is not a signature of this service.'),
  expired: () => storeError(403, 'AccessDenied', 'Request has expired.'),
}

/** Looks, lists and cancels: 20 a second each, per main account (DashScope documentation). */
const questionsPerSecond = 20

function createLimiter(isOn: boolean, timeScale: number) {
  const seen = new Map<string, number[]>()
  const scale = timeScale > 0 ? timeScale : 1

  function isOver(name: string, most: number, windowSeconds: number): boolean {
    const from = Date.now() - windowSeconds * 1000 * scale
    const recent = (seen.get(name) ?? []).filter(at => at > from)
    const over = recent.length >= most
    if (!over) recent.push(Date.now())
    seen.set(name, recent)
    return over
  }

  return {
    /** @throws QwenRefusal 429 */
    submit(account: string, model: QwenModel, unfinished: number) {
      if (!isOn) return
      const { submits, windowSeconds, tasks } = model.rate
      if (tasks !== undefined && unfinished >= tasks) {
        throw new QwenRefusal(429, 'Throttling.Concurrency', 'Too many running tasks. Please try again later.')
      }
      if (isOver(`submit ${account} ${model.id}`, submits, windowSeconds)) {
        const [status, code, message] = promptRefusals[429]!
        throw new QwenRefusal(status, code, message)
      }
    },
    /** @throws QwenRefusal 429 */
    question(kind: 'look' | 'list' | 'cancel', account: string) {
      if (isOn && isOver(`${kind} ${account}`, questionsPerSecond, 1)) {
        throw new QwenRefusal(429, 'Throttling', 'Requests throttling triggered.')
      }
    },
  }
}

/** The list names text models too and leaves out older picture models that still work (measured). */
function compatibleModels(region: string) {
  const text = ['qwen3-max', 'qwen-plus', 'qwen-turbo', 'qwen3-vl-plus', 'qwen-mt-plus', 'text-embedding-v4']
  const pictures = qwenModels
    .filter(model => (model.region ?? region) === region && !/^wan(2\.[12]|x)/.test(model.id))
    .map(model => model.id)
  return [...text, ...pictures].map(id => ({ id, object: 'model', created: 1_795_000_000, owned_by: 'system' }))
}
