/** A clock that is wrong, and put right: it gives nothing up, forgets no key, and holds nobody back. */
import { expect, onTestFinished, test } from 'vitest'
import { kinds } from '../support/call-kinds.ts'
import { openWorld, type World } from '../support/installation.ts'
import { type Program, rowsOf, unfinished, until } from '../support/killable-program.ts'

const dayMs = 24 * 3600 * 1000
const behind = -11 * dayMs
const ahead = 26 * 3600 * 1000
const ark = kinds[0]!.request
const task = kinds.find(kind => kind.isTask)!.request
const async = { prefer: 'respond-async' }

test('a clock that was behind for days and is put right forgets no key: nothing is paid twice', async () => {
  const world = await begin()
  const first = await world.start([`clock=${behind}`])
  const made = await first.call('POST', '/api/generate', ark, { 'idempotency-key': 'k' })
  await first.setClock(0)
  expect(await first.call('POST', '/api/generate', ark, { 'idempotency-key': 'k' })).toMatchObject({ status: 200 })
  await first.end('SIGTERM')
  // As a machine without a battery for its clock does at each start.
  for (const clock of [0, behind, 0, behind, 0]) await (await world.start([`clock=${clock}`])).end('SIGTERM')
  const last = await world.start()

  const again = await last.call('POST', '/api/generate', ark, { 'idempotency-key': 'k' })

  expect(again.body.id).toBe(made.body.id)
  expect(world.seen().posts).toHaveLength(1)
})

test('keys are forgotten all the same, after the days that they are promised for', async () => {
  const world = await begin()
  const first = await world.start()
  const made = await first.call('POST', '/api/generate', ark, { 'idempotency-key': 'k' })
  await first.end('SIGTERM')
  for (let day = 1; day <= 9; day++) await (await world.start([`clock=${day * dayMs}`])).end('SIGTERM')
  const last = await world.start([`clock=${9 * dayMs}`])

  const again = await last.call('POST', '/api/generate', ark, { 'idempotency-key': 'k' })

  expect(again.body.id).not.toBe(made.body.id)
})

test.each(['500', '404'] as const)('a clock put forward while a picture answers %s does not give it up', async how => {
  const world = await begin()
  const program = await world.start()
  world.doubao.misbehave({ kind: 'download', how }, { times: 10_000 })
  const { body } = await program.call('POST', '/api/generate', ark, async)
  await isWaiting(program, body.id)

  await program.setClock(ahead)
  await moreRequests(world)
  world.doubao.reset()
  await ended(world)

  expect(rowsOf(world.dataDir)).toMatchObject({
    generations: [{ status: 'succeeded', charge: 'charged' }],
    images: [{}],
  })
})

test('a clock put forward while a task cannot be looked at does not give it up', async () => {
  const world = await begin()
  const program = await world.start()
  world.qwen.holdTasks('RUNNING')
  const { body } = await program.call('POST', '/api/generate', task, async)
  await until(
    () => 'the task',
    () => rowsOf(world.dataDir).calls[0]?.state === 'accepted',
  )
  world.qwen.misbehave({ kind: 'status', status: 500 }, { target: 'task', times: 10_000 })
  await isWaiting(program, body.id)

  await program.setClock(ahead)
  await moreRequests(world)
  world.qwen.reset()
  world.qwen.releaseTasks()
  await ended(world)

  expect(rowsOf(world.dataDir).generations).toMatchObject([{ status: 'succeeded', charge: 'charged' }])
})

test('a clock put back makes nobody wait for it: a pause, a rest and a refusal end as they would', async () => {
  const world = await begin()
  const program = await world.start()
  const { doubao } = world
  doubao.misbehave({ kind: 'status', status: 429 }, { times: 1 })
  await program.hold({ point: 'repeat-written', from: 1 })
  await program.call('POST', '/api/generate', ark, async)
  await until(
    () => 'the repeat',
    () => program.held.length === 1,
  )
  await program.setClock(behind)
  await program.hold(null, { release: true })
  await ended(world)

  await program.setClock(0)
  doubao.misbehave({
    ...{ kind: 'status', status: 403 },
    body: { error: { code: 'AccountOverdueError', message: 'The account has an overdue balance.' } },
  })
  const refused = await program.call('POST', '/api/generate', ark)
  await program.setClock(behind)
  const made = await program.call('POST', '/api/generate', ark)

  expect(rowsOf(world.dataDir).generations[0]).toMatchObject({ status: 'succeeded', charge: 'charged' })
  expect([refused.status, made.status]).toEqual([402, 200])
})

