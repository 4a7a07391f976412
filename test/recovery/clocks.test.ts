/** A clock that is wrong, and put right: it gives nothing up, forgets no key, and holds nobody back. */
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { loadSettings } from '../../src/settings.ts'
import { callKinds } from '../support/call-kinds.ts'
import { setClock } from '../support/clock.ts'
import { type Installation, openInstallation } from '../support/installation.ts'
import { type Program, until } from '../support/killable-program.ts'
import { readRows, readUnfinished } from '../support/stored.ts'

const dayMs = 24 * 3600 * 1000
const behind = -11 * dayMs
const ahead = 26 * 3600 * 1000
const ark = callKinds[0]!.request
const task = callKinds.find(kind => kind.isTask)!.request
const async = { prefer: 'respond-async' }

test('a clock that was behind for days and is put right forgets no key: nothing is paid twice', async () => {
  const installation = await begin()
  const first = await installation.start([`clock=${behind}`])
  const made = await first.call('POST', '/api/generate', ark, { 'idempotency-key': 'k' })
  await first.setClock(0)
  expect(await first.call('POST', '/api/generate', ark, { 'idempotency-key': 'k' })).toMatchObject({ status: 200 })
  await first.end('SIGTERM')
  // As a machine without a battery for its clock does at each start.
  for (const clock of [0, behind, 0, behind, 0]) await startAndStop(installation, clock)
  const last = await installation.start()

  const again = await last.call('POST', '/api/generate', ark, { 'idempotency-key': 'k' })

  expect(again.body.id).toBe(made.body.id)
  expect(installation.seen().posts).toHaveLength(1)
})

test('keys are forgotten all the same, after the days that they are promised for', async () => {
  const installation = await begin()
  const first = await installation.start()
  const made = await first.call('POST', '/api/generate', ark, { 'idempotency-key': 'k' })
  await first.end('SIGTERM')
  for (let day = 1; day <= 9; day++) await startAndStop(installation, day * dayMs)
  const last = await installation.start([`clock=${9 * dayMs}`])

  const again = await last.call('POST', '/api/generate', ark, { 'idempotency-key': 'k' })

  expect(again.body.id).not.toBe(made.body.id)
})

test.each(['500', '404'] as const)('a clock put forward while a picture answers %s does not give it up', async how => {
  const installation = await begin()
  const program = await installation.start()
  installation.doubao.misbehave({ kind: 'download', how }, { times: 10_000 })
  const { body } = await program.call('POST', '/api/generate', ark, async)
  await isWaiting(program, body.id)

  await program.setClock(ahead)
  await moreRequests(installation)
  installation.doubao.reset()
  await ended(installation)

  expect(readRows(installation.dataDir)).toMatchObject({
    generations: [{ status: 'succeeded', charge: 'charged' }],
    images: [{}],
  })
})

test('a clock put forward while a task cannot be looked at does not give it up', async () => {
  const installation = await begin()
  const program = await installation.start()
  installation.qwen.holdTasks('RUNNING')
  const { body } = await program.call('POST', '/api/generate', task, async)
  await until(
    () => 'the task',
    () => readRows(installation.dataDir).calls[0]?.state === 'accepted',
  )
  installation.qwen.misbehave({ kind: 'status', status: 500 }, { target: 'task', times: 10_000 })
  await isWaiting(program, body.id)

  await program.setClock(ahead)
  await moreRequests(installation)
  installation.qwen.reset()
  installation.qwen.releaseTasks()
  await ended(installation)

  expect(readRows(installation.dataDir).generations).toMatchObject([{ status: 'succeeded', charge: 'charged' }])
})

test('a clock put back makes nobody wait for it: a pause, a rest and a refusal end as they would', async () => {
  const installation = await begin()
  const program = await installation.start()
  const { doubao } = installation
  doubao.misbehave({ kind: 'status', status: 429 }, { times: 1 })
  await program.hold({ point: 'repeat-written', from: 1 })
  await program.call('POST', '/api/generate', ark, async)
  await until(
    () => 'the repeat',
    () => program.held.length === 1,
  )
  await program.setClock(behind)
  await program.hold(null, { release: true })
  await ended(installation)

  await program.setClock(0)
  doubao.misbehave({
    ...{ kind: 'status', status: 403 },
    body: { error: { code: 'AccountOverdueError', message: 'The account has an overdue balance.' } },
  })
  const refused = await program.call('POST', '/api/generate', ark)
  await program.setClock(behind)
  const made = await program.call('POST', '/api/generate', ark)

  expect(readRows(installation.dataDir).generations[0]).toMatchObject({ status: 'succeeded', charge: 'charged' })
  expect([refused.status, made.status]).toEqual([402, 200])
})

