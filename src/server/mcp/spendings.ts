/** What each session has spent of its cap. */
import type { FastifyRequest } from 'fastify'
import { createSpending, type Money, type Spending } from '../../mcp/spending.ts'
import { parseMoney } from '../../operator/setting-values.ts'
import { HttpRefusal } from '../errors/refusals.ts'

/** Where the protocol has no sessions, a pause of this length begins a new one. */
const idleMs = 3600_000
const maxSpendings = 10_000

/** @param cap of every session; a client may ask for less with the header `x-spending-cap` */
export function createSpendings(cap: Money | undefined) {
  /** The least recently used first. */
  const known = new Map<string, { spending: Spending; usedAt: number }>()

  return {
    /** @throws HttpRefusal `bad_request` for a header that cannot be kept */
    ofRequest({ headers }: Pick<FastifyRequest, 'headers'>, owner: string, hasSessions: boolean): Spending {
      const own = chooseCap(headers['x-spending-cap']?.toString(), cap)
      if (!own) return createSpending(undefined)
      // Where there are sessions, their first request has no id, and none that spends.
      const session = hasSessions ? headers['mcp-session-id'] : headers['x-session']
      const name = JSON.stringify([owner, hasSessions, session ?? '', own])
      const now = performance.now()
      for (const [other, { usedAt }] of known) {
        if (now - usedAt < idleMs && known.size <= maxSpendings) break
        known.delete(other)
      }
      const spending = known.get(name)?.spending ?? createSpending(own)
      known.delete(name)
      known.set(name, { spending, usedAt: now })
      return spending
    },
  }
}

function chooseCap(header: string | undefined, cap: Money | undefined): Money | undefined {
  if (header === undefined) return cap
  let asked: Money
  try {
    asked = parseMoney(header)
  } catch (error) {
    throw new HttpRefusal('bad_request', `The header "x-spending-cap" ${error instanceof Error ? error.message : ''}`)
  }
  if (!cap) return asked
  if (cap.currency !== asked.currency) {
    const message = `Sessions of this server are capped in ${cap.currency} (MCP_SESSION_CAP); give the header "x-spending-cap" in ${cap.currency} as well.`
    throw new HttpRefusal('bad_request', message)
  }
  return asked.amount < cap.amount ? asked : cap
}
