/**
 * Looks for the task of a submit whose answer was lost. It is adopted only if the service lists exactly one task that no row knows, and
 * no other submit of that time was lost.
 */
import { credentialsOrSettle } from './credentials.ts'
import { findProvider, type OpenCall, throwIfStopping } from './open.ts'
import { accept } from './task.ts'
import { wait } from './until-stored.ts'

/** Allowed difference between the service's clock and ours. */
const clockSkewMs = 60_000
/** Empty reads of the list before giving up: a new task may appear in it a little late. */
const maxEmptyLooks = 3
/** Reads in all, including failed ones: together about five minutes. */
const maxLooks = 10

/** False when nothing was adopted: no task is certainly its own. */
export async function adoptOrphan(call: OpenCall): Promise<boolean> {
  const { parts, record } = call
  const provider = findProvider(call)
  const sentAt = Date.parse(record.sentAt ?? '')
  const context = provider.findTasks && !Number.isNaN(sentAt) ? await credentialsOrSettle(call) : undefined
  if (!provider.findTasks || !context) return call.record.state === 'settled'
  parts.underWay.delete(record.id)
  const window = { from: new Date(sentAt - clockSkewMs), to: new Date(sentAt + clockSkewMs + record.timeoutMs) }
  let emptyLooks = 0
  for (let looks = 1; looks <= maxLooks; looks++) {
    const found = await provider.findTasks({ model: record.model, route: record.route, ...window }, context)
    if (found === null) return false
    const others = await countCandidates(call, window)
    if (others.lost > 0) return false
    // While another submit is in flight, an unknown task may be that one's.
    if (found && others.underWay === 0) {
      const known = await parts.store.calls.knownTaskIds()
      const orphans = found.filter(id => !known.has(id))
      const [orphan] = orphans
      if (orphans.length > 1) return false
      if (orphan) {
        await accept(call, { taskId: orphan, wasFound: true })
        call.log.warn({ task: orphan }, 'a task whose id was lost was found in the list of the service')
        return true
      }
      if (++emptyLooks >= maxEmptyLooks) return false
    }
    await wait(call, parts.pauses.poll(Math.min(60_000, 1_000 * 2 ** looks)), parts.stopping)
    throwIfStopping(call)
  }
  return false
}

/** Other submits of that time which could have made a task that nobody knows. Two configurations may be one account. */
async function countCandidates({ parts, record }: OpenCall, window: { from: Date; to: Date }) {
  const { provider, model, id } = record
  const others = (await parts.store.calls.withoutAnswer(provider, model, window)).filter(other => other.id !== id)
  const lost = others.filter(({ id, state }) => state === 'settled' || !parts.underWay.has(id)).length
  return { lost, underWay: others.length - lost }
}
