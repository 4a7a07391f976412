/** What generations are created, looked at and waited for with. */

import type { collectNames } from '../catalogue/parameters.ts'
import type { ConfigurationRegistry } from '../configurations/configurations.ts'
import type { Notifier } from '../coordination/events.ts'
import type { Pauses } from '../coordination/pauses.ts'
import type { Waiting } from '../coordination/waiting.ts'
import type { References } from '../images/images.ts'
import type { Budget } from '../members/budget.ts'
import type { Lives } from '../offers/lives.ts'
import type { Prices } from '../offers/prices.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { Files } from '../storage/files/folder.ts'
import type { Removals } from '../storage/files/removals.ts'
import type { Store } from '../storage/store.ts'
import type { Webhooks } from '../webhooks/webhooks.ts'
import type { Runner } from './run.ts'

export interface GenerationParts {
  store: Store
  files: Files
  configurations: ConfigurationRegistry
  references: References
  runner: Runner
  notifier: Notifier
  pauses: Pauses
  waiting: Waiting
  prices: Prices
  lives: Lives
  catalogue: Catalogue
  /** Names of the parameters of all models. */
  knownNames: ReturnType<typeof collectNames>
  budget: Budget
  /** Aborts when the server closes: waiting clients and followers get the current state. */
  closing: AbortSignal
  removals: Removals
  webhooks: Pick<Webhooks, 'checkCallback'>
  /** Removes the file of a raw answer. */
  removeAnswer(name: string): Promise<void>
}
