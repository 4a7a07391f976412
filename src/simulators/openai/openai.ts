/**
 * A server that speaks the image API of OpenAI: generations, edits and the list of models. Facts: the public API reference and error
 * guide of OpenAI as of 2025; `generic-image` stands for the many services that copy the API and take less of it, `task-image-…` for
 * gateways that answer with a task, each in a way of its own.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { Exchange, Wording } from '../exchange.ts'
import { deliver, type Fault, faultInPrompt, meetEarlyFault, meetFault } from '../faults.ts'
import { awkwardSignature, type FileRefusal } from '../files.ts'
import { namedRefusal, Refusal } from '../refusal.ts'
import { openServer, type Simulator, type SimulatorOptions } from '../server.ts'
import { describeImages, imagine, isInline } from './answers.ts'
import { addInputs } from './inputs.ts'
import { type OpenaiKeyRule, openaiDemoKeys } from './keys.ts'
import { findModel, imageModels, listedModel } from './models.ts'
import { refusals } from './refusals.ts'
import { type Job, readForm, readJob, readMembers } from './requests.ts'
import { createGatewayTasks } from './tasks.ts'

export type OpenaiSimulatorOptions = SimulatorOptions<OpenaiKeyRule>
export interface OpenaiSimulator extends Simulator {
  /** Tasks of `task-image-…` do not end until `releaseTasks`; `word` stands in place of the usual one for a task that works. */
  holdTasks(word?: string): void
  releaseTasks(): void
}

interface Caller {
  key: string
  state: OpenaiKeyRule['state']
}

const filesPath = '/files/'

const wording: Wording = {
  newRequestId: () => `req_${randomBytes(16).toString('hex')}`,
  headersOf: ({ requestId }) => ({
    'content-type': 'application/json',
    'x-request-id': requestId,
    'openai-version': '2020-10-01',
  }),
  describeRefusal: ({ message, code, details: { type = 'invalid_request_error', param = null } }) => ({
    message,
    type,
    param,
    code,
  }),
  wrapsErrors: true,
  refusals,
  refusalSeconds: 0,
}

