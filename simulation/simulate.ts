/**
 * Days that never were, one for each seed: `npm run simulate -- --seeds 1000`. The real core runs in a world whose time, network, disk and
 * crashes come from the seed. Ends with 1 when a history broke a promise, and prints its story.
 *
 * `--mutations` looks for the faults of `mutations.ts` instead, `--only` for those whose name holds this.
 *
 * `--seeds` how many (100), `--from` the first (1), `--seed` one alone with its story, `--traces` prints a hash of each, `--jobs` processes.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { History } from './history.ts'
import { workerFlags } from './worker-flags.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    traces: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    worker: { type: 'boolean', default: false },
    step: { type: 'string', default: '1' },
    stop: { type: 'boolean', default: false },
    mutations: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})

if (values.seed !== undefined) await tellOne(Number(values.seed))
else if (values.mutations) await findMutations()
else if (values.worker) await work()
else await workTogether()

async function findMutations() {
  const { mutate } = await import('./mutate.ts')
  const { seeds = '20000', jobs, only } = values
  process.exitCode = (await mutate({ seeds: Number(seeds), jobs: Number(jobs), only })) ? 0 : 1
}

async function load(options: { isTold?: boolean } = {}) {
  const { install } = await import('./world/install.ts')
  install(options)
  return import('./history.ts')
}

async function tellOne(seed: number) {
  const { live } = await load({ isTold: true })
  const { story, violations, trace } = await live(seed, { isTold: true })
  console.log(story.join('\n'))
  console.log(violations.length === 0 ? `seed ${seed}: every promise was kept (${trace})` : '')
  for (const violation of violations) console.log(`seed ${seed}: ${violation}`)
  process.exit(violations.length === 0 ? 0 : 1)
}

/** Every n-th seed, a line for each. */
async function work() {
  const { live } = await load()
  const [from, count, step] = [Number(values.from), Number(values.seeds ?? 100), Number(values.step)]
  for (let seed = from; seed < from + count; seed += step) {
    const { story: _, ...history } = await live(seed)
    const isWritten = process.stdout.write(`${JSON.stringify(history)}\n`)
    if (!isWritten) await new Promise(resolve => process.stdout.once('drain', resolve))
    if (values.stop && history.violations.length > 0) break
  }
  process.exit(0)
}

async function workTogether() {
  const [from, count, jobs] = [Number(values.from), Number(values.seeds ?? 100), Number(values.jobs)]
  const beganAt = performance.now()
  const failed: History[] = []
  let done = 0
  const runs = Array.from({ length: Math.min(jobs, count) }, async (_, index) => {
    const words = ['--worker', '--from', String(from + index), '--seeds', String(count - index), '--step', String(jobs)]
    const child = spawn(process.execPath, [...workerFlags, import.meta.filename, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const line of createInterface({ input: child.stdout })) {
      const history = JSON.parse(line) as History
      done++
      if (values.traces) console.log(`${history.seed} ${history.trace}`)
      if (history.violations.length === 0) continue
      failed.push(history)
      console.log(`seed ${history.seed}: ${history.violations.join('\n  ')}`)
    }
    if (child.exitCode === null) await new Promise(resolve => child.once('exit', resolve))
    if (child.exitCode !== 0) throw new Error(`a process of the simulation ended with ${child.exitCode}`)
  })
  await Promise.all(runs)
  const minutes = (performance.now() - beganAt) / 60_000
  console.log(`${done} histories, ${failed.length} of them broke a promise; ${Math.round(done / minutes)} a minute`)
  if (failed[0]) console.log(`Its story: npm run simulate -- --seed ${failed[0].seed}`)
  process.exitCode = failed.length === 0 && done === count ? 0 : 1
}
