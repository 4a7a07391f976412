/** Two servers on one database, however they came to it: one of them sends, and whatever was paid is kept by either. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { link, mkdir, rename, rm, symlink, unlink } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { callKinds } from '../support/call-kinds.ts'
import { addOpenai, type Installation, openInstallation } from '../support/installation.ts'
import { type Program, until } from '../support/killable-program.ts'
import { findViolationsOnDisk, readRows, readUnfinished } from '../support/stored.ts'

const [ark] = callKinds.map(kind => kind.request)
const async = { prefer: 'respond-async' }
const inUse = /in use by another running server/

test('a second server is kept out by whatever name it knows the database', async () => {
  const { installation } = await begin()
  const real = databaseOf(installation)
  const elsewhere = path.join(installation.dataDir, 'elsewhere')
  await mkdir(elsewhere)
  await symlink(real, path.join(elsewhere, 'linked.db'))
  await symlink(installation.dataDir, path.join(elsewhere, 'folder'))
  const startAt = (file: string) => installation.start([], { DATABASE_URL: `sqlite:///${file}` })

  await expect(startAt(path.join(elsewhere, 'linked.db'))).rejects.toThrow(inUse)
  await expect(startAt(path.join(elsewhere, 'folder/chat_history.db'))).rejects.toThrow(inUse)
  await link(real, path.join(elsewhere, 'hard.db'))
  await expect(startAt(path.join(elsewhere, 'hard.db'))).rejects.toThrow(/2 names \(hard links\).*Keep one name/)
})

test('a database whose file alone is mounted is refused', async context => {
  const { installation, program } = await begin()
  await program.end('SIGTERM')
  const place = path.join(installation.dataDir, 'a mounted one.db')
  writeFileSync(place, '')
  try {
    execFileSync('mount', ['--bind', databaseOf(installation), place], { stdio: 'ignore' })
  } catch {
    context.skip('who runs the tests may not mount')
  }
  onTestFinished(() => void execFileSync('umount', [place]))

  await expect(installation.start([], { DATABASE_URL: `sqlite:///${place}` })).rejects.toThrow(
    /mounted without its folder/,
  )
})

test('a database that is made through a link that leads nowhere yet lies where the link says', async () => {
  const { installation, program } = await begin()
  await program.end('SIGTERM')
  const place = path.join(installation.dataDir, 'new/place.db')
  await symlink(place, path.join(installation.dataDir, 'link.db'))

  const other = await installation.start([], {
    DATABASE_URL: `sqlite:///${path.join(installation.dataDir, 'link.db')}`,
  })
  await expect(installation.start([], { DATABASE_URL: `sqlite:///${place}` })).rejects.toThrow(inUse)
  expect((await other.end('SIGTERM')).code).toBe(0)
})

test('a lock that is removed under a running server is taken again', async () => {
  const { installation, program } = await begin()

  await unlink(lockOf(installation))
  await until(
    () => 'the lock to be there again',
    () => existsSync(lockOf(installation)),
  )

  await expect(installation.start()).rejects.toThrow(inUse)
  expect((await program.call('POST', '/api/generate', ark)).status).toBe(200)
})

test('a server that lost its lock to another sends nothing more, and loses no answer that it waits for', async () => {
  const { installation, program } = await begin()
  await program.hold({ point: 'answer-read-before-kept', from: 1 })
  await generateAll(program, 'answered')
  await until(
    () => 'all answers',
    () => program.held.length === callKinds.reduce((sum, kind) => sum + kind.calls, 0),
  )
  await program.hold({ point: 'before-sending', from: 1 })
  await program.call('POST', '/api/generate', { ...ark, prompt: 'not sent yet' }, async)
  await until(
    () => 'one that is about to be sent',
    () => program.held.length === 1,
  )

  const other = await takeOver(installation, program)
  await until(
    () => JSON.stringify(readRows(installation.dataDir).generations),
    () => readUnfinished(installation.dataDir).length === 0,
  )
  const givenUp = readRows(installation.dataDir).generations.filter(({ charge }) => charge === 'unknown')
  program.signal('SIGCONT')
  await program.hold(null, { release: true })
  await until(
    () => JSON.stringify(readRows(installation.dataDir).generations),
    () => readRows(installation.dataDir).generations.every(({ status }) => status === 'succeeded'),
  )

  expect(givenUp.length).toBeGreaterThan(2)
  const { generations, images } = readRows(installation.dataDir)
  expect(generations.map(({ charge }) => charge)).toEqual(generations.map(() => 'charged'))
  expect(images).toHaveLength(installation.seen().billed.length)
  expect(installation.seen().posts.filter(({ body }) => JSON.stringify(body).includes('not sent yet'))).toHaveLength(1)
  const taken = expect.stringMatching(/Another server has taken over/)
  expect(await program.call('POST', '/api/generate', ark)).toMatchObject({ status: 507, body: { detail: taken } })
  expect((await program.call('GET', '/api/status')).body.database).toMatchObject({ state: 'failing', detail: taken })
  expect(await other.call('POST', '/api/generate', ark)).toMatchObject({ status: 200, body: { status: 'succeeded' } })
  // Also when the other one has gone, whoever lost the database does not stand in its way.
  await other.end('SIGTERM')
  const again = await installation.start()
  expect(await again.call('POST', '/api/generate', ark)).toMatchObject({ status: 200 })
  await until(
    () => findViolationsOnDisk(installation.dataDir).join('; '),
    () => findViolationsOnDisk(installation.dataDir).length === 0,
  )
})

test('answers that come to a database which was replaced under the server are taken up by the next', async () => {
  const { installation, program } = await begin()
  await program.hold({ point: 'answer-read-before-kept', from: 1 })
  await generateAll(program, 'answered')
  await until(
    () => 'all answers',
    () => program.held.length === callKinds.reduce((sum, kind) => sum + kind.calls, 0),
  )
  program.signal('SIGSTOP')
  const backup = path.join(installation.dataDir, 'backup.db')
  const reader = new DatabaseSync(databaseOf(installation))
  reader.exec(`vacuum into '${backup}'`)
  reader.close()
  for (const ending of ['', '-wal', '-shm']) await rm(`${databaseOf(installation)}${ending}`)
  await rename(backup, databaseOf(installation))
  await rm(lockOf(installation))
  const other = await installation.start()
  await until(
    () => JSON.stringify(readRows(installation.dataDir).generations),
    () => readUnfinished(installation.dataDir).length === 0,
  )
  const before = readRows(installation.dataDir).generations.filter(({ charge }) => charge === 'unknown')

  program.signal('SIGCONT')
  await program.hold(null, { release: true })
  await until(
    () => readdirSync(path.join(installation.dataDir, 'answers')).join(),
    () => before.every(({ id }) => callsOf(installation, id).every(call => hasAnswer(installation, call.id))),
  )
  const refused = await program.call('POST', '/api/generate', ark)
  await program.end('SIGKILL')
  await other.end('SIGTERM')
  await installation.start()
  await until(
    () => JSON.stringify(readRows(installation.dataDir).generations),
    () => readRows(installation.dataDir).generations.every(({ status }) => status === 'succeeded'),
  )

  expect(before.length).toBeGreaterThan(2)
  expect(refused).toMatchObject({ status: 507, body: { detail: expect.stringMatching(/moved, removed or replaced/) } })
  expect(readRows(installation.dataDir).generations.filter(({ charge }) => charge !== 'charged')).toEqual([])
  expect(readRows(installation.dataDir).images).toHaveLength(installation.seen().billed.length)
  expect(installation.seen().posts).toHaveLength(callKinds.reduce((sum, kind) => sum + kind.calls, 0))
})

// ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function begin() {
  const installation = await openInstallation()
  onTestFinished(() => installation.close())
  const program = await installation.start()
  await addOpenai(program, installation)
  return { installation, program }
}

async function generateAll(program: Program, word: string) {
  for (const kind of callKinds)
    await program.call('POST', '/api/generate', { ...kind.request, prompt: `${kind.name}, ${word}` }, async)
}

/** While the first stands still, as under load or with a machine that slept, so that it cannot take its lock again. */
async function takeOver(installation: Installation, program: Program) {
  program.signal('SIGSTOP')
  await unlink(lockOf(installation))
  return installation.start()
}

function databaseOf({ dataDir }: Installation) {
  return path.join(dataDir, 'chat_history.db')
}

function lockOf(installation: Installation) {
  return `${databaseOf(installation)}.lock`
}

function callsOf({ dataDir }: Installation, generationId: string) {
  return readRows(dataDir).calls.filter(call => call.generation_id === generationId)
}

function hasAnswer({ dataDir }: Installation, callId: string) {
  return existsSync(path.join(dataDir, 'answers', `${callId}.answer.txt`))
}
