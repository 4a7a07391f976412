/** State of the server. */

import { toJson } from '../../../api/names.ts'
import type { ShortStatus, Status } from '../../../api/system.ts'
import type { StatusReport } from '../../../generation/services.ts'
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
    database: { detail: null, ...toJson(database) },
    storage: { detail: null, free_bytes: null, ...toJson(storage) },
    check: report.check,
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
    ending: report.ending.map(({ standing, ...model }) => ({ ...model, life: presentLife(standing) })),
  }
}
