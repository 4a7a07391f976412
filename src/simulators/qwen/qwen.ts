/**
 * A server that speaks the image API of DashScope: four generation routes, tasks, uploads, signed result URLs and the
 * list of models, as strict and as peculiar as the documentation and published measurements of 2026-11 describe it.
 */
import { createHmac, randomBytes, randomInt, randomUUID } from 'node:crypto'
import type { Exchange, Wording } from '../exchange.ts'
import { deliver, type Fault, faultInPrompt, meetEarlyFault, meetFault } from '../faults.ts'
import { awkwardSignature, type FileRefusal } from '../files.ts'
import { namedRefusal, Refusal } from '../refusal.ts'
import { openServer, type Simulator, type SimulatorOptions } from '../server.ts'
import { inputBlocked, make, newAnswer, oldAnswer, outputBlocked, type QwenOutcome } from './answers.ts'
import type { WebImage } from './inputs.ts'
import { type QwenKeyRule, qwenDemoKeys } from './keys.ts'
import { createLimits } from './limits.ts'
import { type QwenModel, type QwenRoute, qwenModels } from './models.ts'
import { refusals } from './refusals.ts'
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
import { streamStory } from './stream.ts'
import { createTasks, taskAnswer } from './tasks.ts'

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
  /** Default 20 MiB. The real bound is not known. */
  maxBodyBytes?: number
  /** What stands at the web addresses of input pictures. Others are fetched on this machine only. */
  webImages?: Readonly<Record<string, WebImage>>
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

const filesPath = '/result/'
/** Duration of a submit, a poll or a refusal, in real milliseconds at time scale 1. */
const exchangeMs = 200

interface Caller {
  key: string
  rule: QwenKeyRule
  account: string
}

const wording: Wording = {
  newRequestId: randomUUID,
  /** Seen on real answers (measured). An ordinary 429 has no `retry-after`. */
  headersOf: ({ requestId }) => ({
    'content-type': 'application/json',
    'x-request-id': requestId,
    'x-dashscope-call-gateway': 'true',
    'req-cost-time': '180',
    'req-arrive-time': String(Date.now() - 180),
    'resp-start-time': String(Date.now()),
    'x-envoy-upstream-service-time': '176',
    server: 'istio-envoy',
    vary: 'Origin,Accept-Encoding',
  }),
  describeRefusal: ({ code, message }, { requestId }) => ({ code, message, request_id: requestId }),
  wrapsErrors: false,
  refusals,
  refusalSeconds: 0,
}

