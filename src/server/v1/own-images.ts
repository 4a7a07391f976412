/** Clients send back the addresses of pictures that they got from here. */
import type { FastifyRequest } from 'fastify'
import { baseFor } from '../access/signed-links.ts'
import type { Parts } from '../parts.ts'

/** The id of the picture where `address` is one of this server: it is read from the store instead of being fetched. */
export function findOwnImage(
  { settings }: Pick<Parts, 'settings'>,
  request: Pick<FastifyRequest, 'headers'>,
  address: string,
): string | undefined {
  const bases = [baseFor(settings, request), `http://${request.headers.host}`, `https://${request.headers.host}`]
  for (const base of bases) {
    if (!address.startsWith(`${base}/images/`)) continue
    const [, id] = /^([\w-]{1,100})(?:[?#]|$)/.exec(address.slice(`${base}/images/`.length)) ?? []
    if (id !== undefined) return id
  }
  return undefined
}
