/** Makes each mutation in a copy of the program, and looks for the first seed whose history shows it. */
import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { History } from './history.ts'
import { type Mutation, mutations } from './mutations.ts'
import { workerFlags } from './worker-flags.ts'

const root = path.join(import.meta.dirname, '..')

/** True when each is found within so many seeds. Prints the rows of the table in docs/recovery.md. */
export async function mutate({ seeds, jobs, only }: { seeds: number; jobs: number; only: string | undefined }) {
  const wanted = mutations.filter(({ name }) => only === undefined || name.includes(only))
  const queue = [...wanted]
  let missed = 0
  const take = async () => {
    for (let mutation = queue.shift(); mutation; mutation = queue.shift()) {
      const found = await findFirst(mutation, seeds)
      if (!found) missed++
      const shown = found ? `${found.seed} | ${found.violations[0]?.split('\n')[0]?.slice(0, 110)}` : '– | not found'
      console.log(`| ${mutation.name} | ${mutation.file} | ${shown} |`)
    }
  }
  await Promise.all(Array.from({ length: jobs }, take))
  console.log(`${wanted.length - missed} of ${wanted.length} mutations were found within ${seeds} seeds`)
  return missed === 0
}

async function findFirst({ name, file, from, to }: Mutation, seeds: number): Promise<History | undefined> {
  const copy = await mkdtemp(path.join(tmpdir(), 'webimgui-mutation-'))
  try {
    for (const folder of ['src', 'simulation', 'test/support'])
      await cp(path.join(root, folder), path.join(copy, folder), {
        recursive: true,
        filter: source => !source.includes(`${path.sep}studio`),
      })
    for (const name of ['package.json', 'tsconfig.json']) await cp(path.join(root, name), path.join(copy, name))
    await symlink(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
    await mkdir(path.join(copy, 'dist'))
    const place = path.join(copy, 'src', file)
    const text = await readFile(place, 'utf8')
    if (text.split(from).length !== 2) throw new Error(`"${name}" does not fit ${file} any more`)
    await writeFile(
      place,
      text.replace(from, () => to),
    )
    return await firstViolation(copy, seeds)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

async function firstViolation(copy: string, seeds: number): Promise<History | undefined> {
  const words = ['--worker', '--stop', '--seeds', String(seeds)]
  const program = path.join(copy, 'simulation', 'simulate.ts')
  const child = spawn(process.execPath, [...workerFlags, program, ...words], {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let last = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const history = JSON.parse(line) as History
    last = history.seed
    if (history.violations.length > 0) {
      child.kill()
      return history
    }
  }
  if (child.exitCode === null) await new Promise(resolve => child.once('exit', resolve))
  if (child.exitCode === 0) return undefined
  return { seed: last + 1, trace: '', story: [], violations: ['the program ran wild'] }
}
