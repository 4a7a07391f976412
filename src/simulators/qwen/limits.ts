/** How often the simulated DashScope is asked, and by whom too often. */
import { namedRefusal } from '../refusal.ts'
import type { QwenModel } from './models.ts'
import { refusals } from './refusals.ts'

/** Looks, lists and cancels: 20 a second each, per main account (DashScope documentation). */
const questionsPerSecond = 20

/** The windows shrink with `timeScale`. */
export function createLimits(isOn: boolean, timeScale: number) {
  const seen = new Map<string, number[]>()
  const scale = timeScale > 0 ? timeScale : 1

  function isOver(name: string, max: number, windowSeconds: number): boolean {
    const from = Date.now() - windowSeconds * 1000 * scale
    const recent = (seen.get(name) ?? []).filter(at => at > from)
    const over = recent.length >= max
    if (!over) recent.push(Date.now())
    seen.set(name, recent)
    return over
  }

  return {
    /** @throws Refusal 429 */
    submit(account: string, model: QwenModel, unfinished: number) {
      if (!isOn) return
      const { submits, windowSeconds, tasks } = model.rate
      if (tasks !== undefined && unfinished >= tasks) throw namedRefusal(refusals, 'many-tasks')
      if (isOver(`submit ${account} ${model.id}`, submits, windowSeconds)) throw namedRefusal(refusals, '429')
    },
    /** @throws Refusal 429 */
    question(kind: 'look' | 'list' | 'cancel', account: string) {
      if (isOn && isOver(`${kind} ${account}`, questionsPerSecond, 1)) throw namedRefusal(refusals, 'many-questions')
    },
  }
}
