/** State and last errors of the server. */

import type { RecentErrorList, ShortStatus, Status } from '../../api/system.ts'
import type { StatusReport } from '../../generation/services.ts'
import type { LoggedError } from '../../telemetry/log.ts'
import { presentLife } from './models.ts'

export function presentShortStatus({ status, version, started_at, uptime_seconds, providers }: Status): ShortStatus {
  return {
    status,
    version,
    started_at,
    uptime_seconds,
    providers: providers.map(({ id, name, state }) => ({ id, name, state })),
  }
}

export function presentStatus(report: StatusReport, server: { version: string; startedAt: Date }): Status {
  const { database, storage, queue } = report
  const isFailing = database.state === 'failing' || storage.state === 'failing'
  return {
    status: isFailing ? 'failing' : queue.state === 'draining' ? 'draining' : 'ok',
    version: server.version,
    started_at: server.startedAt.toISOString(),
    uptime_seconds: Math.floor((Date.now() - server.startedAt.getTime()) / 1000),
    database: { state: database.state, kind: database.kind, detail: database.detail ?? null },
    storage: {
      state: storage.state,
      kind: storage.kind,
      detail: storage.detail ?? null,
      free_bytes: storage.freeBytes ?? null,
    },
    queue: {
      state: queue.state,
      queued: queue.queued,
      running: queue.running,
      waiting: queue.waiting.map(({ id, reason: { message, code, values = {} } }) => {
        return { id, reason: message, code: code ?? null, values }
      }),
    },
    providers: report.providers.map(provider => ({
      id: provider.id,
      name: provider.name,
      state: provider.configured ? 'configured' : 'not_configured',
      active_configurations: provider.activeConfigurations,
      ready_configurations: provider.readyConfigurations,
    })),
    ending: report.ending.map(({ provider, id, name, standing }) => {
      return { provider, id, name, life: presentLife(standing) }
    }),
  }
}

export function presentError({ requestId, generationId, ...error }: LoggedError): RecentErrorList['items'][number] {
  return { ...error, request_id: requestId, generation_id: generationId }
}
