/** Stopping well, and what happens while the disk or the database says no. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { addOpenai, type Installation, openInstallation } from '../support/installation.ts'
import { type Program, until } from '../support/killable-program.ts'
import { runProgram } from '../support/program.ts'
import { findViolationsOnDisk, readRows, readUnfinished } from '../support/stored.ts'

const ark = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
const task = { prompt: 'a boat', model: 'wan2.2-t2i-flash', parameters: { size: '512x512' } }
const inAnswer = { prompt: 'a boat', model: 'gpt-image-1-mini', parameters: { size: '1024x1024' } }
const async = { prefer: 'respond-async' }

test('the first SIGTERM lets what cannot be asked for again end: the picture is stored, and the client gets it', async () => {
  const { installation, program } = await begin()
  installation.doubao.misbehave({ kind: 'slow', ms: 700 })
  const waiting = program.call('POST', '/api/generate', ark)
  await arrived(installation, 1)

  const { code } = await program.end('SIGTERM')

  expect(code).toBe(0)
  expect(await waiting).toMatchObject({ status: 200, body: { status: 'succeeded' } })
  const { calls, images } = readRows(installation.dataDir)
  expect(calls).toMatchObject([{ charge: 'charged' }])
  expect(images).toHaveLength(1)
  const again = await installation.start()
  await ended(installation)
  expect((await again.call('GET', '/api/history')).body.items).toMatchObject([
    { status: 'succeeded', charge: 'charged' },
  ])
  expect(installation.seen().posts).toHaveLength(1)
  expect(findViolationsOnDisk(installation.dataDir)).toEqual([])
})

test('an answer that the database does not take at once while the server stops has the time of the stop', async () => {
  const { installation, program } = await begin({ DRAIN_SECONDS: '30' })
  await holdAnswer(program)
  await program.call('POST', '/api/generate', ark, async)
  await isHeld(program)
  program.signal('SIGTERM')
  const other = lock(installation)
  await program.hold(null, { release: true })
  await until(
    () => 'the answer to be refused by the database',
    () => /could not keep the answer/.test(program.output()),
  )
  other.exec('ROLLBACK')
  other.close()

  expect(await program.ended).toEqual({ code: 0, signal: null })
  expect(readRows(installation.dataDir)).toMatchObject({
    generations: [{ status: 'succeeded', charge: 'charged' }],
    images: [{ position: 0 }],
  })
})

test('what does not end within the drain time is unknown after the next start, in two languages; the client gets the record', async () => {
  const { installation, program } = await begin({ DRAIN_SECONDS: '1' })
  installation.doubao.misbehave({ kind: 'hang', billed: true })
  const waiting = program.call('POST', '/api/generate', ark)
  await arrived(installation, 1)

  expect(await program.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await waiting).toMatchObject({ status: 202, body: { status: 'running', charge: 'unknown' } })

  const again = await installation.start()
  await ended(installation)
  expect((await again.call('GET', '/api/history')).body.items).toMatchObject([
    {
      status: 'failed',
      charge: 'unknown',
      error: { code: 'outcome_unknown' },
      advice: { en: expect.stringMatching(/usage page/), zh: expect.stringMatching(/账单页面核对/) },
    },
  ])
  expect(installation.seen().posts).toHaveLength(1)
})

test('a second signal ends the process at once', async () => {
  const { installation, program } = await begin()
  installation.doubao.misbehave({ kind: 'hang', billed: true })
  await program.call('POST', '/api/generate', ark, async)
  await arrived(installation, 1)

  program.signal('SIGTERM')
  await until(
    () => 'the server to stop answering',
    () =>
      program.call('GET', '/health').then(
        () => false,
        () => true,
      ),
  )
  const { code } = await program.end('SIGTERM')

  expect(code).toBe(1)
})

test('a client that does not go on does not hold up a stop', async () => {
  const { installation, program } = await begin({ DRAIN_SECONDS: '1' })
  const { hostname, port } = new URL(program.address)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.on('error', () => {})
  socket.write(
    `POST /api/generate HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  )
  await program.call('GET', '/health')

  expect(await program.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(installation.seen().posts).toEqual([])
})

test('a stop leaves a task to the next start at once, and who follows it sees it end without a gap', async () => {
  // Longer than anybody waits.
  const { installation, program } = await begin({ DRAIN_SECONDS: '3600' })
  installation.qwen.holdTasks('RUNNING')
  const { body } = await program.call('POST', '/api/generate', task, async)
  const before = follow(program, body.id, undefined)
  await until(
    () => 'the task to be known',
    () => readRows(installation.dataDir).calls[0]?.state === 'accepted',
  )

  expect((await program.end('SIGTERM')).code).toBe(0)
  const seen = await before
  installation.qwen.releaseTasks()
  const again = await installation.start()
  const rest = await follow(again, body.id, seen.at(-1)?.id)

  expect(seen.at(-1)?.data.status).toBe('running')
  expect(rest.at(-1)?.data).toMatchObject({ id: body.id, status: 'succeeded', charge: 'charged' })
  const ids = [...seen, ...rest].map(event => Number(event.id))
  expect(ids).toEqual(ids.toSorted((a, b) => a - b))
  expect(installation.seen().posts).toHaveLength(1)
})

test('an answer that the database does not take is in a file, and outlives the process', async () => {
  const { installation, program } = await begin()
  await holdAnswer(program)
  await program.call('POST', '/api/generate', ark, async)
  await isHeld(program)
  const other = lock(installation)
  await program.hold(null, { release: true })
  await until(
    () => 'the answer to be put into a file',
    async () => (await readdir(path.join(installation.dataDir, 'answers'))).some(name => name.endsWith('.answer.txt')),
  )

  await program.end('SIGKILL')
  other.exec('ROLLBACK')
  other.close()
  const again = await installation.start()
  await ended(installation)

  expect((await again.call('GET', '/api/history')).body.items).toMatchObject([
    { status: 'succeeded', charge: 'charged' },
  ])
  expect(installation.seen().posts).toHaveLength(1)
  await until(
    () => findViolationsOnDisk(installation.dataDir).join(),
    () => findViolationsOnDisk(installation.dataDir).length === 0,
  )
})

test('a database that is locked is told by the status, the record and whoever waits, and to whoever asks for more', async () => {
  const { installation, program } = await begin()
  await holdAnswer(program)
  const waiting = program.call('POST', '/api/generate', ark)
  await isHeld(program)
  const other = lock(installation)
  await program.hold(null, { release: true })

  const told = await waiting
  const status = await program.call('GET', '/api/status')
  const another = await program.call('POST', '/api/generate', ark)
  other.exec('ROLLBACK')
  other.close()
  await ended(installation)

  const reason = expect.stringMatching(/could not keep the answer.*locked.*Trying again/)
  expect(told).toMatchObject({
    status: 202,
    body: { status: 'running', waiting: reason, waiting_code: 'not_recorded' },
  })
  expect(status.body).toMatchObject({
    status: 'failing',
    database: { state: 'failing', detail: expect.stringMatching(/locked/) },
    queue: { state: 'waiting', waiting: [{ id: told.body.id, reason, code: 'not_recorded' }] },
  })
  expect(another).toMatchObject({
    status: 507,
    body: { code: 'storage_failed', detail: expect.stringMatching(/locked by another program.*Idempotency-Key/) },
  })
  expect(await program.call('GET', '/api/status')).toMatchObject({ body: { status: 'ok', queue: { waiting: [] } } })
  expect((await program.call('GET', '/api/history')).body.items).toMatchObject([
    { status: 'succeeded', charge: 'charged', waiting: null },
  ])
  expect(installation.seen().posts).toHaveLength(1)
})

test('the parts of a stream that cannot be read, or have gone, are waited for', async () => {
  const { installation, program } = await begin()
  await program.hold({ point: 'stream-part-appended', from: 2 })
  await program.call('POST', '/api/generate', { ...ark, parameters: { size: '960x960', n: 3 } }, async)
  await until(
    () => 'the second part',
    () => program.held.length === 1,
  )
  await program.end('SIGKILL')
  const file = path.join(installation.dataDir, 'answers', readRows(installation.dataDir).calls[0]?.answer_file ?? '')
  await rename(file, `${file}.away`)
  await mkdir(file)

  const again = await installation.start()
  await until(
    () => 'the generation to wait',
    async () => (await again.call('GET', '/api/history')).body.items[0].waiting !== null,
  )
  await rm(file, { recursive: true })
  await until(
    () => 'the word that it has gone',
    async () => /Put it back/.test((await again.call('GET', '/api/history')).body.items[0].waiting),
  )
  await rename(`${file}.away`, file)
  await ended(installation)

  expect((await again.call('GET', '/api/history')).body.items).toMatchObject([
    { status: 'succeeded', charge: 'unknown', images: [{}, {}] },
  ])
})

test('an answer whose file has gone is waited for until it is given up by a cancel', async () => {
  const { installation, program } = await begin()
  await addOpenai(program, installation)
  await program.hold({ point: 'answer-kept', from: 1 })
  for (const prompt of ['a boat', 'a house'])
    await program.call('POST', '/api/generate', { ...inAnswer, prompt }, async)
  await until(
    () => 'both answers',
    () => program.held.length === 2,
  )
  await program.end('SIGKILL')
  const answers = path.join(installation.dataDir, 'answers')
  await rename(answers, `${answers}-away`)

  const again = await installation.start()
  const history = async () => (await again.call('GET', '/api/history')).body.items
  await until(
    () => 'both to wait',
    async () => (await history()).every((one: { waiting: string | null }) => /Put it back/.test(one.waiting ?? '')),
  )
  const [house, boat] = await history()
  await again.call('POST', `/api/history/${boat.id}/cancel`)
  await until(
    () => 'the end of one',
    () => readUnfinished(installation.dataDir).length === 1,
  )
  const { answer_file } = readRows(installation.dataDir).calls.find(call => call.generation_id === house.id) ?? {}
  await rename(path.join(`${answers}-away`, answer_file ?? ''), path.join(answers, answer_file ?? ''))
  await ended(installation)

  expect(await history()).toMatchObject([
    { status: 'succeeded', charge: 'charged', waiting: null },
    { status: 'failed', charge: 'unknown', error: { code: 'outcome_unknown' }, advice: { zh: expect.any(String) } },
  ])
})

test('a start with another database leaves the answers of the first', async () => {
  const { installation, program } = await begin()
  await addOpenai(program, installation)
  await program.hold({ point: 'answer-file-written', from: 1 })
  await program.call('POST', '/api/generate', inAnswer, async)
  await until(
    () => 'the answer',
    () => program.held.length === 1,
  )
  await program.end('SIGKILL')

  const mistaken = await installation.start([], { DATABASE_URL: 'sqlite:///another.db', LOG_LEVEL: 'warn' })
  expect((await mistaken.end('SIGTERM')).code).toBe(0)
  const again = await installation.start()
  await ended(installation)

  expect(mistaken.output()).toMatch(/is DATABASE_URL right/)
  expect((await again.call('GET', '/api/history')).body.items).toMatchObject([
    { status: 'succeeded', charge: 'charged' },
  ])
})

test('a large answer that has no place waits, says so, and is stored when there is room', async () => {
  const { installation, program } = await begin()
  await addOpenai(program, installation)
  const answers = path.join(installation.dataDir, 'answers')
  await rm(answers, { recursive: true })
  await writeFile(answers, 'a file in place of the folder')
  const { body } = await program.call('POST', '/api/generate', inAnswer, async)
  await until(
    () => 'the reason',
    async () => (await program.call('GET', `/api/history/${body.id}`)).body.waiting !== null,
  )

  const waiting = await program.call('GET', `/api/history/${body.id}`)
  // The folder is made again by whoever needs it.
  await rm(answers)
  await ended(installation)

  expect(waiting.body).toMatchObject({
    status: 'running',
    waiting: expect.stringMatching(/could not keep the answer.*Trying again/),
  })
  expect((await program.call('GET', `/api/history/${body.id}`)).body).toMatchObject({
    status: 'succeeded',
    waiting: null,
  })
  expect(installation.openai.billed).toHaveLength(1)
})

test('a reference that cannot be read any more costs nothing', async () => {
  const { installation, program } = await begin()
  await program.hold({ point: 'before-sending', from: 1 })
  const image = `data:image/png;base64,${oneImage}`
  await program.call('POST', '/api/generate', { ...ark, images: [image] }, async)
  await isHeld(program)
  await program.end('SIGKILL')
  await rm(path.join(installation.dataDir, 'images', 'prepared'), { recursive: true })

  const again = await installation.start()
  await ended(installation)

  expect((await again.call('GET', '/api/history')).body.items).toMatchObject([
    {
      status: 'failed',
      charge: 'none',
      error: { code: 'storage_failed', message: expect.stringMatching(/nothing was sent/) },
    },
  ])
  expect(installation.seen().posts).toEqual([])
})

test('two submits that were lost together are never mistaken for each other', async () => {
  const { installation, program } = await begin()
  await program.hold({ point: 'request-sent', from: 1 })
  for (const prompt of ['a boat', 'a house']) await program.call('POST', '/api/generate', { ...task, prompt }, async)
  await until(
    () => 'both to arrive',
    () => program.held.length === 2 && installation.qwen.tasks().length === 2,
  )
  await program.end('SIGKILL')

  const again = await installation.start()
  await ended(installation)

  const { items } = (await again.call('GET', '/api/history')).body
  expect(items).toMatchObject([
    { charge: 'unknown', images: [] },
    { charge: 'unknown', images: [] },
  ])
  expect(installation.seen().posts).toHaveLength(2)
})

test('the doctor removes what can be made again, brings back what can be had, and lists the rest', async () => {
  const { installation, program } = await begin()
  for (const request of [ark, task]) await program.call('POST', '/api/generate', request)
  await program.end('SIGTERM')
  const images = path.join(installation.dataDir, 'images')
  const [first, second] = readRows(installation.dataDir).images
  await rm(path.join(images, first?.file ?? ''))
  await rm(path.join(images, second?.file ?? ''))
  installation.qwen.expireUrls()
  const unknownFile = `${path.dirname(first?.file ?? '')}/00000000-0000-8000-a000-000000000000.png`
  await writeFile(path.join(images, unknownFile), 'something')
  await writeFile(path.join(images, 'thumbnails/nobody.webp'), 'small')

  const { code, output } = await doctor(installation)

  expect(code).toBe(1)
  expect(output).toMatch(/no row .*00000000-0000-8000-a000-000000000000\.png/)
  expect(output.match(/fetched again/g)).toHaveLength(1)
  expect(output.match(/missing .*expired/g)).toHaveLength(1)
  expect(existsSync(path.join(images, 'thumbnails/nobody.webp'))).toBe(false)
  expect(existsSync(path.join(images, unknownFile))).toBe(true)
})

// ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function begin(environment?: Record<string, string>) {
  const installation = await openInstallation()
  onTestFinished(() => installation.close())
  return { installation, program: await installation.start([], environment) }
}

function holdAnswer(program: Program) {
  return program.hold({ point: 'answer-read-before-kept', from: 1 })
}

function isHeld(program: Program) {
  return until(
    () => 'the hold',
    () => program.held.length === 1,
  )
}

/** Nobody else writes to the database until this one rolls back. */
function lock({ dataDir }: Installation) {
  const other = new DatabaseSync(path.join(dataDir, 'chat_history.db'))
  other.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE')
  return other
}

