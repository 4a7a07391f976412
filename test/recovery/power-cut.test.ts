/**
 * The power is cut at every instant that matters, with every kind of call under way: of the database only that is left which a sync had
 * reached the disk with. The program goes on from there, and must come to the same end as after a kill (`outcomes.ts`).
 */
import { randomUUID } from 'node:crypto'
import { fdatasync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type App, createApp } from '../../src/app.ts'
import { type Failpoint, failpoints } from '../../src/coordination/failpoints.ts'
import { loadSettings } from '../../src/settings.ts'
import { OPENAI_DEMO_KEY } from '../../src/simulators/openai/keys.ts'
import { call as ask } from '../support/app.ts'
import { type CallKind, callKinds, countPassages } from '../support/call-kinds.ts'
import { type Installation, openInstallation } from '../support/installation.ts'
import { until } from '../support/killable-program.ts'
import { findViolationsOnDisk, readUnfinished } from '../support/stored.ts'
import { outcomeOf } from './outcomes.ts'

let installation: Installation
/** Programs whose power is gone stand still, and are closed at the end. */
const dark: (() => Promise<void>)[] = []

// Of their own, because no other database knows the tasks of this one.
beforeEach(async () => {
  installation = await openInstallation()
})

afterEach(async () => {
  await Promise.all(dark.splice(0).map(close => close()))
  await installation.close()
})

describe('a power cut', () => {
  test.each(failpoints.map(point => ({ point })))('at $point', async ({ point }) => {
    const tested = callKinds.filter(kind => countPassages(kind, point) > 0)
    if (point === 'repeat-written') refuseOnce(tested)
    const before = await start(await newFolder(), point)
    const made = await Promise.all(tested.map(kind => before.generate(kind)))
    await until(
      () => `generations to stand at ${point}: ${before.held.size} of ${tested.length}`,
      () => before.held.size === tested.length,
    )
    const arriving = tested.reduce((sum, kind) => sum + outcomeOf(kind, point, 1).posts, 0)
    if (point === 'request-sent')
      await until(
        () => 'requests to arrive',
        () => installation.seen().posts.length >= arriving,
      )

    const left = await newFolder()
    await before.cutPower(left)
    const after = await start(left, undefined)
    await until(
      () => `unfinished: ${JSON.stringify(readUnfinished(left))}`,
      () => readUnfinished(left).length === 0,
    )
    const outcomes = await Promise.all(made.map(one => after.tell(one)))
    await after.close()

    expect(outcomes).toEqual(tested.map(kind => ({ kind: kind.name, ...outcomeOf(kind, point, 1) })))
    expect(findViolationsOnDisk(left)).toEqual([])
  })
})

test('nobody is told of a change that a power cut could take back', async () => {
  const folder = await newFolder()
  const program = await start(folder, undefined)
  const added = await ask(`${program.url}/api/config`, 'POST', { name: 'Mine', provider: 'doubao', api_key: 'a-key' })

  const left = await newFolder()
  await program.cutPower(left)
  const after = await start(left, undefined)
  const { body } = await ask(`${after.url}/api/config`, 'GET')
  await after.close()

  expect(added.status).toBe(201)
  expect(JSON.stringify(body)).toContain(added.body.id)
})

interface Made {
  kind: CallKind
  prompt: string
  id: string
}

/** A program in this process; with `holdAt` each generation stands still where it comes there. */
async function start(dataDir: string, holdAt: Failpoint | undefined) {
  const disk = watchJournal(path.join(dataDir, 'chat_history.db'))
  const held = new Set<string>()
  const ending = Promise.withResolvers<never>()
  ending.promise.catch(() => {})
  const settings = loadSettings({
    ...installation.environment,
    DATA_DIR: dataDir,
    DRAIN_SECONDS: '0',
    LOG_LEVEL: 'silent',
    SECRET_KEY: 'a-secret-of-the-test-0123456789abcdef',
  })
  const app: App = await createApp(settings, pino({ level: 'silent' }), {
    timeScale: 0.01,
    // Thumbnails can be made again at any time: no matter for a power cut, and half of the work.
    thumbnailsAfterMs: 24 * 3600 * 1000,
    syncJournal: disk.sync,
    reached(point, id) {
      if (point !== holdAt) return
      held.add(id)
      return ending.promise
    },
  })
  const { address: url } = await app.listen()
  let isClosed = false
  async function close() {
    if (isClosed) return
    isClosed = true
    const closed = app.close()
    ending.reject(new Error('the program is closed'))
    await closed
  }
  dark.push(close)
  if (holdAt) {
    const { baseUrl } = installation.openai
    const configuration = { name: 'OpenAI style', provider: 'openai', base_url: baseUrl, api_key: OPENAI_DEMO_KEY }
    expect((await ask(`${url}/api/config`, 'POST', configuration)).status).toBe(201)
  }

  return {
    url,
    held,
    close,
    async generate(kind: CallKind): Promise<Made> {
      const prompt = `${kind.request.prompt} ${randomUUID()}`
      const answer = await ask(`${url}/api/generate`, 'POST', { ...kind.request, prompt }, { prefer: 'respond-async' })
      expect(answer.status, JSON.stringify(answer.body)).toBe(202)
      return { kind, prompt, id: answer.body.id }
    },
    /** What is left on the disk goes into another folder. */
    async cutPower(left: string) {
      await disk.writeDurable(path.join(left, 'chat_history.db'))
      for (const folder of ['images', 'answers'])
        await cp(path.join(dataDir, folder), path.join(left, folder), { recursive: true }).catch(error => {
          if (error.code !== 'ENOENT') throw error
        })
    },
    async tell({ kind, prompt, id }: Made) {
      const { body } = await ask(`${url}/api/history/${id}`, 'GET')
      const posts = installation.seen().posts.filter(({ body }) => JSON.stringify(body).includes(`"${prompt}"`))
      return { kind: kind.name, images: body.images?.length, charge: body.charge, posts: posts.length }
    },
  }
}

/** Remembers the file and its journal as they were when the last sync that has ended began. */
function watchJournal(file: string) {
  const system = promisify(fdatasync)
  let durable: { database: Buffer; journal: Buffer } | undefined
  return {
    async sync(descriptor: number) {
      const begun = { database: await readFile(file), journal: await readFile(`${file}-wal`) }
      await system(descriptor)
      durable = begun
    },
    async writeDurable(place: string) {
      if (!durable) throw new Error('nothing was synced')
      await writeFile(place, durable.database)
      await writeFile(`${place}-wal`, durable.journal)
    },
  }
}

async function newFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), 'webimgui-power-'))
  dark.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
  await mkdir(folder, { recursive: true })
  return folder
}

/** Every first request is told to slow down; every service that proves so that nothing was made. */
function refuseOnce(tested: CallKind[]) {
  const count = (provider: CallKind['provider']) =>
    tested.filter(kind => kind.provider === provider).reduce((sum, kind) => sum + kind.calls, 0)
  const { doubao, qwen, openai } = installation
  const body = { code: 'Throttling.RateQuota', message: 'Requests rate limit exceeded, please try again later.' }
  const openaiBody = {
    error: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' },
  }
  doubao.misbehave({ kind: 'status', status: 429 }, { times: count('doubao') })
  qwen.misbehave({ kind: 'status', status: 429, body }, { times: count('qwen') })
  openai.misbehave({ kind: 'status', status: 429, body: openaiBody }, { times: count('openai') })
}
