/** The cap that a client sets for one session of its own, beside those of tokens, configurations and the server. */
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../../members/caller.ts'
import { parseMoney } from '../../operator/setting-values.ts'
import type { Money } from '../../storage/records.ts'
import type { SpendingSession } from '../../storage/session-spending.ts'
import { HttpRefusal } from '../errors/refusals.ts'

const maxNameLength = 200

/** The session that `x-session` names with the cap of `x-spending-cap`. @throws HttpRefusal `bad_request` */
export function readSession({ headers }: Pick<FastifyRequest, 'headers'>, caller: Caller): SpendingSession | undefined {
  const asked = headers['x-spending-cap']?.toString()
  if (asked === undefined) return undefined
  const name = headers['x-session']?.toString() ?? ''
  if (name === '') {
    throw new HttpRefusal('bad_request', 'Name the session of the header "x-spending-cap" in a header "x-session".')
  }
  return { name: nameSession(caller, 'api', name), cap: parseCap(asked) }
}

/** Of a token: nobody else counts in it. @throws HttpRefusal `bad_request` */
export function nameSession({ ownerId }: Caller, kind: string, name: string) {
  if (name.length <= maxNameLength) return JSON.stringify([ownerId, kind, name])
  throw new HttpRefusal('bad_request', `The header "x-session" may have ${maxNameLength} characters.`)
}

/** The lower of what a client asks for and `cap`, which is that of every session. @throws HttpRefusal `bad_request` */
export function chooseCap(header: string | undefined, cap: Money | undefined): Money | undefined {
  if (header === undefined) return cap
  const asked = parseCap(header)
  if (!cap) return asked
  if (cap.currency !== asked.currency) {
    const message = `Sessions of this server are capped in ${cap.currency} (MCP_SESSION_CAP); give the header "x-spending-cap" in ${cap.currency} as well.`
    throw new HttpRefusal('bad_request', message)
  }
  return asked.amount < cap.amount ? asked : cap
}

function parseCap(header: string) {
  try {
    return parseMoney(header)
  } catch (error) {
    throw new HttpRefusal('bad_request', `The header "x-spending-cap" ${error instanceof Error ? error.message : ''}`)
  }
}