test('a pause that was written before the clock was put back ends after a restart', async () => {
  const installation = await begin()
  const program = await installation.start()
  installation.doubao.misbehave({ kind: 'status', status: 429 }, { times: 1 })
  await program.hold({ point: 'repeat-written', from: 1 })
  await program.call('POST', '/api/generate', ark, async)
  await until(
    () => 'the repeat',
    () => program.held.length === 1,
  )
  await program.end('SIGKILL')

  await installation.start([`clock=${behind}`])
  await ended(installation)

  expect(readRows(installation.dataDir).generations).toMatchObject([{ status: 'succeeded', charge: 'charged' }])
})

test('a clock put back does not take a submit that is under way for a lost one', async () => {
  const installation = await begin()
  const program = await installation.start()
  // Less than the clocks of a service may differ, and more than it took to start.
  await program.setClock(-50_000)
  installation.qwen.misbehave({ kind: 'slow', ms: 1500 })
  await program.call('POST', '/api/generate', { ...task, prompt: 'one that comes late' }, async)
  await until(
    () => 'the first',
    () => installation.seen().posts.length === 1,
  )
  installation.qwen.misbehave({ kind: 'status', status: 502, body: '<html>bad gateway</html>', billed: true })
  await program.call('POST', '/api/generate', { ...task, prompt: 'one whose answer is lost' }, async)
  await ended(installation)

  const { generations, images } = readRows(installation.dataDir)
  expect(generations).toMatchObject([{ status: 'succeeded' }, { status: 'succeeded' }])
  expect(images).toHaveLength(installation.qwen.billed.length)
})

test('what was uploaded a moment ago is not swept when the clock is put forward', async () => {
  const installation = await begin()
  const first = await installation.start([`clock=${behind}`])
  const form = new FormData()
  form.append('file', new Blob([oneImage]), 'one.png')
  const uploaded = (await (await fetch(`${first.address}/api/images`, { method: 'POST', body: form })).json()) as {
    id: string
  }
  await first.end('SIGTERM')
  const again = await installation.start()

  expect((await again.call('GET', `/images/${uploaded.id}`)).status).toBe(200)
})

test('a session that was ended stays so, whatever the clock was meanwhile', async () => {
  const installation = await begin()
  const token = { ACCESS_TOKEN: 'a-token-for-this-test-alone' }
  const first = await installation.start([], token)
  const login = await first.call('POST', '/api/login', { token: token.ACCESS_TOKEN })
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
  const isIn = async (program: Program) => (await program.call('GET', '/api/history', undefined, { cookie })).status
  expect(await isIn(first)).toBe(200)
  await first.call('POST', '/api/logout', undefined, { cookie })
  await first.end('SIGTERM')
  await (await installation.start([`clock=${400 * dayMs}`], token)).end('SIGTERM')
  const last = await installation.start([], token)

  expect(await isIn(last)).toBe(401)
})

// ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** In this process, which is faster. */
async function startAndStop({ environment }: Installation, clock: number) {
  setClock(clock)
  onTestFinished(() => setClock(0))
  const app = await createApp(loadSettings(environment), pino({ level: 'silent' }))
  await app.listen()
  await app.close()
  setClock(0)
}

async function begin() {
  const installation = await openInstallation()
  onTestFinished(() => installation.close())
  return installation
}

function isWaiting(program: Program, id: string) {
  return until(
    () => 'the generation to wait',
    async () => (await program.call('GET', `/api/history/${id}`)).body.waiting !== null,
  )
}

/** Two more answers, so that one of them came after what was done before this. */
async function moreRequests({ doubao, qwen }: Installation) {
  const count = () => doubao.requests.length + qwen.requests.length
  const before = count()
  await until(
    () => 'more requests',
    () => count() >= before + 2,
  )
}

function ended(installation: Installation) {
  return until(
    () => JSON.stringify(readRows(installation.dataDir).generations),
    () => readUnfinished(installation.dataDir).length === 0,
  )
}

/** 64 by 64 pixels of one colour. */
const oneImage = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAn0lEQVRoge2SQQkAQRDD6qkmT0tUroh7hIFCBKSh6cdpoht0A9ArdhfiLtENugHoFbsLcZfoBt0A9IrdhbhLdINuAHrF7kLcJbpBNwC9Ynch7hLdoBuAXrG7EHeJbtANQK/YXYi7RDfoBqBX7C7EXaIbdAPQK3YX4i7RDboB6BW7C3GX6AbdAPSK3YW4S3SDbgB6xe5C3CW6QTcAveIfHkv+UUtCWarsAAAAAElFTkSuQmCC',
  'base64',
)
