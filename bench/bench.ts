/**
 * What the program costs beside the floors (bench/floor.ts), in one interleaved run: only ratios travel between machines.
 *
 *   npm run bench                      about five minutes
 *   npm run bench -- --short           under a minute; ends with an error when a ratio is beyond bench/limits.json
 *   npm run bench -- --rows 1000000    also a long history
 *   npm run bench -- --write           also puts the table into bench/README.md
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { countSteps } from './count.ts'
import { askDirectly, generate, load, median, readProcess, withPool } from './load.ts'
import { type Program, startProgram, startService, type Target } from './programs.ts'
import { measureRows } from './rows.ts'

const { values: wanted } = parseArgs({
  options: { short: { type: 'boolean' }, write: { type: 'boolean' }, rows: { type: 'string' } },
})
const isShort = wanted.short ?? false
const targets: Target[] = isShort ? ['floor-safe', 'webimgui'] : ['floor-safe', 'floor-store', 'webimgui']
const rounds = isShort ? 2 : 3
const cellMs = isShort ? 1_200 : 3_000
const kib64 = { bytes: 64 * 1024, ms: 0 }
const mib2 = { bytes: 2 * 1024 * 1024, ms: 0 }
const mib8 = { bytes: 8 * 1024 * 1024, ms: isShort ? 500 : 2_000 }
const atOnce = isShort ? 50 : 200
const mib = 1024 * 1024

type Row = Partial<Record<Target, number[]>>
const table = new Map<string, Row>()

function note(measure: string, target: Target, value: number | undefined) {
  if (value === undefined || !Number.isFinite(value)) return
  const row = table.get(measure) ?? {}
  table.set(measure, row)
  const values = row[target] ?? []
  values.push(value)
  row[target] = values
}

const service = await startService()
await measureStarts()
await measureRequests()
for (const target of targets) await measureMemory(target)
if (wanted.rows) {
  for (const target of targets) {
    const times = await measureRows(target, Number(wanted.rows), service.origin)
    for (const [name, ms] of Object.entries(times)) note(`${wanted.rows} rows: ${name}, ms`, target, ms)
  }
}
const steps = await countSteps(service.origin)
service.stop()

const report = describe()
console.log(report)
if (wanted.write) writeTable()
const faults = isShort ? findRegressions() : []
for (const fault of faults) console.error(fault)
process.exit(faults.length > 0 ? 1 : 0)

// ── Measuring ───────────────────────────────────────────────────────────────────────────────────────────────────────

async function measureStarts() {
  // What is compiled at the first start serves the later ones.
  for (let round = -1; round < rounds; round++) {
    for (const target of targets) {
      const program = await startProgram(target, { service: service.origin })
      if (round >= 0) {
        note('start, ms', target, program.startMs)
        note('memory after the start, MiB', target, inMib(readProcess(program.pid)?.bytes))
      }
      await program.stop()
    }
  }
}

async function measureRequests() {
  const programs = new Map<Target, Program>()
  for (const target of targets) {
    const program = await startProgram(target, { service: service.origin })
    for (const order of [kib64, mib2]) await load(program.origin, { connections: 16, ms: cellMs / 3, order })
    program.pause()
    programs.set(target, program)
  }
  const alone = async (target: Target, work: (program: Program) => Promise<void>) => {
    const program = programs.get(target)!
    program.resume()
    await work(program)
    program.pause()
  }
  for (let round = 0; round < rounds; round++) {
    for (const connections of [16, 64]) {
      for (const target of targets) {
        await alone(target, async ({ origin, pid }) => {
          const before = readProcess(pid)?.cpu
          const { perSecond, done } = await load(origin, { connections, ms: cellMs, order: kib64 })
          const after = readProcess(pid)?.cpu
          note(`64 KiB at ${connections} connections, requests/s`, target, perSecond)
          const isCounted = connections === 16 && before !== undefined && after !== undefined
          if (isCounted) note('processor time a request at 16, µs', target, (after - before) / done)
        })
      }
    }
    for (const target of targets) {
      await alone(target, async ({ origin }) => {
        const { perSecond } = await load(origin, { connections: 16, ms: cellMs, order: mib2 })
        note('2 MiB at 16 connections, images/s', target, perSecond)
      })
      await alone(target, async ({ origin }) =>
        note('added latency at one connection, ms', target, await addedMs(origin)),
      )
    }
  }
  for (const program of programs.values()) await program.stop()
}

/** Of neighbours: straight to the service and through the program, by turns. */
async function addedMs(origin: string) {
  const differences: number[] = []
  await withPool(origin, 1, through =>
    withPool(service.origin, 1, async direct => {
      const until = performance.now() + cellMs / 2
      while (performance.now() < until) {
        const one = await timed(() => generate(through, kib64))
        differences.push(one - (await timed(() => askDirectly(direct, kib64))))
      }
    }),
  )
  return median(differences)
}

