import type { Services } from '../generation/services.ts'
import type { Settings } from '../settings.ts'
import type { RecentErrors } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Access } from './access/access.ts'
import type { Discretion } from './access/discretion.ts'
import type { Limits } from './access/limits.ts'
import type { SignedLinks } from './access/signed-links.ts'
import type { Issuer } from './oidc/issuer.ts'

/** The parts that routes are made with. */
export interface Parts {
  services: Services
  settings: Settings
  access: Access
  links: SignedLinks
  /** Where people log in besides; undefined: tokens only. */
  issuer: Issuer | undefined
  recentErrors: RecentErrors
  metrics: Metrics
  version: string
  /** Prefix of the addresses in answers: PUBLIC_URL, or empty. */
  base: string
  /** The path of PUBLIC_URL without a slash at the end; mostly empty. */
  prefix: string
  limits: Limits
  discretion: Discretion
  /** Aborts when the server begins to stop. */
  closing: AbortSignal
  /** The OpenAPI document; made when it is first asked for. */
  describeApi(): Promise<unknown>
}
