/** Ids in addresses. They are opaque: whatever cannot be one simply names nothing. */
import type { FastifyRequest } from 'fastify'
import { Refusal } from '../errors.ts'

/** @throws Refusal `not_found` for a text that no row can have as its id. */
export function idOf(request: Pick<FastifyRequest, 'params'>) {
  const { id } = request.params as { id: string }
  if (!id.isWellFormed() || /[\x00-\x1f\x7f]/.test(id)) throw nothingHere('entry')
  return id
}

export function nothingHere(noun: 'generation' | 'image' | 'entry') {
  return new Refusal('not_found', `There is no ${noun} with this id; it may have been deleted.`)
}
