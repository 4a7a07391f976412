import type { Role } from '../storage/records.ts'

/** Whoever sent a request. */
export interface Caller {
  role: Role
  /** False: anybody, where no token is needed. */
  isKnown: boolean
  /** Whose requests and pictures these are: a user, or a named token without one. Null: the access token of the server, or anybody where none is needed. */
  ownerId: string | null
  /** Set for a user; `tokenId`: the user's token that was sent, null in a session. */
  user?: { id: string; tokenId: string | null }
  /** Model ids that it may use; null: all. */
  models: string[] | null
}
