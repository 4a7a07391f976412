import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createAnswers } from '../../src/storage/answers.ts'
import { Condenser, findCutText } from '../../src/storage/condense.ts'

/** Long enough to be taken out. */
const long = (character: string) => character.repeat(70_000)

/** As it comes from a connection: in pieces of `step` bytes. */
function condensed(text: string, step: number) {
  const bytes = Buffer.from(text)
  const condenser = new Condenser()
  const pieces: Buffer[] = []
  for (let index = 0; index < bytes.length; index += step)
    pieces.push(condenser.push(bytes.subarray(index, index + step)))
  return Buffer.concat([...pieces, condenser.end()]).toString()
}

const bodies: [string, unknown][] = [
  [
    'a picture among small things',
    { created: 1, data: [{ b64_json: long('A'), name: '水墨 "quoted" \\' }], usage: { n: 1 } },
  ],
  ['several pictures', { data: [{ b64_json: long('A') }, { b64_json: long('B') }] }],
  ['quotes and backslashes in what is long', { text: `${long('x"')}\\\\" ${long('\\')}` }],
  ['what is neither ASCII nor short', { text: long('图') }],
  ['nothing long', { text: 'short', list: ['a', '\\', '"'] }],
]

test.each(bodies)('%s: every string can be had again, however the bytes come', async (_what, body) => {
  const text = JSON.stringify(body)
  const folder = await mkdtemp(path.join(tmpdir(), 'webimgui-condense-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(path.join(folder, 'x.stream.txt'), text)
  const answers = createAnswers(folder)

  for (const step of [1, 2, 3, 1000, 65_536, text.length * 4]) {
    const small = condensed(text, step)
    expect(small.length).toBeLessThan(10_000)
    expect(await answers.read('x.stream.txt')).toBe(small)
    expect(await restored(JSON.parse(small))).toEqual(body)
  }

  async function restored(value: unknown): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map(restored))
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).map(async ([name, member]) => [name, await restored(member)] as const)
      return Object.fromEntries(await Promise.all(members))
    }
    const place = typeof value === 'string' ? findCutText(value) : undefined
    if (!place) return value
    const pieces: string[] = []
    for await (const piece of (await answers.openString('x.stream.txt', place))!) pieces.push(piece)
    return pieces.join('')
  }
})

test('what was cut in a long string ends in its beginning, and events keep their ends', () => {
  const event = (name: string) => `event: image\ndata: {"b64_json":"${long(name)}"}\n\n`

  const cut = condensed(`{"data":[{"b64_json":"${long('A')}`, 1000)
  const stream = condensed(`${event('A')}: an apostrophe's quote " alone\n\n${event('B')}`, 777)

  expect(cut).toMatch(/^\{"data":\[\{"b64_json":"A{2048}$/)
  expect(stream.match(/^data: .*"\}$/gm)).toHaveLength(2)
  expect(stream).toContain(': an apostrophe\'s quote " alone\n\n')
  expect(stream.length).toBeLessThan(5000)
})
