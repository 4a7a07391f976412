/** Out of one server and into another: nothing is lost, and nothing counts twice. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Generation } from '../../src/api/generations.ts'
import { startApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'
import { createDatabase } from '../support/postgres.ts'
import { runProgram } from '../support/program.ts'
import { findViolations, readPostgresRows, sha256 } from '../support/stored.ts'

test('what is exported beside a running server is the same in another one: bytes, recipe, dates, marks, references', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-export-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const first = await startApp()
  const made = await first.generate({
    prompt: '水墨山水: "a/b"',
    model: 'doubao-seedream-4-0-20260415',
    parameters: { size: '1024x1024', n: 2 },
    images: [dataUri(await png(64, 64))],
  })
  await first.call('PATCH', `/api/history/${made.id}`, { favorite: true, tags: ['海报', 'two words'] })
  const wanted = (await first.call('GET', `/api/history/${made.id}`)).body as Generation

  const exported = await runProgram('export', { dataDir: first.dataDir, words: ['-o', folder] })

  expect([exported.code, exported.output]).toEqual([0, expect.stringContaining('2 pictures')])
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => /\.(?:png|jpe?g)$/.test(name))
  expect(files.map(name => sha256(readFileSync(path.join(folder, name)))).toSorted()).toEqual(
    [...wanted.images, ...wanted.references].map(image => image.sha256).toSorted(),
  )

  // The other one keeps its history in PostgreSQL.
  const environment = { DATABASE_URL: await createDatabase() }
  const second = await startApp({ environment })
  let imported: Awaited<ReturnType<typeof runProgram>> | undefined
  await second.restart(async () => {
    imported = await runProgram('import', { dataDir: second.dataDir, environment, words: [folder] })
  })
  const [found, ...others] = (await second.call('GET', '/api/history')).body.items as Generation[]

  expect([imported?.code, imported?.output]).toEqual([0, expect.stringMatching(/^2 imported/)])
  expect(others).toEqual([])
  const recipe = ({ images, references, ...rest }: Generation) => ({
    ...rest,
    ...{ charge: null, cost: null, config_id: null, provider_request_ids: null, imported_from: null },
    image_urls: null,
    images: images.map(({ url, thumbnail_url, id, ...image }) => image),
    references: references.map(({ url, thumbnail_url, id, ...image }) => image),
  })
  expect(recipe(found!)).toEqual(recipe(wanted))
  expect(found).toMatchObject({ charge: 'none', cost: null, imported_from: 'webimgui' })
  const bytes = await fetch(`${second.url}${found!.images[0]!.url}`)
  expect(sha256(Buffer.from(await bytes.arrayBuffer()))).toBe(wanted.images[0]!.sha256)
  expect((await second.call('GET', '/api/usage')).body.items).toEqual([])
  // Made again with the same model, as any other; and found by its words.
  expect((await second.call('POST', `/api/history/${found!.id}/retry`, { dry_run: true })).body).toMatchObject({
    model: wanted.model,
    images: 2,
  })
  expect((await second.call('GET', '/api/history?q=山水')).body.items).toHaveLength(1)
  // The same once more, into the running server: packed, uploaded, and known already.
  const again = await runProgram('import', { dataDir: second.dataDir, words: ['--url', second.url, folder] })
  expect([again.code, again.output]).toEqual([0, expect.stringMatching(/^0 imported.*2 already here/)])

  // And out of there.
  const back = path.join(folder, 'back')
  const left = await runProgram('export', { dataDir: second.dataDir, environment, words: ['-o', back] })
  expect([left.code, left.output]).toEqual([0, expect.stringContaining('2 pictures')])
  const told = (name: string) => ({
    ...JSON.parse(readFileSync(name, 'utf8')),
    ...{ charge: null, cost: null, retry_of: null, imported_from: null, references: null, image_id: null },
  })
  const names = files.filter(name => /^\d{4}\//.test(name)).map(name => name.replace(/\.\w+$/, '.json'))
  for (const name of names) expect(told(path.join(back, name))).toEqual(told(path.join(folder, name)))
  const rows = await readPostgresRows(environment.DATABASE_URL)
  expect(findViolations(rows, second.dataDir)).toEqual([])
})
