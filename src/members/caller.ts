import type { Role } from '../storage/records.ts'

/** Whoever sent a request. */
export interface Caller {
  role: Role
  /** False: anybody, where no token is needed. */
  isKnown: boolean
  /** Null: the access token of the server, or anybody where none is needed. */
  tokenId: string | null
  /** Model ids that it may use; null: all. */
  models: string[] | null
}
