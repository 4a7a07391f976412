/** The services, for people. */
import type { Provider } from '../../api/providers.ts'
import type { Provider as Adapter } from '../../providers/provider.ts'

export function presentProvider({ id, name, environmentPrefix, guide }: Adapter): Provider {
  const { title, company, about, steps, addressHint, addresses, keyPage, consoles } = guide
  return {
    id,
    name,
    title,
    company,
    about,
    steps,
    address_hint: addressHint,
    addresses: [...addresses],
    key_page: keyPage,
    consoles: consoles.map(({ url, hosts }) => ({ url, hosts: hosts ? [...hosts] : null })),
    key_variable: environmentPrefix ? `${environmentPrefix}_API_KEY` : null,
    cap_variable: environmentPrefix ? `${environmentPrefix}_MONTHLY_CAP` : null,
  }
}
