/**
 * The ledger: every step of a generation is a named transaction with plain data in and plain data out, so a step could be grouped with
 * others in one commit, be made in another thread, or carry a fencing token. Nothing outside of storage holds a transaction open.
 */
import type { Connection, Database } from '../connection.ts'
import { isOwner, OwnershipLost } from '../ownership.ts'
import { inTransaction } from '../transaction.ts'
import * as callSteps from './call-steps.ts'
import { create, Undone } from './create.ts'
import * as generationSteps from './generation-steps.ts'

const steps = { create, ...callSteps, ...generationSteps }
type Steps = typeof steps

/** What only the one server of a database may do: send what is paid for, and decide what became of it. @throws OwnershipLost */
const ownerSteps: ReadonlySet<string> = new Set<keyof Steps>(['create', 'send', 'revive', 'confirmOwner'])

/**
 * What becomes durable with a later step, or before a client is told of it: `create` with `send`, a picture's row (its file is in place and
 * tells by its name whose it is) and a settled call with `finish`.
 */
const laterDurable: ReadonlySet<string> = new Set<keyof Steps>([
  'create',
  'move',
  'storeImage',
  'settle',
  'note',
  'isWritten',
  'confirmOwner',
])

/**
 * When a step has returned it survives a power cut, but for those above. A step is made again where it is certain that nothing of it counts, and changes nothing when it is made twice with the same data.
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

export function createLedger(
  database: Pick<Database, 'kysely'> & Partial<Pick<Database, 'owner' | 'mustBeOurs' | 'whenDurable'>>,
): LedgerOfDatabase {
  let isLost = false

  /** After losing the database once, this process may have missed changes. */
  async function mustOwn(connection: Connection) {
    isLost ||= !(database.owner && (await isOwner(connection, database.owner)))
    if (isLost) throw new OwnershipLost()
  }

  async function make(name: keyof Steps, step: unknown): Promise<unknown> {
    const needsOwner = ownerSteps.has(name)
    if (needsOwner) database.mustBeOurs?.()
    try {
      const result = await inTransaction(database.kysely, async transaction => {
        if (needsOwner) await mustOwn(transaction)
        return steps[name](transaction, step as never)
      })
      if (!laterDurable.has(name)) await database.whenDurable?.()
      return result
    } catch (error) {
      if (error instanceof Undone) return error.result
      throw error
    }
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
