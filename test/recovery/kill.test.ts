/**
 * The real program is killed with SIGKILL at every instant that matters, with every kind of call in it at once, and started again. Then
 * the ledger of the services and ours are laid side by side: nothing paid twice, nothing lost that had come, and the right word for
 * what cannot be known.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Failpoint, failpoints } from '../../src/coordination/failpoints.ts'
import { type CallKind, callKinds, countPassages } from '../support/call-kinds.ts'
import { addOpenai, type Installation, openInstallation } from '../support/installation.ts'
import { type Program, until } from '../support/killable-program.ts'
import {
  type CallRow,
  findViolationsOnDisk,
  type ImageRow,
  readRows,
  readUnfinished,
  sha256,
} from '../support/stored.ts'
import { outcomeOf, table } from './outcomes.ts'

let installation: Installation
let program: Program
let dataDir: string
const looked = new Set<string>()

beforeAll(async () => {
  installation = await openInstallation()
  dataDir = installation.dataDir
  program = await installation.start()
  await addOpenai(program, installation)
})

afterAll(() => installation.close())

// Where a second passage is another case: the first of several is through already.
const secondPassages: Failpoint[] = [
  ...(['request-sent', 'before-poll', 'stream-part-read', 'stream-part-appended'] as const),
  ...(['answer-read-before-kept', 'picture-put', 'picture-written', 'settled'] as const),
]
// A submit that was lost for good stands in the way of others that are looked for at that time, so these come last.
const last = (point: Failpoint) => point === 'sending-written'
const cases = [
  ...failpoints.filter(point => !last(point)).map(point => ({ point, from: 1 })),
  ...secondPassages.map(point => ({ point, from: 2 })),
  ...[4, 5].map(from => ({ point: 'stream-part-appended' as const, from })),
  ...[2, 1].map(from => ({ point: 'sending-written' as const, from })),
]

describe('a process that is killed', () => {
  test.each(cases)('at $point, passage $from', async ({ point, from }) => {
    const tested = callKinds.filter(kind => countPassages(kind, point) >= from)
    const generations = await runInto(point, from, tested)

    expect((await program.end('SIGKILL')).signal).toBe('SIGKILL')
    program = await installation.start()
    await until(
      () => `unfinished: ${JSON.stringify(readUnfinished(dataDir))}`,
      () => readUnfinished(dataDir).length === 0,
    )
    const { posts, billed } = installation.seen()
    const outcomes = await Promise.all(generations.map(generation => told(generation, posts)))

    expect(outcomes).toEqual(tested.map(kind => ({ kind: kind.name, ...expected(kind, point, from) })))
    for (const generation of generations) await expectNothingLost(generation, billed)
    await until(
      () => findViolationsOnDisk(dataDir, looked).join('; '),
      () => findViolationsOnDisk(dataDir, looked).length === 0,
    )
  })
})

test('docs/recovery.md tells the same as these tests', async () => {
  const page = await readFile(path.join(import.meta.dirname, '../../docs/recovery.md'), 'utf8')

  expect(page).toContain(table())
})

interface Made {
  kind: CallKind
  prompt: string
  id: string
}

function modelOf(body: unknown) {
  return (body as { model?: string }).model
}

// ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Runs one generation of each kind until all of them stand still at the point. */
async function runInto(point: Failpoint, from: number, tested: CallKind[]) {
  const { doubao, qwen, openai } = installation
  for (const simulator of [doubao, qwen, openai]) simulator.reset()
  if (point === 'repeat-written') refuseOnce(tested)
  await program.hold({ point, from })
  const generations = await Promise.all(
    tested.map(async kind => {
      const prompt = `${kind.request.prompt}, ${point} ${from}`
      const request = { ...kind.request, prompt }
      const answer = await program.call('POST', '/api/generate', request, { prefer: 'respond-async' })
      expect(answer.status, JSON.stringify(answer.body)).toBe(202)
      return { kind, prompt, id: answer.body.id as string }
    }),
  )
  const holders = (kind: CallKind) => {
    const isOneByOne = point.startsWith('stream-part') || point === 'before-poll'
    return isOneByOne ? 1 : countPassages(kind, point) - from + 1
  }
  const isHeld = ({ kind, id }: Made) => program.held.filter(held => held.generationId === id).length === holders(kind)
  await until(
    () => `${JSON.stringify(program.held)} ${program.output()}`,
    () => generations.every(isHeld),
  )
  // Calls of the same generation that are not held come to their end; requests on their way arrive.
  const arriving = tested.reduce((sum, kind) => sum + expected(kind, point, from).posts, 0)
  if (point === 'request-sent')
    await until(
      () => 'requests to arrive',
      () => installation.seen().posts.length === arriving,
    )
  for (const { kind, id } of generations.filter(({ kind }) => from > 1 && countPassages(kind, point) === kind.calls)) {
    const isThrough = () => callsOf(id).filter(call => call.state === 'settled').length >= kind.calls - holders(kind)
    await until(() => `calls of ${kind.name} to be settled`, isThrough)
  }
  return generations
}

