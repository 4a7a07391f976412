/**
 * The real program with an ear for its test: it can be told to hold every new generation at a point of its path, where it is then
 * killed. The program itself has no such switch; this entry hands the hook in.
 *
 * Words on the command line, all optional: `timeScale=0.01` shortens every pause; `dies=settled:2` kills the process by itself at that
 * occurrence of a point, counted over all generations; `clock=-86400000` starts with a clock that is so many ms off.
 */
import { flushCompileCache } from 'node:module'
import { startProcess } from '../../src/commands/process.ts'
import type { Failpoint, ImportFailpoint, Reached } from '../../src/coordination/failpoints.ts'
import { setClock } from './clock.ts'

/** `release`: what stands still goes on. */
export type Instruction =
  | { hold: { point: Failpoint | ImportFailpoint; from: number } | null; release?: boolean }
  | { clock: number }
type Hold = Extract<Instruction, { hold: unknown }>['hold']
export type Report =
  | { type: 'listening'; address: string }
  | { type: 'ready' }
  | { type: 'held'; generationId: string; occurrence: number }

const words = new Map(process.argv.slice(2).map(word => word.split('=', 2) as [string, string]))
const [deadlyPoint, deadlyCount = '1'] = words.get('dies')?.split(':') ?? []
let deadly = 0
let hold: Hold = null
const held: (() => void)[] = []
let passed = new Map<string, number>()

const reached: Reached = (point, generationId) => {
  if (point === deadlyPoint && ++deadly === Number(deadlyCount)) process.kill(process.pid, 'SIGKILL')
  if (point !== hold?.point) return
  const occurrence = (passed.get(generationId) ?? 0) + 1
  passed.set(generationId, occurrence)
  if (occurrence < hold.from) return
  report({ type: 'held', generationId, occurrence })
  return new Promise(resolve => held.push(resolve))
}

process.on('message', (instruction: Instruction) => {
  if ('clock' in instruction) {
    setClock(instruction.clock)
    return report({ type: 'ready' })
  }
  hold = instruction.hold
  passed = new Map()
  if (instruction.release) for (const goOn of held.splice(0)) goOn()
  report({ type: 'ready' })
})

if (words.has('clock')) setClock(Number(words.get('clock')))
const { address } = await startProcess({ overrides: { timeScale: Number(words.get('timeScale') ?? 0.01), reached } })
// What it has compiled serves the next start, which is left out by a process that is killed.
flushCompileCache()
report({ type: 'listening', address })

function report(message: Report) {
  process.send?.(message)
}
