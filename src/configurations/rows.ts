/** Stored configurations and suspensions. This process alone writes them, so they are read once, and again after each change. */
import type { StoredConfiguration } from '../storage/configurations.ts'
import type { Suspension } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'

export interface ConfigurationRows {
  stored: StoredConfiguration[]
  /** By the ids of configurations, those of the environment too. */
  suspensions: Map<string, Suspension>
}

export function createRows({ configurations }: Pick<Store, 'configurations'>) {
  let known: Promise<ConfigurationRows> | undefined

  async function readAll(): Promise<ConfigurationRows> {
    const [stored, suspensions] = [await configurations.list(), await configurations.suspension()]
    return { stored, suspensions }
  }

  return {
    read(): Promise<ConfigurationRows> {
      if (known) return known
      const reading = readAll()
      known = reading
      reading.catch(() => {
        if (known === reading) known = undefined
      })
      return reading
    },

    forget() {
      known = undefined
    },
  }
}
