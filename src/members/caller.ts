import type { Role } from '../storage/records.ts'

/** Whoever sent a request. */
export interface Caller {
  role: Role
  /** False: anybody, where no token is needed. */
  isKnown: boolean
  /** Whose requests and pictures these are: a named token. Null: the access token of the server, or anybody where none is needed. */
  ownerId: string | null
  /** Model ids that it may use; null: all. */
  models: string[] | null
}
