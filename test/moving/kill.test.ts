/**
 * The real program is killed with SIGKILL in the middle of an import, where a picture is in its place and has no row, and where it has its
 * row and no line of the report; and so is the command that imports into the data folder. What is imported in the end is all of it, once.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ReportLine } from '../../src/moving/report.ts'
import { startProgram as startKillable, until } from '../support/killable-program.ts'
import { startProgram } from '../support/program.ts'
import { filesUnder, findViolationsOnDisk, readRows, sha256 } from '../support/stored.ts'
import { pngWith, tEXt } from './pictures.ts'

const pictures = 120

test('an import that was killed goes on after a start: nothing twice, nothing lost', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-killed-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  const dataDir = path.join(folder, 'data')
  mkdirSync(dataDir)
  const hashes: string[] = []
  mkdirSync(path.join(folder, 'peer'))
  const plain = await pngWith(1, [])
  for (let index = 0; index < pictures; index++) {
    const bytes = await pngWith(1, [tEXt('parameters', `picture ${index}\nSteps: 1, Seed: ${index}`)], plain)
    hashes.push(sha256(bytes))
    writeFileSync(path.join(folder, `peer/${String(index).padStart(3, '0')}.png`), bytes)
  }
  const environment = { DATA_DIR: dataDir, PORT: '0', IMPORT_FOLDER: folder }
  const start = async () => {
    const program = await startKillable(environment)
    onTestFinished(async () => void (await program.end('SIGKILL')))
    return program
  }

  // Files without rows.
  const first = await start()
  await first.hold({ point: 'import-picture-put', from: 1 })
  const { body: begun } = await first.call('POST', '/api/imports', { path: 'peer' })
  await until(
    () => `${first.held.length} pictures in their place`,
    () => first.held.length === 6,
  )
  await first.end('SIGKILL')
  expect(readRows(dataDir).images).toEqual([])
  expect(filesUnder(path.join(dataDir, 'images')).size).toBeGreaterThanOrEqual(6)

  // Somewhere, by the command.
  const command = await startProgram('import', { dataDir, words: [path.join(folder, 'peer')] })
  await until(
    () => command.output(),
    () => command.child.exitCode !== null || countFiles(dataDir) >= 20,
  )
  await command.ended('SIGKILL')

  // Rows without lines of a report; the record of the first import is there, and goes on.
  const second = await start()
  const { body: list } = await second.call('GET', '/api/imports')
  expect(list.items).toMatchObject([{ id: begun.id, state: 'stopped', name: 'peer' }])
  const before = readRows(dataDir).images.length
  await second.hold({ point: 'import-picture-written', from: 1 })
  await second.call('PATCH', `/api/imports/${begun.id}`, { state: 'running' })
  await until(
    () => `${second.held.length} rows of ${pictures - before}`,
    () => second.held.length === Math.min(6, pictures - before),
  )
  await second.end('SIGKILL')
  const known = readRows(dataDir).images.length
  expect(known).toBeGreaterThan(0)

  const third = await start()
  await third.call('PATCH', `/api/imports/${begun.id}`, { state: 'running' })
  const record = async () => (await third.call('GET', `/api/imports/${begun.id}`)).body
  await until(
    () => third.output(),
    async () => (await record()).finished_at !== null,
  )
  expect(await record()).toMatchObject({ state: 'done', imported: pictures - known, already: known, left_out: 0 })
  const { body: report } = await third.call('GET', `/api/imports/${begun.id}/report`)
  expect(report.items.map((line: ReportLine) => line.path)).toHaveLength(pictures)
  const { images, generations } = readRows(dataDir)
  expect(images.map(image => image.sha256).toSorted()).toEqual(hashes.toSorted())
  expect(generations).toHaveLength(pictures)
  await until(
    () => findViolationsOnDisk(dataDir).join('; '),
    () => findViolationsOnDisk(dataDir).length === 0,
  )
})

function countFiles(dataDir: string) {
  return readRows(dataDir).images.length
}
