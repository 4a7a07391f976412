/** State of the server for the status page: each part with what to do about it. */

import type { ConfigurationRegistry } from '../configurations/configurations.ts'
import type { Pool } from '../coordination/pool.ts'
import type { Waiting } from '../coordination/waiting.ts'
import type { Lives, Standing } from '../offers/lives.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { Database } from '../storage/connection.ts'
import type { Files } from '../storage/files/folder.ts'
import type { ConfigurationRecord } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'
import { databaseTrouble } from '../storage/trouble.ts'
import type { Check } from './repair/look-over.ts'
import type { Runner } from './run.ts'
import type { Hindrance, StatusReport } from './services.ts'

export function createStatus(parts: {
  check: Check
  database: Database
  store: Store
  files: Files
  configurations: ConfigurationRegistry
  pool: Pool
  runner: Runner
  waiting: Waiting
  lives: Lives
  catalogue: Catalogue
  storageKind: 'folder' | 's3'
}): () => Promise<StatusReport> {
  const { database, store, files, configurations, pool, runner } = parts

  return async () => {
    const databaseDetail = await trouble(() => database.check())
    const storageTrouble = await trouble(() => files.check())
    const freeBytes = await files.freeBytes().catch(() => undefined)
    // A database that cannot be written can often still be read; one that cannot leaves these empty.
    const counts = await store.generations.countUnfinished().catch(() => ({ queued: 0, running: 0 }))
    const noted = new Map((await store.generations.waiting().catch(() => [])).map(({ id, reason }) => [id, reason]))
    for (const { id, reason } of parts.waiting.list()) noted.set(id, reason)
    const waiting = [...noted].slice(0, 20).map(([id, reason]) => ({ id, reason }))
    const all = await configurations.list().catch(() => [])
    return {
      check: { ...parts.check },
      database: { state: databaseDetail ? 'failing' : 'ok', kind: database.kind, detail: databaseDetail },
      storage: { state: storageTrouble ? 'failing' : 'ok', kind: parts.storageKind, detail: storageTrouble, freeBytes },
      queue: { state: runner.isStopping() ? 'draining' : waiting.length > 0 ? 'waiting' : 'ok', ...counts, waiting },
      providers: Object.values(parts.catalogue.providers).map(({ id, name }) => {
        const active = all.filter(one => one.provider === id && one.isActive && one.hasKey)
        const ready = active.filter(one => pool.stateOf(one).status === 'ready')
        return {
          id,
          name,
          configured: active.length > 0,
          activeConfigurations: active.length,
          readyConfigurations: ready.length,
        }
      }),
      ending: endingModels(all.filter(one => one.isActive && one.hasKey)),
    }
  }

  function endingModels(active: readonly ConfigurationRecord[]): StatusReport['ending'] {
    const found = parts.catalogue.all().flatMap(one => {
      const places = new Set(active.filter(({ provider }) => provider === one.provider).map(configurations.addressOf))
      return [...places].map(address => ({ ...one, standing: parts.lives.at(one, { address }) }))
    })
    const ending = found.filter(({ model, standing }) => {
      const { stage, endedAt } = standing
      if (stage !== 'ended') return stage !== 'current'
      const isNamed = active.some(one => one.model !== null && [model.id, ...(model.aliases ?? [])].includes(one.model))
      return isNamed || (endedAt !== undefined && Date.now() - Date.parse(endedAt) < newsMs)
    })
    const soonest = ending.toSorted((a, b) => findEnd(a.standing) - findEnd(b.standing))
    return [...Map.groupBy(soonest, ({ model }) => model).values()].flatMap(([one]) =>
      one ? { provider: one.provider, id: one.model.id, name: one.model.name, standing: one.standing } : [],
    )
  }
}

const freshMs = 1000

/** Anybody may ask this, as often as they like. */
export function createHindrances({ database, files }: { database: Database; files: Files }) {
  let found: Promise<Hindrance[]> = Promise.resolve([])
  let askedAt = Number.NEGATIVE_INFINITY

  async function look(): Promise<Hindrance[]> {
    const [inDatabase, inStorage] = await Promise.all([trouble(() => database.check()), trouble(() => files.check())])
    return [
      ...(inDatabase === undefined ? [] : ['database' as const]),
      ...(inStorage === undefined ? [] : ['storage' as const]),
    ]
  }

  return (): Promise<Hindrance[]> => {
    const now = performance.now()
    if (now - askedAt > freshMs) {
      askedAt = now
      found = look()
    }
    return found
  }
}

/** How long an ended model is listed. */
const newsMs = 60 * 24 * 3600 * 1000

function findEnd({ endedAt, entry }: Standing) {
  return Date.parse(endedAt ?? entry?.endsAt ?? '') || Number.POSITIVE_INFINITY
}

async function trouble(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check()
    return undefined
  } catch (error) {
    return databaseTrouble(error) ?? (error instanceof Error ? error.message : String(error))
  }
}
