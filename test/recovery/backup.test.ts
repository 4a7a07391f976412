/** One archive, taken while the server works, and everything back in an empty place. */
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { writeBackup } from '../../src/storage/archive/backup.ts'
import { addOpenai, openInstallation } from '../support/installation.ts'
import { until } from '../support/killable-program.ts'
import { runProgram } from '../support/program.ts'
import { filesUnder, findViolationsOnDisk, readRows, readUnfinished } from '../support/stored.ts'

const inAnswer = { prompt: 'a boat', model: 'gpt-image-1-mini', parameters: { size: '1024x1024' } }
const ark = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }

test('a backup of a working server is whole in an empty place, and pays for nothing there', async () => {
  const installation = await openInstallation()
  onTestFinished(() => installation.close())
  installation.environment.SECRET_KEY = 'of the server and of its copy'
  // A webhook that nobody takes.
  installation.environment.ALLOWED_HOSTS += ',127.0.0.1:1'
  const program = await installation.start()
  await addOpenai(program, installation)
  const { body: webhook } = await program.call('POST', '/api/webhooks', { url: 'http://127.0.0.1:1/' })
  for (const n of [1, 3]) await program.call('POST', '/api/generate', { ...ark, parameters: { size: '960x960', n } })
  await program.hold({ point: 'before-sending', from: 1 })
  await program.call('POST', '/api/generate', { ...ark, prompt: 'waiting' }, { prefer: 'respond-async' })
  await until(
    () => 'a request that waits',
    () => program.held.length === 1,
  )
  const archive = path.join(installation.dataDir, 'backup.tar')
  const emptyDir = await mkdtemp(path.join(tmpdir(), 'webimgui-restored-'))
  onTestFinished(() => rm(emptyDir, { recursive: true, force: true }))

  const written = await run('backup', archive, installation.environment)
  const elsewhere = { ...installation.environment, DATA_DIR: emptyDir }
  const restored = await run('restore', archive, elsewhere)

  expect(written).toMatchObject({ code: 0, output: expect.stringMatching(/4 pictures/) })
  expect(restored).toMatchObject({ code: 0, output: expect.stringMatching(/1 requests that were waiting/) })
  await program.end('SIGKILL')
  const posts = installation.seen().posts.length
  const again = await installation.start([], { DATA_DIR: emptyDir })
  await until(
    () => 'the end',
    () => readUnfinished(emptyDir).length === 0,
  )
  const { items } = (await again.call('GET', '/api/history')).body
  expect(items).toMatchObject([{ status: 'cancelled', charge: 'none' }, { images: [{}, {}, {}] }, { images: [{}] }])
  await until(
    () => findViolationsOnDisk(emptyDir).join(),
    () => findViolationsOnDisk(emptyDir).length === 0,
  )
  expect(readRows(emptyDir).images).toEqual(readRows(installation.dataDir).images)
  expect(installation.seen().posts).toHaveLength(posts)

  // What the original may have told since is not told from here.
  const { body: told } = await again.call('GET', `/api/webhooks/${webhook.id}/deliveries`)
  expect(told.items.map(({ state }: { state: string }) => state).sort()).toEqual(['dropped', 'dropped', 'pending'])

  const refused = await run('restore', archive, elsewhere)
  expect(refused).toMatchObject({ code: 1, output: expect.stringMatching(/only be restored into an empty place/) })
})