async function timed(work: () => Promise<void>) {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** By how much it grows while many large images come at once. */
async function measureMemory(target: Target) {
  const program = await startProgram(target, { service: service.origin })
  await load(program.origin, { connections: 4, ms: 500, order: kib64 })
  const before = readProcess(program.pid)?.bytes
  let most = before ?? Number.NaN
  const watch = setInterval(() => {
    most = Math.max(most, readProcess(program.pid)?.bytes ?? Number.NaN)
  }, 50)
  const took = await timed(() =>
    withPool(program.origin, atOnce, async pool => {
      await Promise.all(Array.from({ length: atOnce }, () => generate(pool, mib8)))
    }),
  )
  clearInterval(watch)
  note(`${atOnce} × 8 MiB at once, s`, target, took / 1000)
  note(`${atOnce} × 8 MiB at once, growth in MiB`, target, inMib(before === undefined ? undefined : most - before))
  if (!isShort) {
    await sleep(15_000)
    note('memory a quarter of a minute after that, MiB', target, inMib(readProcess(program.pid)?.bytes))
  }
  await program.stop()
}

function inMib(bytes: number | undefined) {
  return bytes === undefined ? undefined : bytes / mib
}

// ── The table ───────────────────────────────────────────────────────────────────────────────────────────────────────

function ratioOf(row: Row) {
  return median(row.webimgui ?? []) / median(row['floor-safe'] ?? [])
}

function describe() {
  const [cpu] = cpus()
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`
  const machine = `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${memory}, Node ${process.version.slice(1)}`
  const cell = (values: number[] | undefined) => (values ? format(median(values)) : '–')
  const lines = [...table].map(([measure, row]) => {
    const cells = targets.map(target => cell(row[target]))
    const ratio = row.webimgui && row['floor-safe'] ? ratioOf(row).toFixed(2) : '–'
    return `| ${[measure, ...cells, ratio].join(' | ')} |`
  })
  return [
    `${new Date().toISOString().slice(0, 10)}, ${machine}; medians of ${rounds} rounds.`,
    '',
    `| | ${targets.join(' | ')} | ratio to floor-safe |`,
    `|---|${'---|'.repeat(targets.length + 1)}`,
    ...lines,
    '',
    `A generation of one image: ${steps.statements} statements, ${steps.commits} commits, ${steps.syncs} waits for the disk beside those of SQLite.`,
  ].join('\n')
}

function format(value: number) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function writeTable() {
  const file = path.join(import.meta.dirname, 'README.md')
  const marked = /(<!-- measured -->\n)[\s\S]*?(<!-- end -->)/
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(marked, (_all, begin, end) => `${begin}\n${report}\n\n${end}`),
  )
}

/** Ratios are compared, and what is counted. */
function findRegressions() {
  const limits = JSON.parse(readFileSync(path.join(import.meta.dirname, 'limits.json'), 'utf8')) as Record<
    string,
    { least?: number; most?: number }
  >
  return Object.entries(limits).flatMap(([measure, { least, most }]) => {
    const row = table.get(measure)
    // Without `/proc` some are not known.
    if (!row?.webimgui || !row['floor-safe']) return []
    const ratio = ratioOf(row)
    const isBeyond = (least !== undefined && ratio < least) || (most !== undefined && ratio > most)
    const limit = least === undefined ? `at most ${most}` : `at least ${least}`
    return isBeyond ? [`REGRESSION: ${measure}: ${ratio.toFixed(2)} of the floor's, and it was to be ${limit}`] : []
  })
}
