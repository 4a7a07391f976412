/** Where a model stands in its life at one platform of its service, by what the catalogue knows. */
import type { Model, ModelLife } from './provider.ts'

/**
 * `announced`: it will end. `retiring`: it will end, and accounts that never opened it cannot open it any more. `ended`: requests are
 * refused.
 */
export type LifeStage = 'current' | 'announced' | 'retiring' | 'ended'

export interface LifeAt {
  stage: LifeStage
  /** The entry that says so; absent where no end is known. */
  entry?: ModelLife
}

/** Pure. `platform` is undefined for an address that is not the service's own: only entries for all platforms count there. */
export function lifeAt(model: Pick<Model, 'life'>, platform: string | undefined, now: Date): LifeAt {
  const entries = model.life ?? []
  const entry =
    entries.find(({ platforms }) => platform !== undefined && platforms?.includes(platform)) ??
    entries.find(({ platforms }) => platforms === undefined)
  return entry ? { stage: stageOf(entry, now), entry } : { stage: 'current' }
}

/** Pure. Whether a platform is known to serve it or to have served it; of an address that is not the service's own nobody knows. */
export function isServedAt(model: Pick<Model, 'platforms'>, platform: string | undefined): boolean {
  return platform === undefined || !model.platforms || model.platforms.includes(platform)
}

function stageOf(entry: ModelLife, now: Date): LifeStage {
  const isPast = (time: string | undefined) => time !== undefined && Date.parse(time) <= now.getTime()
  if (entry.hasEnded || isPast(entry.endsAt)) return 'ended'
  if (isPast(entry.closedToNewAt)) return 'retiring'
  return isPast(entry.announcedAt) ? 'announced' : 'current'
}
