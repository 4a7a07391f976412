/** Two servers on one database, however they came to it: one of them sends, and whatever was paid is kept by either. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { link, mkdir, rename, rm, symlink, unlink } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { kinds } from '../support/call-kinds.ts'
import { addOpenai, openWorld, type World } from '../support/installation.ts'
import { faultsOnDisk, type Program, rowsOf, unfinished, until } from '../support/killable-program.ts'

const [ark] = kinds.map(kind => kind.request)
const async = { prefer: 'respond-async' }
const inUse = /in use by another running server/

test('a second server is kept out by whatever name it knows the database', async () => {
  const { world } = await begin()
  const real = databaseOf(world)
  const elsewhere = path.join(world.dataDir, 'elsewhere')
  await mkdir(elsewhere)
  await symlink(real, path.join(elsewhere, 'linked.db'))
  await symlink(world.dataDir, path.join(elsewhere, 'folder'))
  const startAt = (file: string) => world.start([], { DATABASE_URL: `sqlite:///${file}` })

  await expect(startAt(path.join(elsewhere, 'linked.db'))).rejects.toThrow(inUse)
  await expect(startAt(path.join(elsewhere, 'folder/chat_history.db'))).rejects.toThrow(inUse)
  await link(real, path.join(elsewhere, 'hard.db'))
  await expect(startAt(path.join(elsewhere, 'hard.db'))).rejects.toThrow(/2 names \(hard links\).*Keep one name/)
})

test('a database whose file alone is mounted is refused', async context => {
  const { world, program } = await begin()
  await program.end('SIGTERM')
  const place = path.join(world.dataDir, 'a mounted one.db')
  writeFileSync(place, '')
  try {
    execFileSync('mount', ['--bind', databaseOf(world), place], { stdio: 'ignore' })
  } catch {
    context.skip('who runs the tests may not mount')
  }
  onTestFinished(() => void execFileSync('umount', [place]))

  await expect(world.start([], { DATABASE_URL: `sqlite:///${place}` })).rejects.toThrow(/mounted without its folder/)
})

test('a database that is made through a link that leads nowhere yet lies where the link says', async () => {
  const { world, program } = await begin()
  await program.end('SIGTERM')
  const place = path.join(world.dataDir, 'new/place.db')
  await symlink(place, path.join(world.dataDir, 'link.db'))

  const other = await world.start([], { DATABASE_URL: `sqlite:///${path.join(world.dataDir, 'link.db')}` })
  await expect(world.start([], { DATABASE_URL: `sqlite:///${place}` })).rejects.toThrow(inUse)
  expect((await other.end('SIGTERM')).code).toBe(0)
})

test('a lock that is removed under a running server is taken again', async () => {
  const { world, program } = await begin()

  await unlink(lockOf(world))
  await until(
    () => 'the lock to be there again',
    () => existsSync(lockOf(world)),
  )

  await expect(world.start()).rejects.toThrow(inUse)
  expect((await program.call('POST', '/api/generate', ark)).status).toBe(200)
})

test('a server that lost its lock to another sends nothing more, and loses no answer that it waits for', async () => {
  const { world, program } = await begin()
  await program.hold({ point: 'answer-read-before-kept', from: 1 })
  await generateAll(program, 'answered')
  await until(
    () => 'all answers',
    () => program.held.length === kinds.reduce((sum, kind) => sum + kind.calls, 0),
  )
  await program.hold({ point: 'before-sending', from: 1 })
  await program.call('POST', '/api/generate', { ...ark, prompt: 'not sent yet' }, async)
  await until(
    () => 'one that is about to be sent',
    () => program.held.length === 1,
  )

  const other = await takeOver(world, program)
  await until(
    () => JSON.stringify(rowsOf(world.dataDir).generations),
    () => unfinished(world.dataDir).length === 0,
  )
  const givenUp = rowsOf(world.dataDir).generations.filter(({ charge }) => charge === 'unknown')
  program.signal('SIGCONT')
  await program.hold(null, { release: true })
  await until(
    () => JSON.stringify(rowsOf(world.dataDir).generations),
    () => rowsOf(world.dataDir).generations.every(({ status }) => status === 'succeeded'),
  )

  expect(givenUp.length).toBeGreaterThan(2)
  const { generations, images } = rowsOf(world.dataDir)
  expect(generations.map(({ charge }) => charge)).toEqual(generations.map(() => 'charged'))
  expect(images).toHaveLength(world.seen().billed.length)
  expect(world.seen().posts.filter(({ body }) => JSON.stringify(body).includes('not sent yet'))).toHaveLength(1)
  const taken = expect.stringMatching(/Another server has taken over/)
  expect(await program.call('POST', '/api/generate', ark)).toMatchObject({ status: 507, body: { detail: taken } })
  expect((await program.call('GET', '/api/status')).body.database).toMatchObject({ state: 'failing', detail: taken })
  expect(await other.call('POST', '/api/generate', ark)).toMatchObject({ status: 200, body: { status: 'succeeded' } })
  // Also when the other one has gone, whoever lost the database does not stand in its way.
  await other.end('SIGTERM')
  const again = await world.start()
  expect(await again.call('POST', '/api/generate', ark)).toMatchObject({ status: 200 })
  await until(
    () => faultsOnDisk(world.dataDir).join('; '),
    () => faultsOnDisk(world.dataDir).length === 0,
  )
})

test('answers that come to a database which was replaced under the server are taken up by the next', async () => {
  const { world, program } = await begin()
  await program.hold({ point: 'answer-read-before-kept', from: 1 })
  await generateAll(program, 'answered')
  await until(
    () => 'all answers',
    () => program.held.length === kinds.reduce((sum, kind) => sum + kind.calls, 0),
  )
  program.signal('SIGSTOP')
  const backup = path.join(world.dataDir, 'backup.db')
  const reader = new DatabaseSync(databaseOf(world))
  reader.exec(`vacuum into '${backup}'`)
  reader.close()
  for (const ending of ['', '-wal', '-shm']) await rm(`${databaseOf(world)}${ending}`)
  await rename(backup, databaseOf(world))
  await rm(lockOf(world))
  const other = await world.start()
  await until(
    () => JSON.stringify(rowsOf(world.dataDir).generations),
    () => unfinished(world.dataDir).length === 0,
  )
  const before = rowsOf(world.dataDir).generations.filter(({ charge }) => charge === 'unknown')

  program.signal('SIGCONT')
  await program.hold(null, { release: true })
  await until(
    () => readdirSync(path.join(world.dataDir, 'answers')).join(),
    () => before.every(({ id }) => callsOf(world, id).every(call => hasAnswer(world, call.id))),
  )
  const refused = await program.call('POST', '/api/generate', ark)
  await program.end('SIGKILL')
  await other.end('SIGTERM')
  await world.start()
  await until(
    () => JSON.stringify(rowsOf(world.dataDir).generations),
    () => rowsOf(world.dataDir).generations.every(({ status }) => status === 'succeeded'),
  )

  expect(before.length).toBeGreaterThan(2)
  expect(refused).toMatchObject({ status: 507, body: { detail: expect.stringMatching(/moved, removed or replaced/) } })
  expect(rowsOf(world.dataDir).generations.filter(({ charge }) => charge !== 'charged')).toEqual([])
  expect(rowsOf(world.dataDir).images).toHaveLength(world.seen().billed.length)
  expect(world.seen().posts).toHaveLength(kinds.reduce((sum, kind) => sum + kind.calls, 0))
})

// ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function begin() {
  const world = await openWorld()
  onTestFinished(() => world.close())
  const program = await world.start()
  await addOpenai(program, world)
  return { world, program }
}

async function generateAll(program: Program, word: string) {
  for (const kind of kinds)
    await program.call('POST', '/api/generate', { ...kind.request, prompt: `${kind.name}, ${word}` }, async)
}

/** While the first stands still, as under load or with a machine that slept, so that it cannot take its lock again. */
async function takeOver(world: World, program: Program) {
  program.signal('SIGSTOP')
  await unlink(lockOf(world))
  return world.start()
}

function databaseOf({ dataDir }: World) {
  return path.join(dataDir, 'chat_history.db')
}

function lockOf(world: World) {
  return `${databaseOf(world)}.lock`
}

function callsOf({ dataDir }: World, generationId: string) {
  return rowsOf(dataDir).calls.filter(call => call.generation_id === generationId)
}

function hasAnswer({ dataDir }: World, callId: string) {
  return existsSync(path.join(dataDir, 'answers', `${callId}.answer.txt`))
}