/** Listens at once; `baseUrl` is `${origin}/api/v1`. */
export async function startQwenSimulator(options: QwenSimulatorOptions = {}): Promise<QwenSimulator> {
  const region = options.region ?? 'cn-beijing'
  const timeScale = options.timeScale ?? 1
  const tasks = createTasks({ timeScale, finishAtOnce: options.finishTasksAtOnce ?? false })
  const retired = new Map(Object.entries(options.retired ?? {}))
  const signingSecret = randomBytes(20)
  const limits = createLimits(options.rateLimits ?? timeScale > 0, timeScale)
  const server = await openServer({ options, demoKeys: qwenDemoKeys, wording, filesPath, refuseFile, handle })

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
    if (exchange.path.startsWith('/compatible-mode/v1/')) return answerCompatible(exchange)
    const caller = findCaller(exchange)
    const route = qwenRoutePaths[exchange.path]
    if (route && exchange.method === 'POST') return generate(exchange, route, caller)
    await exchange.wait(exchangeMs * timeScale)
    const target = /^\/api\/v1\/tasks\/[^/]/.test(exchange.path) ? 'task' : 'other'
    if (await meetFault(exchange, server.takeFault(exchange, target))) return
    return exchange.answer(answerQuestion(exchange, caller))
  }

  /** @throws Refusal 401 */
  function findCaller(exchange: Exchange): Caller {
    if (!exchange.headers.authorization) throw namedRefusal(refusals, 'no-key')
    const rule = server.findRule(exchange)
    if (!rule || rule.state === 'wrong-region') throw namedRefusal(refusals, 'wrong-region')
    return { key: rule.name ?? exchange.key, rule, account: rule.account ?? '1000000000000001' }
  }

  /** @throws Refusal when nobody has it, or no more */
  function findServed(modelId: string): QwenModel {
    const missingStatus = options.missingModelStatus ?? 404
    const how = retired.get(modelId)
    if (how === 'denied') throw new Refusal(403, 'Endpoint.AccessDenied', 'Workspace endpoint access denied.')
    if (how === 'missing') throw missingModel(missingStatus)
    return findModel(modelId, { region, missingStatus })
  }

  // ── Making pictures ───────────────────────────────────────────────────────────────────────────────────────────────

  async function generate(exchange: Exchange, route: QwenRoute, caller: Caller): Promise<void> {
    const given = server.takeFault(exchange, 'generation')
    if (await meetEarlyFault(exchange, given)) return
    await exchange.wait(exchangeMs * timeScale)
    const job = await readOrder(exchange, route, caller)
    const asked = faultInPrompt(job.prompt, refusals)
    const isBlocked = asked?.kind === 'refusal' && asked.name === 'input-blocked'
    // Old routes tell of their verdict on the prompt by a task that fails (measured); every task is taken before it is slow.
    const isForTask = isBlocked
      ? route === 'T2I' || route === 'I2I'
      : route !== 'MM' && (asked?.kind === 'slow' || asked?.kind === 'hang')
    if (isBlocked && !isForTask) throw inputBlocked(job)
    if (!isForTask && (await meetEarlyFault(exchange, asked))) return
    const fault = given ?? asked
    if (route === 'MM') return answerAtOnce(exchange, job, fault, caller)
    const { requestId } = exchange
    const identity = { id: randomUUID(), requestId, account: caller.account, key: caller.key, job }
    const task = tasks.submit(identity, runTime(job, asked), () => work(job, fault, identity))
    const answer = { output: { task_status: 'PENDING', task_id: task.id }, request_id: requestId }
    return deliver(exchange, fault, answer)
  }

  /** @throws Refusal with the first thing that is wrong */
  async function readOrder(exchange: Exchange, route: QwenRoute, caller: Caller): Promise<QwenJob> {
    if (exchange.body.length > (options.maxBodyBytes ?? 20 * 2 ** 20)) {
      throw new Refusal(413, 'BadRequest.TooLarge', 'Payload Too Large.')
    }
    const header = (name: string) => exchange.headers[name]?.toString()
    const { body, modelId } = readBody(exchange.body.toString(), header('content-type'))
    const model = findServed(modelId)
    checkRoute(model, route, header('x-dashscope-async'))
    checkAccess(caller.rule, model)
    limits.submit(caller.account, model, tasks.unfinished(caller.account, model.id))
    return readJob(body, {
      route,
      streamed: header('x-dashscope-sse')?.toLowerCase() === 'enable',
      model,
      web: options.webImages ?? {},
    })
  }

  async function answerAtOnce(exchange: Exchange, job: QwenJob, fault: Fault | undefined, caller: Caller) {
    const { requestId } = exchange
    await exchange.wait(runTime(job, undefined) ?? 0)
    const outcome = draw(job, fault, { key: caller.key, requestId })
    if (fault?.kind === 'all-refused' && fault.form === 'top-level') {
      return exchange.answer({ ...outputBlocked, request_id: requestId })
    }
    if (outcome.failure) throw new Refusal(400, outcome.failure.code, outcome.failure.message)
    if (job.interleaved) return streamStory(exchange, job, outcome, fault)
    return deliver(exchange, fault, { ...newAnswer(job, outcome), request_id: requestId })
  }

  /** What becomes of a task at its end. */
  function work(job: QwenJob, fault: Fault | undefined, from: { key: string; requestId: string }) {
    const outcome = draw(job, fault, from)
    if (outcome.failure) {
      const metrics = { TOTAL: job.count, SUCCEEDED: 0, FAILED: job.count }
      return { status: 'FAILED' as const, output: { ...outcome.failure, task_metrics: metrics } }
    }
    return { status: 'SUCCEEDED' as const, ...(job.route === 'IG' ? newAnswer(job, outcome) : oldAnswer(job, outcome)) }
  }

  /** Real milliseconds of the drawing; undefined for at once, Infinity for never. */
  function runTime(job: QwenJob, asked: Fault | undefined): number | undefined {
    if (asked?.kind === 'hang') return Infinity
    if (asked?.kind === 'slow') return asked.ms
    if (timeScale === 0) return undefined
    const area = job.size.width * job.size.height
    return job.model.seconds(area) * (1 + 0.25 * (job.count - 1)) * 1000 * timeScale
  }

  /** Makes the pictures and puts them on the bill, whether or not anybody still listens. */
  function draw(job: QwenJob, fault: Fault | undefined, from: { key: string; requestId: string }): QwenOutcome {
    const { model, prompt, watermark } = job
    const seed = (job.seed ?? randomInt(2 ** 31)) % 2 ** 31
    const transparent = model.transparent === true && /transparent|透明/i.test(prompt)
    const references = job.references.flatMap(({ preview }) => preview ?? [])
    return make(job, fault, index => {
      const image = { ...job.size, type: 'png' as const, prompt, seed, index, watermark, transparent, references }
      server.bill({ requestId: from.requestId, key: from.key, model: model.id }, image)
      return server.publish({ ...signedPlace(), image })
    })
  }

  /** In the manner of OSS, version 1. */
  function signedPlace(): { path: string; query: string } {
    const folder = randomBytes(2).toString('hex')
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '')
    const path = `${filesPath}${folder.slice(0, 2)}/${folder.slice(2)}/${day}/${randomUUID()}-1.png`
    const expires = Math.floor(Date.now() / 1000) + server.urlLifetimeSeconds
    const signature = awkwardSignature(() => createHmac('sha1', signingSecret), `GET\n${expires}\n${path}`)
    return { path, query: `Expires=${expires}&OSSAccessKeyId=LTAI5tSimulatorResult&Signature=${signature}` }
  }

  // ── Everything that is free ───────────────────────────────────────────────────────────────────────────────────────

  /** @throws Refusal */
  function answerQuestion(exchange: Exchange, caller: Caller): object {
    const { requestId } = exchange
    const query = new URLSearchParams(exchange.query)
    // The official Python SDK looks at a task with a slash at the end.
    const place = /^\/api\/v1\/tasks\/?(?:([^/]+)(\/cancel)?\/?)?$/.exec(exchange.path)
    const [, taskId, cancel] = place ?? []
    if (place && taskId === undefined && exchange.method === 'GET') {
      limits.question('list', caller.account)
      return tasks.list(caller.account, query, { region, requestId })
    }
    if (place && taskId !== undefined && !cancel && exchange.method === 'GET') {
      limits.question('look', caller.account)
      const task = tasks.look(taskId, caller.account)
      const isForeign = options.tasksOfTheirKey && task?.key !== caller.key && task?.job.model.id.includes('-3.0')
      if (task && !isForeign) return taskAnswer(task, requestId)
      return { request_id: requestId, output: { task_id: taskId, task_status: 'UNKNOWN' } }
    }
    if (place && taskId !== undefined && cancel && exchange.method === 'POST') {
      limits.question('cancel', caller.account)
      tasks.cancel(taskId, caller.account)
      return { request_id: requestId }
    }
    if (exchange.path.startsWith('/api/v1/services/') && exchange.method === 'POST') throw wrongRoute()
    throw new Refusal(404, 'NotFound', 'Not found!')
  }

  async function answerCompatible(exchange: Exchange): Promise<void> {
    const refuse = (status: number, code: string, message: string) => {
      const error = { message, type: 'invalid_request_error', param: null, code }
      return exchange.answer({ error, request_id: exchange.requestId }, status)
    }
    const rule = server.findRule(exchange)
    if (!rule || rule.state === 'wrong-region') return refuse(401, 'invalid_api_key', 'Incorrect API key provided.')
    await exchange.wait(exchangeMs * timeScale)
    if (await meetFault(exchange, server.takeFault(exchange, 'other'))) return
    if (exchange.path === '/compatible-mode/v1/models' && exchange.method === 'GET') {
      return exchange.answer({ object: 'list', data: compatibleModels(region) })
    }
    // Pictures are made here on workspace hosts only; a shared host answers 404 (measured).
    return refuse(404, 'not_found', 'Not found!')
  }
}