test('a pause that was written before the clock was put back ends after a restart', async () => {
  const world = await begin()
  const program = await world.start()
  world.doubao.misbehave({ kind: 'status', status: 429 }, { times: 1 })
  await program.hold({ point: 'repeat-written', from: 1 })
  await program.call('POST', '/api/generate', ark, async)
  await until(
    () => 'the repeat',
    () => program.held.length === 1,
  )
  await program.end('SIGKILL')

  await world.start([`clock=${behind}`])
  await ended(world)

  expect(rowsOf(world.dataDir).generations).toMatchObject([{ status: 'succeeded', charge: 'charged' }])
})

test('a clock put back does not take a submit that is under way for a lost one', async () => {
  const world = await begin()
  const program = await world.start()
  // Less than the clocks of a service may differ, and more than it took to start.
  await program.setClock(-50_000)
  world.qwen.misbehave({ kind: 'slow', ms: 1500 })
  await program.call('POST', '/api/generate', { ...task, prompt: 'one that comes late' }, async)
  await until(
    () => 'the first',
    () => world.seen().posts.length === 1,
  )
  world.qwen.misbehave({ kind: 'status', status: 502, body: '<html>bad gateway</html>', billed: true })
  await program.call('POST', '/api/generate', { ...task, prompt: 'one whose answer is lost' }, async)
  await ended(world)

  const { generations, images } = rowsOf(world.dataDir)
  expect(generations).toMatchObject([{ status: 'succeeded' }, { status: 'succeeded' }])
  expect(images).toHaveLength(world.qwen.billed.length)
})

test('what was uploaded a moment ago is not swept when the clock is put forward', async () => {
  const world = await begin()
  const first = await world.start([`clock=${behind}`])
  const form = new FormData()
  form.append('file', new Blob([onePicture]), 'one.png')
  const uploaded = (await (await fetch(`${first.address}/api/images`, { method: 'POST', body: form })).json()) as {
    id: string
  }
  await first.end('SIGTERM')
  const again = await world.start()

  expect((await again.call('GET', `/images/${uploaded.id}`)).status).toBe(200)
})

test('a session that was ended stays so, whatever the clock was meanwhile', async () => {
  const world = await begin()
  const token = { ACCESS_TOKEN: 'a-token-for-this-test-alone' }
  const first = await world.start([], token)
  const login = await first.call('POST', '/api/login', { token: token.ACCESS_TOKEN })
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
  const isIn = async (program: Program) => (await program.call('GET', '/api/history', undefined, { cookie })).status
  expect(await isIn(first)).toBe(200)
  await first.call('POST', '/api/logout', undefined, { cookie })
  await first.end('SIGTERM')
  await (await world.start([`clock=${400 * dayMs}`], token)).end('SIGTERM')
  const last = await world.start([], token)

  expect(await isIn(last)).toBe(401)
})

// ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function begin() {
  const world = await openWorld()
  onTestFinished(() => world.close())
  return world
}

function isWaiting(program: Program, id: string) {
  return until(
    () => 'the generation to wait',
    async () => (await program.call('GET', `/api/history/${id}`)).body.waiting !== null,
  )
}

/** Two more answers, so that one of them came after what was done before this. */
async function moreRequests({ doubao, qwen }: World) {
  const count = () => doubao.requests.length + qwen.requests.length
  const before = count()
  await until(
    () => 'more requests',
    () => count() >= before + 2,
  )
}

function ended(world: World) {
  return until(
    () => JSON.stringify(rowsOf(world.dataDir).generations),
    () => unfinished(world.dataDir).length === 0,
  )
}

/** 64 by 64 pixels of one colour. */
const onePicture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAn0lEQVRoge2SQQkAQRDD6qkmT0tUroh7hIFCBKSh6cdpoht0A9ArdhfiLtENugHoFbsLcZfoBt0A9IrdhbhLdINuAHrF7kLcJbpBNwC9Ynch7hLdoBuAXrG7EHeJbtANQK/YXYi7RDfoBqBX7C7EXaIbdAPQK3YX4i7RDboB6BW7C3GX6AbdAPSK3YW4S3SDbgB6xe5C3CW6QTcAveIfHkv+UUtCWarsAAAAAElFTkSuQmCC',
  'base64',
)
