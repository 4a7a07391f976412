/** Pictures of other programs, imported by a running server: what comes, what does not, and what twice the same adds. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { strToU8, unzipSync, zipSync } from 'fflate'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Generation } from '../../src/api/generations.ts'
import type { Import } from '../../src/api/imports.ts'
import type { ReportLine } from '../../src/moving/report.ts'
import { openApp, type TestApp } from '../support/app.ts'
import { maxWaitMs } from '../support/patience.ts'
import { findViolationsOnDisk, readRows, sha256 } from '../support/stored.ts'
import { gptImagePlayground, invokeai, novaImageStudio, peerKey } from './exports.ts'
import { exifComment, iTXt, jpegWith, pngWith, stealthPng, tEXt, webpWith, zTXt } from './pictures.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-imports-'))
let app: TestApp

beforeAll(async () => {
  app = await openApp({ environment: { IMPORT_FOLDER: folder, ACCESS_TOKEN: token } })
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true, force: true })
})

const token = 'of-the-administrator-7d1c'
const admin = { authorization: `Bearer ${token}` }

function put(name: string, bytes: Uint8Array | string) {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, bytes)
}

async function ended(record: Import): Promise<Import> {
  return vi.waitUntil(async () => {
    const { body } = await app.call('GET', `/api/imports/${record.id}`, undefined, admin)
    return body.finished_at === null ? undefined : (body as Import)
  }, maxWaitMs)
}

async function run(body: object): Promise<{ record: Import; lines: Record<string, ReportLine> }> {
  const started = await app.call('POST', '/api/imports', body, admin)
  expect(started.status).toBe(202)
  const record = await ended(started.body)
  const report = await app.call('GET', `/api/imports/${record.id}/report`, undefined, admin)
  const items = report.body.items as ReportLine[]
  return { record, lines: Object.fromEntries(items.map(line => [line.path, line])) }
}

async function find(query: string): Promise<Generation[]> {
  return (await app.call('GET', `/api/history?limit=200&${query}`, undefined, admin)).body.items
}

test('each program is read as it writes: recipe, model, seed, size, date, and every byte', async () => {
  const a1111 =
    'a cat, "x"\nin two lines\nNegative prompt: dog,\nbad\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 99, Size: 512x768, Model: foo_v1, Lora hashes: "a: 1, b: 2"'
  const graph = {
    3: {
      class_type: 'KSampler',
      inputs: {
        ...{ seed: 123, steps: 20, cfg: 8, sampler_name: 'euler', scheduler: 'normal', denoise: 1 },
        ...{ model: ['4', 0], positive: ['6', 0], negative: ['7', 0], latent_image: ['5', 0] },
      },
    },
    4: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sd15.safetensors' } },
    5: { class_type: 'EmptyLatentImage', inputs: { width: 512, height: 640, batch_size: 1 } },
    6: { class_type: 'CLIPTextEncode', inputs: { text: 'a bottle', clip: ['4', 1] } },
    7: { class_type: 'CLIPTextEncode', inputs: { text: 'watermark', clip: ['4', 1] } },
  }
  const swarm = {
    sui_image_params: {
      ...{ prompt: '水墨', negativeprompt: 'blur', model: 'Official/xl.safetensors', seed: 5, steps: 3, cfgscale: 7 },
      ...{ width: 512, height: 512, swarm_version: '0.9.8' },
    },
    sui_extra_data: { date: '2026-05-01' },
  }
  const nai = {
    prompt: '1girl',
    steps: 28,
    scale: 5,
    seed: 42,
    uc: 'lowres',
    width: 832,
    height: 1216,
    sampler: 'k_euler',
  }
  const hidden = {
    ...{ Software: 'NovelAI', Source: 'NovelAI Diffusion V3', Description: 'hidden' },
    Comment: JSON.stringify({ ...nai, prompt: 'a hidden girl' }),
  }
  const invoke = {
    positive_prompt: 'castle',
    negative_prompt: 'fog',
    seed: 11,
    width: 64,
    height: 64,
    model: { name: 'sdxl' },
  }
  const files: Record<string, Buffer> = {
    'a1111.png': await pngWith(1, [tEXt('parameters', a1111)]),
    'a1111.jpg': await jpegWith('山水\nNegative prompt: dog\nSteps: 5, Seed: 7, Size: 40x24'),
    'a1111.webp': await webpWith(exifComment('a boat\nSteps: 5, Seed: 8, Size: 40x24')),
    'packed.png': await pngWith(2, [zTXt('parameters', 'packed\nNegative prompt: n\nSteps: 1, Seed: 1')]),
    'Starred/swarm.png': await pngWith(3, [iTXt('parameters', JSON.stringify(swarm), true)]),
    'nai.png': await pngWith(4, [
      ...[tEXt('Software', 'NovelAI'), tEXt('Source', 'NovelAI Diffusion V4'), tEXt('Comment', JSON.stringify(nai))],
    ]),
    'hidden.png': await stealthPng(JSON.stringify(hidden)),
    'invoke.png': await pngWith(5, [tEXt('invokeai_metadata', JSON.stringify(invoke))]),
    'comfy.png': await pngWith(6, [tEXt('prompt', JSON.stringify(graph)), tEXt('workflow', '{}')]),
    'plain.png': await pngWith(7, []),
  }
  for (const [name, bytes] of Object.entries(files)) put(`each/${name}`, bytes)

  const { record, lines } = await run({ path: 'each', tags: ['moved in'] })

  expect(record).toMatchObject({
    ...{ state: 'done', imported: 10, left_out: 0, total: 10, format: 'pictures', error: null },
    by_source: { a1111: 4, comfyui: 1, files: 1, invokeai: 1, novelai: 2, swarmui: 1 },
  })
  const found = new Map((await find('tag=moved%20in')).map(one => [one.images[0]!.sha256, one]))
  const of = (name: string) => found.get(sha256(files[name]!))
  expect(of('a1111.png')).toMatchObject({
    ...{
      prompt: 'a cat, "x"\nin two lines',
      model: 'foo_v1',
      provider: 'a1111',
      imported_from: 'a1111',
      charge: 'none',
    },
    parameters: {
      negative_prompt: 'dog,\nbad',
      seed: 99,
      size: '512x768',
      steps: 20,
      cfg_scale: 7.5,
      lora_hashes: 'a: 1, b: 2',
    },
  })
  expect(of('a1111.jpg')).toMatchObject({ prompt: '山水', parameters: { seed: 7 } })
  expect(of('a1111.webp')).toMatchObject({ prompt: 'a boat', parameters: { seed: 8 } })
  expect(of('packed.png')).toMatchObject({ prompt: 'packed', parameters: { negative_prompt: 'n' } })
  expect(of('Starred/swarm.png')).toMatchObject({
    ...{ prompt: '水墨', model: 'Official/xl', favorite: true, timestamp: '2026-05-01T00:00:00.000Z' },
    parameters: { negative_prompt: 'blur', seed: 5, size: '512x512', cfg_scale: 7 },
  })
  expect(of('nai.png')).toMatchObject({
    ...{ prompt: '1girl', model: 'NovelAI Diffusion V4' },
    parameters: { negative_prompt: 'lowres', seed: 42, size: '832x1216', sampler: 'k_euler' },
  })
  expect(of('hidden.png')).toMatchObject({ prompt: 'a hidden girl', imported_from: 'novelai' })
  expect(of('invoke.png')).toMatchObject({
    prompt: 'castle',
    model: 'sdxl',
    parameters: { negative_prompt: 'fog', seed: 11 },
  })
  expect(of('comfy.png')).toMatchObject({
    ...{ prompt: 'a bottle', model: 'sd15' },
    parameters: { negative_prompt: 'watermark', seed: 123, steps: 20, cfg_scale: 8, size: '512x640' },
  })
  expect(of('plain.png')).toMatchObject({ prompt: '', model: null, imported_from: 'files' })
  expect(lines['nai.png']).toMatchObject({ status: 'imported', source: 'novelai', generation_id: of('nai.png')?.id })

  // Used as a reference, found by a word, made again where a model fits: not here.
  const id = of('comfy.png')!.images[0]!.id
  const used = await app.call(
    'POST',
    '/api/estimate',
    { prompt: 'x', images: [id], model: 'doubao-seedream-4-0-20260415' },
    admin,
  )
  expect(used.status).toBe(200)
  expect((await find('q=bottle')).map(one => one.id)).toEqual([of('comfy.png')!.id])
  const again = await app.call('POST', `/api/history/${of('comfy.png')!.id}/retry`, { dry_run: true }, admin)
  expect([again.status, again.body.detail]).toEqual([409, expect.stringMatching(/no model of this server is "sd15"/)])
  const { spending, calls } = readRows(app.dataDir)
  expect([spending, calls]).toEqual([[], []])
})

test('whole exports: the pictures of one request stand together, what was given too, and no key comes along', async () => {
  put('peers/playground.zip', await gptImagePlayground())
  put('peers/nova.zip', await novaImageStudio())
  await invokeai(path.join(folder, 'peers/invokeai'))

  const playground = await run({ path: 'peers/playground.zip' })
  const nova = await run({ path: 'peers/nova.zip' })
  const invoke = await run({ path: 'peers/invokeai' })

  expect(playground.record).toMatchObject({ format: 'gpt_image_playground', imported: 3, left_out: 2 })
  expect(playground.lines['../../etc/passwd']).toMatchObject({ status: 'left_out', reason: 'missing' })
  expect(playground.lines['images/gone.png']).toMatchObject({
    reason: 'missing',
    detail: expect.stringContaining('mask'),
  })
  const found = await find('provider=gpt-image-playground')
  const cats = found.find(({ prompt }) => prompt === '两只猫')
  expect(cats).toMatchObject({
    ...{ prompt: '两只猫', revised_prompt: 'two cats', favorite: true, timestamp: '2026-04-24T03:06:40.000Z' },
    ...{ finished_at: '2026-04-24T03:06:49.000Z', parameters: { size: '1024x1024', quality: 'high', n: 2 } },
    images: [{ sha256: sha256(await pngWith(100, [])) }, { sha256: sha256(await pngWith(101, [])) }],
    // The mask behind the picture that it belongs to.
    references: [{ sha256: sha256(await pngWith(102, [])) }, { sha256: sha256(await pngWith(103, [])) }],
  })
  expect(nova.record).toMatchObject({ format: 'nova-image-studio', imported: 1, by_reason: { missing: 1 } })
  expect(await find('provider=nova-image-studio')).toMatchObject([
    {
      ...{
        prompt: '狐狸',
        revised_prompt: 'a fox',
        model: 'gemini-3-pro-image',
        timestamp: '2026-04-01T10:00:00.000Z',
      },
      parameters: { size: '2K', aspect_ratio: '1:1' },
    },
  ])
  expect(invoke.record).toMatchObject({ format: 'InvokeAI', imported: 1, by_reason: { missing: 1 }, total: 2 })
  expect((await find('tag=%E9%A3%8E%E6%99%AF'))[0]).toMatchObject({
    ...{ prompt: 'a castle', model: 'flux-dev', favorite: true, timestamp: '2025-12-01T10:00:00.123Z' },
    parameters: { negative_prompt: 'fog', seed: 3, size: '512x768' },
  })
  expect(JSON.stringify(readRows(app.dataDir))).not.toContain(peerKey)

  const again = await Promise.all([run({ path: 'peers/playground.zip' })])
  expect(again[0]?.record).toMatchObject({ imported: 0, already: 3 })
  expect(await find('provider=gpt-image-playground')).toHaveLength(2)
})

test('what cannot be taken is a line of the report, and the others come', async () => {
  const good = await pngWith(200, [tEXt('parameters', 'good\nSteps: 1, Seed: 1')])
  put('odd/good.png', good)
  put('odd/copy.png', good)
  // The same picture with another recipe has other bytes in its file; a text beside it tells another as well.
  put('odd/other.png', good)
  put('odd/other.swarm.json', JSON.stringify({ sui_image_params: { prompt: 'another', seed: 2 } }))
  put('odd/lie.png', 'no picture at all')
  put('odd/cut.png', good.subarray(0, 70))
  put('odd/empty.png', '')
  put('odd/picture.svg', '<svg xmlns="http://www.w3.org/2000/svg"></svg>')
  put('odd/inside.zip', zipSync({ 'a.png': good }))
  put('odd/bomb.png', await pngWith(201, [zTXt('parameters', 'x'.repeat(40_000_000))]))
  symlinkSync('/etc/hostname', path.join(folder, 'odd/link.png'))

  const { record, lines } = await run({ path: 'odd' })

  expect(record.state).toBe('done')
  const reasons = Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, line.reason ?? line.status]))
  const { 'good.png': one, 'copy.png': two, 'other.png': three, ...others } = reasons
  expect([one, two, three].toSorted()).toEqual(['already', 'differs', 'imported'])
  expect(others).toEqual({
    ...{ 'lie.png': 'not_a_picture', 'cut.png': 'damaged', 'empty.png': 'damaged', 'picture.svg': 'not_shown' },
    ...{ 'inside.zip': 'archive_inside', 'bomb.png': 'imported', 'link.png': 'symbolic_link' },
  })

  // Names that lead out, a checksum that is wrong, and more bytes than the directory says.
  const zip = Buffer.from(
    zipSync({ '../up.png': good, '/root.png': good, 'a/../b.png': good, 'fine.png': await pngWith(202, []) }),
  )
  const broken = Buffer.from(zipSync({ 'sum.png': [await pngWith(203, []), { level: 0 }] }))
  broken[broken.indexOf('IDAT') + 6]! ^= 0xff
  put('odd2/names.zip', zip)
  put('odd2/sum.zip', broken)
  put('odd2/none.zip', Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.alloc(100)]))
  const names = await run({ path: 'odd2/names.zip' })
  expect(names.record).toMatchObject({ imported: 1, by_reason: { unsafe_name: 3 } })
  expect((await run({ path: 'odd2/sum.zip' })).record).toMatchObject({ imported: 0, by_reason: { damaged: 1 } })
  expect((await run({ path: 'odd2/none.zip' })).record).toMatchObject({
    state: 'failed',
    error: { zh: expect.stringContaining('ZIP') },
  })
})

test('what is called an archive and is none that is read says so', async () => {
  put('none.zip', 'not a zip')
  put('other.7z', '7z')

  const [none, other] = [await run({ path: 'none.zip' }), await run({ path: 'other.7z' })]

  expect([none.record.state, none.record.error?.en]).toEqual(['failed', expect.stringContaining('is not a ZIP')])
  expect([other.record.state, other.record.error?.en]).toEqual(['failed', expect.stringContaining('Unpack it')])
})

test('an upload in parts, and nothing outside of the allowed folder; members import nothing and export their own', async () => {
  const bytes = Buffer.from(
    zipSync({ 'a.png': await pngWith(300, [tEXt('parameters', 'uploaded\nSteps: 1, Seed: 1')]) }),
  )
  const send = (query: string, part: Buffer) =>
    fetch(`${app.url}/api/imports/upload?${query}`, {
      method: 'POST',
      headers: { ...admin, 'content-type': 'application/octet-stream' },
      body: new Uint8Array(part),
    })
  const first = (await (await send('name=mine.zip', bytes.subarray(0, 100))).json()) as {
    upload: string
    bytes: number
  }
  expect(first.bytes).toBe(100)
  expect((await send(`upload=${first.upload}&offset=150`, bytes.subarray(150))).status).toBe(409)
  await send(`upload=${first.upload}&offset=100`, bytes.subarray(100))
  // Sent again, because the answer was lost.
  expect(await (await send(`upload=${first.upload}&offset=100`, bytes.subarray(100))).json()).toMatchObject({
    bytes: bytes.length,
  })

  const { record } = await run({ upload: first.upload })

  expect(record).toMatchObject({ name: 'mine.zip', is_upload: true, imported: 1 })
  symlinkSync('/etc', path.join(folder, 'etc'))
  for (const place of ['..', '../..', '/etc', 'etc', 'nowhere', 'a\\b']) {
    expect((await app.call('POST', '/api/imports', { path: place }, admin)).status, place).toBe(404)
    const listed = await app.call('GET', `/api/imports/folder?path=${encodeURIComponent(place)}`, undefined, admin)
    expect(listed.status, place).toBe(404)
  }
  const { body: listing } = await app.call('GET', '/api/imports/folder?path=peers', undefined, admin)
  expect(listing.items.map((one: { name: string; kind: string }) => [one.name, one.kind])).toEqual([
    ...[
      ['invokeai', 'folder'],
      ['nova.zip', 'archive'],
      ['playground.zip', 'archive'],
    ],
  ])

  const made = await app.call('POST', '/api/tokens', { name: 'design' }, admin)
  const member = { authorization: `Bearer ${made.body.token}` }
  expect((await app.call('GET', '/api/imports', undefined, member)).status).toBe(403)
  await app.generate({ prompt: 'of the member', model: 'doubao-seedream-4-0-20260415' }, member)
  const archive = await fetch(`${app.url}/api/export`, { headers: member })
  const files = unzipSync(new Uint8Array(await archive.arrayBuffer()))
  expect(JSON.parse(Buffer.from(files['export.json']!).toString())).toMatchObject({ pictures: 1, missing: [] })
  const [picture] = await find('q=uploaded')
  const chosen = await app.call('POST', '/api/export', { ids: [picture!.images[0]!.id] }, member)
  expect(strToU8(String(chosen.body)).length).toBeGreaterThan(0)
  const own = await fetch(`${app.url}/api/export?provider=gpt-image-playground`, { headers: admin })
  const exported = unzipSync(new Uint8Array(await own.arrayBuffer()))
  expect(Object.keys(exported).filter(name => name.startsWith('2026/04/'))).toHaveLength(6)
  expect(Object.keys(exported).filter(name => name.startsWith('references/'))).toHaveLength(2)
})

test('one is paused, continued and stopped while pictures are made; a second waits its turn, and a deleted one comes back', async () => {
  for (let index = 0; index < 60; index++) put(`many/${index}.png`, await pngWith(400 + index, []))
  const { body: started } = await app.call('POST', '/api/imports', { path: 'many', tags: ['many'] }, admin)
  const change = (state: string) => app.call('PATCH', `/api/imports/${started.id}`, { state }, admin)
  const second = await app.call('POST', '/api/imports', { path: 'each' }, admin)
  const paused = await change('paused')

  if (paused.status === 200) {
    expect(second.status).toBe(409)
    expect(paused.body.state).toBe('paused')
    await app.generate({ prompt: 'meanwhile', model: 'doubao-seedream-4-0-20260415' }, admin)
    expect((await change('stopped')).body.state).toBe('stopped')
    expect((await change('running')).body.state).toBe('running')
  }
  const record = await ended(started)

  expect(record).toMatchObject({ state: 'done', left_out: 0 })
  const all = await find('tag=many')
  expect(all).toHaveLength(60)
  // Deleted, and imported again: it is there once more, and so is its file.
  const [one] = all
  expect((await app.call('DELETE', `/api/history/${one!.id}`, undefined, admin)).status).toBe(204)
  expect((await run({ path: 'many' })).record).toMatchObject({ imported: 1, already: 59 })
  const [back] = (await find('provider=files')).filter(({ images }) => images[0]?.sha256 === one!.images[0]!.sha256)
  expect(await fetch(`${app.url}${back!.images[0]!.url}`, { headers: admin })).toMatchObject({ status: 200 })
  expect(findViolationsOnDisk(app.dataDir)).toEqual([])
  await app.restart()
  const { body: list } = await app.call('GET', '/api/imports', undefined, admin)
  expect(list.items.length).toBeGreaterThan(5)
  expect(list.items[0]).toMatchObject({ state: 'done', imported: 1 })
  expect(list.sources).toContainEqual({ id: 'comfyui', name: 'ComfyUI' })
})