function arrived(installation: Installation, posts: number) {
  return until(
    () => `${posts} requests at the services`,
    () => installation.seen().posts.length === posts,
  )
}

function ended(installation: Installation) {
  return until(
    () => `unfinished: ${readUnfinished(installation.dataDir)}`,
    () => readUnfinished(installation.dataDir).length === 0,
  )
}

/** Every event until the stream or its server ends. */
async function follow(program: Program, id: string, lastEventId: string | undefined) {
  const response = await fetch(`${program.address}/api/history/${id}/events`, {
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  })
  let text = ''
  try {
    for await (const piece of response.body ?? []) text += Buffer.from(piece).toString()
  } catch {
    // The server went; what came before counts.
  }
  return text.split('\n\n').flatMap(event => {
    const id = /^id: (.*)$/m.exec(event)?.[1]
    const data = /^data: (.*)$/m.exec(event)?.[1]
    return id !== undefined && data !== undefined ? [{ id, data: JSON.parse(data) as { status: string } }] : []
  })
}

function doctor({ dataDir, environment }: Installation) {
  return runProgram('doctor', { dataDir, environment })
}

/** 64 by 64 pixels of one colour. */
const oneImage =
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAn0lEQVRoge2SQQkAQRDD6qkmT0tUroh7hIFCBKSh6cdpoht0A9ArdhfiLtENugHoFbsLcZfoBt0A9IrdhbhLdINuAHrF7kLcJbpBNwC9Ynch7hLdoBuAXrG7EHeJbtANQK/YXYi7RDfoBqBX7C7EXaIbdAPQK3YX4i7RDboB6BW7C3GX6AbdAPSK3YW4S3SDbgB6xe5C3CW6QTcAveIfHkv+UUtCWarsAAAAAElFTkSuQmCC'
