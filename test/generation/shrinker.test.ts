/** The process that makes thumbnails: what happens when it ends, and when nobody needs it. */
import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createShrinker } from '../../src/images/shrinker.ts'

let folder: string
let picture: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'webimgui-shrinker-'))
  picture = path.join(folder, 'a.png')
  await sharp({ create: { width: 300, height: 200, channels: 3, background: '#336699' } }).toFile(picture)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** `started` is told of each process; all of them are in `children`. */
function open(options: { idleMs?: number; started?(child: ChildProcess): void } = {}) {
  const children: ChildProcess[] = []
  const shrinker = createShrinker({
    ...options,
    started(child) {
      children.push(child)
      options.started?.(child)
    },
  })
  onTestFinished(() => shrinker.close())
  return { shrinker, children }
}

test('it survives the signals of its group and a file that is no picture, and ends with its owner', async () => {
  const { shrinker, children } = open()
  const [small] = await shrinker.shrink(picture, [100])
  children[0]?.kill('SIGINT')
  children[0]?.kill('SIGTERM')

  await expect(shrinker.shrink(path.join(folder, 'none.png'), [100])).rejects.toThrow()
  const again = await shrinker.shrink(picture, [100, 50])
  await shrinker.close()

  expect(await sharp(small).metadata()).toMatchObject({ format: 'webp', width: 100, height: 67 })
  expect(again).toHaveLength(2)
  expect(children).toHaveLength(1)
  expect(children[0]?.exitCode).toBe(0)
})

test('a picture is tried again when it was killed, twice in all, and the next picture has another process', async () => {
  let killed = 1
  const { shrinker, children } = open({ started: child => killed-- > 0 && child.kill('SIGKILL') })

  expect(await shrinker.shrink(picture, [100])).toHaveLength(1)
  expect(children).toHaveLength(2)

  killed = 2
  children[1]?.kill('SIGKILL')
  await once(children[1]!, 'exit')
  await expect(shrinker.shrink(picture, [100])).rejects.toThrow('has ended')
  expect(await shrinker.shrink(picture, [100])).toHaveLength(1)
  expect(children).toHaveLength(5)
})

test('it ends when nothing is asked, and another begins when something is', async () => {
  const { shrinker, children } = open({ idleMs: 0 })
  await shrinker.shrink(picture, [100])
  if (children[0]?.exitCode === null) await once(children[0], 'exit')

  expect(await shrinker.shrink(picture, [100])).toHaveLength(1)
  expect(children).toHaveLength(2)
})

test('its owner goes on after closing it, also when nothing else keeps that running', () => {
  const source = `const { createShrinker } = await import(process.argv[1])
const shrinker = createShrinker()
await shrinker.shrink(process.argv[2], [100])
await shrinker.close()
console.log('closed')`
  const module = new URL('../../src/images/shrinker.ts', import.meta.url).href

  const said = execFileSync(process.execPath, ['--input-type=module', '-e', source, module, picture])

  expect(said.toString()).toBe('closed\n')
})

test('where no process can be started, this one does its work', async () => {
  const { execPath } = process
  onTestFinished(() => {
    process.execPath = execPath
  })
  process.execPath = path.join(folder, 'none')
  const { shrinker, children } = open()

  expect(await shrinker.shrink(picture, [100])).toHaveLength(1)
  expect(children).toHaveLength(0)
})