test('an answer that waits is in a backup although the server came to its end meanwhile, and one that is done is not missed', async () => {
  const installation = await openInstallation()
  onTestFinished(() => installation.close())
  const program = await installation.start()
  await addOpenai(program, installation)
  await program.call('POST', '/api/generate', inAnswer)
  await program.hold({ point: 'answer-kept', from: 1 })
  await program.call('POST', '/api/generate', { ...inAnswer, prompt: 'waiting' }, { prefer: 'respond-async' })
  await until(
    () => 'a kept answer',
    () => program.held.length === 1,
  )
  const emptyDir = await mkdtemp(path.join(tmpdir(), 'webimgui-restored-'))
  onTestFinished(() => rm(emptyDir, { recursive: true, force: true }))
  const archive = path.join(emptyDir, 'backup.tar')
  const answers = path.join(installation.dataDir, 'answers')
  const places = {
    database: path.join(installation.dataDir, 'chat_history.db'),
    images: path.join(installation.dataDir, 'images'),
    answers,
  }
  const [kept] = filesUnder(answers)

  const report = await writeBackup(places, archive, done => {
    if (done === 1) rmSync(path.join(answers, kept ?? ''))
  })
  const restored = path.join(emptyDir, 'data')
  await mkdir(restored)
  const restoring = await run('restore', archive, { ...installation.environment, DATA_DIR: restored })

  expect(report).toMatchObject({ pictures: 1, answers: 1, missing: [] })
  expect(restoring.output).not.toMatch(/missing/)
  expect([...filesUnder(path.join(restored, 'answers'))]).toEqual([kept])
})

test('what SQLite left of the database that was there before stands in the way of a restore', async () => {
  const installation = await openInstallation()
  onTestFinished(() => installation.close())
  await (await installation.start()).end('SIGTERM')
  const archive = path.join(installation.dataDir, 'backup.tar')
  await run('backup', archive, installation.environment)
  const emptyDir = await mkdtemp(path.join(tmpdir(), 'webimgui-restored-'))
  onTestFinished(() => rm(emptyDir, { recursive: true, force: true }))
  await writeFile(path.join(emptyDir, 'chat_history.db-wal'), 'pages of another database')

  const refused = await run('restore', archive, { ...installation.environment, DATA_DIR: emptyDir })

  expect(refused).toMatchObject({ code: 1, output: expect.stringMatching(/chat_history\.db-wal already exists/) })
})

test('a damaged or cut archive is refused, and leaves nothing', async () => {
  const installation = await openInstallation()
  onTestFinished(() => installation.close())
  const program = await installation.start()
  await program.call('POST', '/api/generate', ark)
  await program.end('SIGTERM')
  const archive = path.join(installation.dataDir, 'backup.tar')
  await run('backup', archive, installation.environment)
  const bytes = await readFile(archive)
  const emptyDir = await mkdtemp(path.join(tmpdir(), 'webimgui-restored-'))
  onTestFinished(() => rm(emptyDir, { recursive: true, force: true }))
  const elsewhere = { ...installation.environment, DATA_DIR: emptyDir }

  // One byte of the picture, behind its beginning.
  const damaged = Buffer.from(bytes)
  const place = bytes.indexOf(Buffer.from([0xff, 0xd8, 0xff])) + 1000
  damaged[place] = damaged[place]! ^ 1
  await writeFile(`${archive}.damaged`, damaged)
  const told = Buffer.from(bytes)
  told[told.lastIndexOf('"form"')] = 0x5b
  await writeFile(`${archive}.told`, told)
  await writeFile(`${archive}.cut`, bytes.subarray(0, bytes.length / 2))

  expect(await run('restore', `${archive}.damaged`, elsewhere)).toMatchObject({
    code: 1,
    output: expect.stringMatching(/damaged: images\//),
  })
  expect(await run('restore', `${archive}.told`, elsewhere)).toMatchObject({
    code: 1,
    output: 'The backup is damaged: manifest.json.\n备份已损坏：manifest.json。\n',
  })
  expect(await run('restore', `${archive}.cut`, elsewhere)).toMatchObject({
    code: 1,
    output: expect.stringMatching(/ends too early/),
  })
  expect((await run('restore', archive, elsewhere)).code).toBe(0)
})

function run(word: string, file: string, environment: Record<string, string>) {
  return runProgram(word, { dataDir: environment.DATA_DIR ?? '', words: [file], environment })
}
