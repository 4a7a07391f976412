/** Where messages may go: https to public addresses; http, and private addresses, only to what ALLOWED_HOSTS names. */
import { type AllowedPlaces, allowList } from '../outgoing/addresses.ts'
import type { OutgoingHttp } from '../outgoing/http.ts'

const maxLength = 2000

export type Addresses = ReturnType<typeof createAddresses>

export function createAddresses(
  http: Pick<OutgoingHttp, 'refusal'>,
  { allowedHosts }: Pick<AllowedPlaces, 'allowedHosts'>,
) {
  const isAllowed = allowList({ allowedHosts, allowedOrigins: [] })

  /** Is it one that only ALLOWED_HOSTS permits? */
  function isInside(address: string) {
    return URL.canParse(address) && isAllowed(new URL(address))
  }

  /** Undefined where it may be sent. */
  function refuseForm(address: string): string | undefined {
    const url = URL.parse(address)
    if (!url || address.length > maxLength || !/^https?:$/.test(url.protocol)) {
      return `Give a whole address, with https and a host, of at most ${maxLength} characters.`
    }
    if (url.protocol === 'http:' && !isInside(address)) {
      return 'Plain http can be read and changed by anybody on the way. Use https. A receiver on your own network may have http where the operator names it in ALLOWED_HOSTS.'
    }
    return undefined
  }

  return {
    isInside,
    refuseForm,
    /** Why nothing would be sent there, as a sentence; undefined where it would. The check that counts is made when connecting. */
    refusal: async (address: string) => refuseForm(address) ?? (await http.refusal(address)),
  }
}