/** Every first request is told to slow down; every service that proves so that nothing was made. */
function refuseOnce(tested: CallKind[]) {
  const count = (provider: CallKind['provider']) =>
    tested.filter(kind => kind.provider === provider).reduce((sum, kind) => sum + kind.calls, 0)
  const body = { code: 'Throttling.RateQuota', message: 'Requests rate limit exceeded, please try again later.' }
  const openaiBody = {
    error: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' },
  }
  const { doubao, qwen, openai } = installation
  doubao.misbehave({ kind: 'status', status: 429 }, { times: count('doubao') })
  qwen.misbehave({ kind: 'status', status: 429, body }, { times: count('qwen') })
  openai.misbehave({ kind: 'status', status: 429, body: openaiBody }, { times: count('openai') })
}

function callsOf(generationId: string): CallRow[] {
  return readRows(dataDir).calls.filter(call => call.generation_id === generationId)
}

// ── What is expected, and what is told ──────────────────────────────────────────────────────────────────────────────

function expected(kind: CallKind, point: Failpoint, from: number) {
  const { images: pictures, charge, posts } = outcomeOf(kind, point, from)
  const hasUnknown = charge === 'unknown'
  return {
    posts,
    pictures,
    charge,
    status: pictures > 0 ? 'succeeded' : 'failed',
    error: pictures > 0 ? null : 'outcome_unknown',
    failures: Array.from({ length: kind.pictures - pictures }, () => 'outcome_unknown'),
    hasAdvice: hasUnknown,
  }
}

async function told({ kind, prompt, id }: Made, posts: { body: unknown }[]) {
  const { body } = await program.call('GET', `/api/history/${id}`)
  const ours = posts.filter(
    ({ body }) => JSON.stringify(body).includes(`"${prompt}"`) && modelOf(body) === kind.request.model,
  )
  return {
    kind: kind.name,
    posts: ours.length,
    pictures: body.images.length,
    charge: body.charge,
    status: body.status,
    error: body.error?.code ?? null,
    failures: body.failures.map((failure: { code: string }) => failure.code),
    // What a person can do stands in the answer.
    hasAdvice:
      /may have (made and charged|been made and charged).*usage page/.test(body.advice?.en) &&
      /请/.test(body.advice?.zh),
  }
}

/** Each answer that was kept has all its pictures in the store, byte for byte as the service gives them out. */
async function expectNothingLost({ kind, prompt, id }: Made, billed: { prompt: string; model: string }[]) {
  const calls = callsOf(id)
  const images = readRows(dataDir).images.filter(image => image.generation_id === id)
  const made = billed.filter(one => one.prompt === prompt && one.model === kind.request.model)
  const isCertain = calls.every(call => call.charge !== 'unknown')
  if (isCertain) expect(images.length, `${kind.name}: pictures billed and stored`).toBe(made.length)
  // At most one request a row, and each that could cost money has one.
  expect(calls.filter(call => call.sent_at !== null).length).toBeGreaterThanOrEqual(made.length > 0 ? 1 : 0)
  const firstImage: ImageRow | undefined = images[0]
  if (!firstImage || kind.isLarge) return
  const call = calls.find(call => call.id === firstImage.call_id)
  const answer = call?.answer_body ?? (await readFile(path.join(dataDir, 'answers', call?.answer_file ?? ''), 'utf8'))
  const url = JSON.parse(/"(https?:\/\/[^"]+)"/.exec(answer)?.[0] ?? 'null')
  expect(sha256(new Uint8Array(await (await fetch(url)).arrayBuffer())), `${kind.name}: the bytes of ${url}`).toBe(
    firstImage.sha256,
  )
}
