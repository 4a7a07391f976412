/** What was made and spent, by day, model, configuration, token or user. */

import type { ConfigurationRegistry } from '../configurations/configurations.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { Period } from '../storage/periods.ts'
import type { Caps } from '../storage/records.ts'
import type { UsageRow } from '../storage/spending.ts'
import type { UsageGroup } from '../storage/spending-sums.ts'
import type { Store } from '../storage/store.ts'
import { computeRemaining, type Remaining } from './budget.ts'

export interface UsageItem extends UsageRow {
  key: string
  /** Name of the model, configuration, token or user, for people. */
  name: string
}

/** Key for the access token of the server, and for everyone where none is needed. */
const noToken = { id: 'admin', name: 'Access token' }

export type Usage = ReturnType<typeof createUsage>

export function createUsage(parts: {
  store: Store
  configurations: ConfigurationRegistry
  catalogue: Catalogue
  caps: Caps
}) {
  const { store, configurations, catalogue, caps } = parts
  return {
    /** The caps for all together and what this month leaves of them; undefined where there are none. */
    async forAll(): Promise<(Caps & Remaining) | undefined> {
      if (caps.monthlyCap === null && caps.monthlyImages === null) return undefined
      return computeRemaining(store, caps, {})
    },
    /** With `owner`, only the usage of that user or token. */
    async report(period: Period, group: UsageGroup, owner?: string): Promise<UsageItem[]> {
      const rows = await store.spending.usage(period, group, owner)
      const nameOf = await namesOf(group)
      return rows.map(row => {
        const key = row.key ?? noToken.id
        return { ...row, key, name: nameOf(key) }
      })
    },
  }

  /** A deleted one is shown by its id. */
  async function namesOf(group: UsageGroup): Promise<(key: string) => string> {
    if (group === 'day') return key => key
    if (group === 'model') return id => modelName(catalogue, id)
    // A session of a user stands among the tokens, and a token without a user among the users.
    const named =
      group === 'configuration'
        ? await configurations.list()
        : [noToken, ...(await store.tokens.list()), ...(await store.users.list())]
    const names = new Map(named.map(({ id, name }) => [id, name]))
    return key => names.get(key) ?? key
  }
}

function modelName(catalogue: Catalogue, id: string) {
  const model = catalogue.find(id)?.model
  return model && model.state !== 'unlisted' ? model.name : id
}
