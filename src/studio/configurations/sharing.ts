/** Pure: which configurations share the work. Those of one service at one address do. */
import type { Configuration } from '../data/configurations.ts'
import type { Provider } from '../data/providers.ts'
import { withoutSlash } from '../text/providers.ts'

type Addressed = Pick<Configuration, 'provider' | 'base_url'>

/** Where it leads; one without an address goes where the server was told, which one of the environment knows. */
export function findTarget(
  { provider, base_url: baseUrl }: Addressed,
  all: readonly Configuration[],
  providers: readonly Provider[],
): string {
  if (baseUrl !== null) return withoutSlash(baseUrl)
  const usual = all.find(one => one.provider === provider && one.source === 'environment')?.base_url
  return withoutSlash(usual ?? providers.find(one => one.id === provider)?.addresses[0]?.url ?? '')
}

/** Groups of two and more that are on. */
export function findPools(all: readonly Configuration[], providers: readonly Provider[]): Configuration[][] {
  const active = all.filter(({ is_active, has_key }) => is_active && has_key)
  const groups = Map.groupBy(active, one => `${one.provider} ${findTarget(one, all, providers)}`)
  return [...groups.values()].filter(({ length }) => length > 1)
}
