/**
 * The ledger: every step of a generation is a named transaction with plain data in and plain data out, so steps are grouped in one commit
 * where that helps, and could be made in another thread or carry a fencing token. Nothing outside of storage holds a transaction open.
 */
import type { Connection, Database } from '../connection.ts'
import { isOwner, OwnershipLost } from '../ownership.ts'
import { inTransaction } from '../transaction.ts'
import { databaseTrouble } from '../trouble.ts'
import * as callSteps from './call-steps.ts'
import { create, Undone } from './create.ts'
import * as generationSteps from './generation-steps.ts'
import { createGroups, type Job } from './groups.ts'
import * as importSteps from './import-steps.ts'

const steps = { create, ...callSteps, ...generationSteps, ...importSteps }
type Steps = typeof steps

/** What only the one server of a database may do: send what is paid for, and decide what became of it. @throws OwnershipLost */
const ownerSteps: ReadonlySet<string> = new Set<keyof Steps>(['create', 'send', 'revive', 'confirmOwner'])

/**
 * What becomes durable with a later step, or before a client is told of it: `create` with `send`, a picture's row (its file is in place and
 * tells by its name whose it is), an imported picture with the report of its import, and a settled call with `finish`. Whoever removes waits before files are removed.
 */
const laterDurable: ReadonlySet<string> = new Set<keyof Steps>([
  'create',
  'move',
  'storeImage',
  'importPicture',
  'settle',
  'note',
  'remove',
  'isWritten',
  'confirmOwner',
])

/**
 * What a step has returned survives a power cut, but for those above. A step is made again where it is certain that nothing of it counts,
 * and changes nothing when it is made twice with the same data.
 * @throws CommitUnknown when it is unknown whether it was committed; LedgerError when the state of the call does not allow it
 */
export type Ledger = {
  [Name in keyof Steps]: Steps[Name] extends (db: Connection, step: infer Step) => infer Result
    ? unknown extends Step
      ? () => Result
      : (step: Step) => Result
    : never
}

export interface LedgerOfDatabase {
  ledger: Ledger
  /** False once it has shown that another server has the database, or that its file is not the one that was opened. */
  isOurs(): boolean
}

interface StepJob extends Job {
  name: keyof Steps
  step: unknown
}

export function createLedger(
  database: Pick<Database, 'kysely'> & Partial<Pick<Database, 'kind' | 'owner' | 'mustBeOurs' | 'whenDurable'>>,
): LedgerOfDatabase {
  let isLost = false
  const groups = createGroups<StepJob>(makeTogether)

  /** After losing the database once, this process may have missed changes. */
  async function findLoss(connection: Connection): Promise<OwnershipLost | undefined> {
    try {
      database.mustBeOurs?.()
    } catch (error) {
      if (error instanceof OwnershipLost) return error
      throw error
    }
    isLost ||= !(database.owner && (await isOwner(connection, database.owner)))
    return isLost ? new OwnershipLost() : undefined
  }

  /** A step that throws rolls back the whole group; each is then made in a transaction of its own. */
  async function makeTogether(jobs: readonly StepJob[]): Promise<void> {
    let ends: (() => void)[]
    try {
      ends = await inTransaction(database.kysely, async transaction => {
        const made: (() => void)[] = []
        // The owner of the database cannot change before the transaction ends, so one check is enough for all.
        const loss = jobs.some(({ name }) => ownerSteps.has(name)) ? await findLoss(transaction) : undefined
        for (const { name, step, resolve, reject } of jobs) {
          if (loss && ownerSteps.has(name)) {
            made.push(() => reject(loss))
            continue
          }
          const result = await steps[name](transaction, step as never)
          made.push(() => resolve(result))
        }
        return made
      })
    } catch (error) {
      if (jobs.length === 1 && error instanceof Undone) return jobs[0]!.resolve(error.result)
      if (jobs.length === 1 || databaseTrouble(error) !== undefined) throw error
      for (const job of jobs) await makeTogether([job]).catch(job.reject)
      return
    }
    for (const end of ends) end()
  }

  async function make(name: keyof Steps, step: unknown): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const job = { name, step, resolve, reject }
    // Connections of PostgreSQL commit beside each other, and share their syncs there.
    if (database.kind === 'sqlite') groups.add(job)
    else makeTogether([job]).catch(reject)
    const result = await promise
    if (!laterDurable.has(name)) await database.whenDurable?.()
    return result
  }

  const names = Object.keys(steps) as (keyof Steps)[]
  return {
    ledger: Object.fromEntries(names.map(name => [name, (step: unknown) => make(name, step)])) as unknown as Ledger,
    isOurs() {
      try {
        database.mustBeOurs?.()
        return !isLost
      } catch {
        return false
      }
    },
  }
}
