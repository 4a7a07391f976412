/** The program: its core, and the server before it. Whatever is opened here is closed here, in reverse. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import packageFile from '../package.json' with { type: 'json' }
import { type Core, type CoreOverrides, openCore } from './core.ts'
import { loginLink, readAccessToken, serverAddress } from './server/access/access-token.ts'
import { createSignedLinks, type SignedLinks } from './server/access/signed-links.ts'
import { listenForMetrics, readState } from './server/metrics.ts'
import { createServer } from './server/server.ts'
import type { Settings } from './settings.ts'
import type { RecentErrors } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { tellAll } from './telemetry/observer.ts'
import type { LinkTo } from './webhooks/payload.ts'

export interface App extends Pick<Core, 'services' | 'store' | 'backupPath'> {
  server: FastifyInstance
  /** Starts to listen, and resumes what an earlier process left unfinished. */
  listen(): Promise<Listening>
  /** Stops gracefully: nothing new is sent, exchanges that cannot be resumed get time to finish, everything else waits for the next start. */
  close(): Promise<void>
}

export interface Listening {
  /** Where the server is, without a slash at the end. */
  address: string
  /** The address to open in a browser; includes a login if the token was created here. */
  link: string
  needsToken: boolean
}

export interface Overrides extends CoreOverrides {
  /** The recent errors that `log` keeps for the status page. */
  recentErrors?: RecentErrors
  /** Where the built studio is, when not at its usual place. */
  studioFolder?: string
  /** After so long without progress the body of a request is ended. */
  slowBodyAfterMs?: number
  /** Waits before a wrong token is answered; a timer when absent. */
  pauseBeforeRefusal?(ms: number): Promise<unknown>
}

/** Time for clients that are still sending or reading, from the moment when the server is asked to stop. */
const maxFarewellMs = 5_000
/** What they get at least, where exchanges were waited for longer than that. */
const minFarewellMs = 1_000

/** @throws DatabaseError, StorageError, SettingsError, each with one sentence for people. */
export async function createApp(settings: Settings, log: Logger, overrides: Overrides = {}): Promise<App> {
  const metrics = createMetrics(packageFile.version, () => readState(services))
  let address = settings.publicUrl ?? ''
  let links: SignedLinks | undefined
  const linkTo: LinkTo = (path, ownerId) => {
    links ??= createSignedLinks(settings)
    return links.link(path, address, ownerId)
  }
  // Loaded only where somebody wants them.
  const traces =
    settings.traces &&
    (await import('./telemetry/traces.ts')).createTraces(settings.traces, { version: packageFile.version, log })
  const observer = traces ? tellAll([metrics, traces]) : metrics
  const core = await openCore(settings, log, { ...overrides, observer, linkTo })
  const { services, store, backupPath } = core
  let metricsServer: Server | undefined
  const server = await createServer({
    settings,
    services,
    log,
    metrics,
    traces,
    recentErrors: overrides.recentErrors,
    studioFolder: overrides.studioFolder,
    slowBodyAfterMs: overrides.slowBodyAfterMs,
    pauseBeforeRefusal: overrides.pauseBeforeRefusal,
  })

  return {
    server,
    services,
    store,
    backupPath,
    async listen() {
      await core.mend()
      await server.listen({ host: settings.host, port: settings.port })
      if (settings.metricsAddress) metricsServer = await listenForMetrics(settings.metricsAddress, metrics)
      const { port } = server.server.address() as AddressInfo
      address = serverAddress(settings, port)
      await core.resume()
      return {
        address,
        link: loginLink(settings, port),
        needsToken: readAccessToken(settings) !== undefined,
      }
    },
    async close() {
      const closed = server.close()
      const askedAt = performance.now()
      await core.stop()
      // Close idle keep-alive connections so shutdown cannot hang.
      const farewellMs = Math.max(minFarewellMs, maxFarewellMs - (performance.now() - askedAt))
      const patience = setTimeout(() => server.server.closeAllConnections(), farewellMs)
      await closed
      clearTimeout(patience)
      metricsServer?.close()
      metricsServer?.closeAllConnections()
      await core.close()
      await traces?.close()
    },
  }
}
