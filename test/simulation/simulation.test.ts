/** Two thousand days that never were, on the real core; `npm run simulate` lives through as many as one likes. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { mutations } from '../../simulation/mutations.ts'
import { maxWaitMs } from '../support/patience.ts'

const program = path.join(import.meta.dirname, '../../simulation/simulate.ts')

/** What it prints; a history that broke a promise makes it fail with its words. */
async function simulate(...words: string[]) {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...words], { maxBuffer: 2 ** 26 }).catch(
    (error: { stdout?: string; stderr?: string }) => {
      throw new Error(`${error.stdout}${error.stderr}`)
    },
  )
  return stdout
}

let traces: string[] = []

function readTraces(text: string) {
  return text.split('\n').filter(line => /^\d+ [0-9a-f]+-[0-9a-f]{8}$/.test(line))
}

test('no history breaks a promise', { timeout: 20 * maxWaitMs }, async () => {
  const told = await simulate('--seeds', '2000', '--traces')

  expect(told).toContain('2000 histories, 0 of them broke a promise')
  traces = readTraces(told)
})

test('a seed is one history to the byte, in whatever process and company', { timeout: 4 * maxWaitMs }, async () => {
  const apart = readTraces(await simulate('--seeds', '60', '--traces', '--jobs', '1'))

  expect(apart).toHaveLength(60)
  expect(traces.filter(line => Number(line.split(' ')[0]) <= 60).toSorted()).toEqual(apart.toSorted())
  expect(new Set(apart.map(line => line.split(' ')[1])).size).toBe(60)
  const [seed, trace] = apart[30]!.split(' ')
  expect(await simulate('--seed', seed!)).toContain(`(${trace})`)
})

test('every mutation of the list fits the program', async () => {
  const misfits = await Promise.all(
    mutations.map(async ({ name, file, from }) => {
      const text = await readFile(path.join(import.meta.dirname, '../../src', file), 'utf8')
      return text.split(from).length === 2 ? [] : [name]
    }),
  )

  expect(misfits.flat()).toEqual([])
  expect(mutations.length).toBeGreaterThanOrEqual(25)
})