/** @throws Refusal */
function checkAccess({ state, models }: QwenKeyRule, model: QwenModel) {
  if (state === 'unpurchased') throw namedRefusal(refusals, state)
  if (models && !models.includes(model.id)) throw new Refusal(403, 'Model.AccessDenied', 'Model access denied.')
  if (state) throw namedRefusal(refusals, state)
}

const signatureMismatch =
  'The request signature we calculated does not match the signature you provided. Check your key and signing method.'

const fileRefusals: Readonly<Record<FileRefusal, [status: number, code: string, message: string]>> = {
  missing: [404, 'NoSuchKey', 'The specified key does not exist.'],
  method: [403, 'SignatureDoesNotMatch', signatureMismatch],
  altered: [403, 'SignatureDoesNotMatch', signatureMismatch],
  authorization: [403, 'AccessDenied', 'The Authorization header is not a signature of this service.'],
  expired: [403, 'AccessDenied', 'Request has expired.'],
}

/** The object store speaks XML, never JSON. */
async function refuseFile(exchange: Exchange, reason: FileRefusal): Promise<void> {
  const [status, code, message] = fileRefusals[reason]
  const body = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<Error>',
    `  <Code>${code}</Code>`,
    `  <Message>${message}</Message>`,
    `  <RequestId>${randomBytes(12).toString('hex').toUpperCase()}</RequestId>`,
    '  <HostId>dashscope-result-bj.oss-cn-beijing.aliyuncs.com</HostId>',
    '</Error>',
  ].join('\n')
  await exchange.send(status, body, { 'content-type': 'application/xml', server: 'AliyunOSS' })
}

/** The list names text models too and leaves out older picture models that still work (measured). */
function compatibleModels(region: string) {
  const text = ['qwen3-max', 'qwen-plus', 'qwen-turbo', 'qwen3-vl-plus', 'qwen-mt-plus', 'text-embedding-v4']
  const images = qwenModels
    .filter(model => (model.region ?? region) === region && !/^wan(2\.[12]|x)/.test(model.id))
    .map(model => model.id)
  return [...text, ...images].map(id => ({ id, object: 'model', created: 1_795_000_000, owned_by: 'system' }))
}
