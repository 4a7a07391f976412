/** The services, for people. */
import { toJson } from '../../../api/names.ts'
import type { Provider } from '../../../api/providers.ts'
import type { Provider as Adapter } from '../../../providers/provider.ts'

export function presentProvider({ id, name, environmentPrefix, guide }: Adapter): Provider {
  const { consoles, ...words } = guide
  return {
    id,
    name,
    ...toJson(words),
    consoles: consoles.map(({ url, hosts }) => ({ url, hosts: hosts ? [...hosts] : null })),
    key_variable: environmentPrefix ? `${environmentPrefix}_API_KEY` : null,
    cap_variable: environmentPrefix ? `${environmentPrefix}_MONTHLY_CAP` : null,
  }
}