/** Listens at once; `baseUrl` is `${origin}/v1`. */
export async function startOpenaiSimulator(options: OpenaiSimulatorOptions = {}): Promise<OpenaiSimulator> {
  const signingSecret = randomBytes(20)
  const server = await openServer({ options, demoKeys: openaiDemoKeys, wording, filesPath, refuseFile, handle })
  const tasks = createGatewayTasks()
  const { reset } = server
  return Object.assign(server, {
    baseUrl: `${server.origin}/v1`,
    holdTasks: tasks.hold,
    releaseTasks: tasks.release,
    reset() {
      // A service forgets no task because somebody looks through its books.
      tasks.release()
      reset()
    },
  })

  async function handle(exchange: Exchange): Promise<void> {
    const caller = findCaller(exchange)
    const { method, path } = exchange
    if (method === 'POST' && (path === '/v1/images/generations' || path === '/v1/images/edits')) {
      return generate(exchange, caller, path.endsWith('edits'))
    }
    const isLook = method === 'GET' && /\/(?:tasks|jobs)\//.test(path)
    if (await meetFault(exchange, server.takeFault(exchange, isLook ? 'task' : 'other'))) return
    const reply = isLook ? tasks.look(path) : undefined
    if (reply) return exchange.answer(reply.body, reply.status, reply.headers)
    if (method === 'GET' && path === '/v1/models') {
      return exchange.answer({ object: 'list', data: imageModels.map(listedModel) })
    }
    const id = /^\/v1\/models\/([^/]+)$/.exec(path)?.[1]
    if (method === 'GET' && id) return exchange.answer(listedModel(findModel(decodeURIComponent(id))))
    throw new Refusal(404, null, `Invalid URL (${method} ${path})`)
  }

  function findCaller(exchange: Exchange): Caller {
    if (!exchange.headers.authorization) {
      const message =
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth."
      throw new Refusal(401, null, message)
    }
    const { key } = exchange
    const rule = server.findRule(exchange)
    if (rule) return { key: rule.name ?? key, state: rule.state }
    const shown = `${key.slice(0, 3)}***${key.slice(-4)}`
    throw new Refusal(401, 'invalid_api_key', `Incorrect API key provided: ${shown}.`)
  }

  async function generate(exchange: Exchange, caller: Caller, edits: boolean): Promise<void> {
    const given = server.takeFault(exchange, 'generation')
    if (await meetEarlyFault(exchange, given)) return
    const form = edits ? await readForm(exchange) : undefined
    const job = readJob(form ? form.members : readMembers(exchange), edits)
    const isGptImage = job.model.family === 'gpt-image'
    if (caller.state && (caller.state !== 'unverified' || isGptImage)) {
      throw namedRefusal(refusals, caller.state, { model: job.model.id })
    }
    if (form) await addInputs(job, form)
    const asked = faultInPrompt(job.prompt, refusals)
    const isBlocked = asked?.kind === 'refusal' && asked.name === 'input-blocked'
    const isRefused = given?.kind === 'all-refused' && given.form !== 'empty'
    if (isBlocked || isRefused) {
      throw namedRefusal(refusals, isGptImage ? 'input-blocked-gpt-image' : 'input-blocked')
    }
    if (await meetEarlyFault(exchange, asked)) return
    const fault = given ?? asked
    if (job.model.tasks) return submit(exchange, job, fault)
    await exchange.wait(job.model.seconds * 1000 * server.timeScale)
    return deliver(exchange, fault, describeImages(job, await make(exchange, job, fault)))
  }

  /** Made and billed whether or not anybody hears of the task. */
  async function submit(exchange: Exchange, job: Job, fault: Fault | undefined): Promise<void> {
    const made = await make(exchange, job, fault)
    const { status, body, headers } = tasks.add({
      dialect: job.model.tasks!,
      readyAt: Date.now() + job.model.seconds * 1000 * server.timeScale,
      urls: made.flatMap(place => ('url' in place ? [place.url] : [])),
      failure: fault?.kind === 'task-fails' ? 'upstream gave up: no channel is available' : undefined,
    })
    return deliver(exchange, fault, body, { status, headers })
  }

  /** Draws or publishes the pictures and puts them on the bill. */
  async function make({ requestId, log }: Exchange, job: Job, fault: Fault | undefined) {
    const made: ({ url: string } | { b64_json: string })[] = []
    for (const image of imagine(job, fault)) {
      server.bill({ requestId, key: log.keyName ?? '', model: job.model.id }, image)
      if (isInline(job)) made.push({ b64_json: (await server.draw(image)).toString('base64') })
      else made.push({ url: server.publish({ ...signedPlace(), image }) })
    }
    return made
  }

  /** In the manner of the blob store behind dall-e: every byte of the query is signed. */
  function signedPlace(): { path: string; query: string } {
    const path = `${filesPath}img-${randomBytes(18).toString('base64url')}.png`
    const until = stamp(Date.now() + server.urlLifetimeSeconds * 1000)
    const signature = awkwardSignature(() => createHmac('sha256', signingSecret), `${path}\n${until}`)
    const times = `st=${encodeURIComponent(stamp(Date.now()))}&se=${encodeURIComponent(until)}`
    return { path, query: `${times}&sp=r&sv=2024-08-04&sr=b&rscd=inline&rsct=image/png&sig=${signature}` }
  }
}

const stamp = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')

async function refuseFile(exchange: Exchange, reason: FileRefusal): Promise<void> {
  const missing = reason === 'missing'
  const code = missing ? 'BlobNotFound' : 'AuthenticationFailed'
  const message = missing
    ? 'The specified blob does not exist.'
    : 'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.'
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
  await exchange.send(missing ? 404 : 403, body, { 'content-type': 'application/xml' })
}
