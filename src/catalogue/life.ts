/** Where a model stands in its life at one place: by the catalogue, and by what the service's own list said, which counts for more. */
import type { Model, ModelLife } from './model.ts'

/**
 * `announced`: it will end. `retiring`: it will end, and accounts that never opened it cannot open it any more. `ended`: requests are
 * refused.
 */
export type LifeStage = 'current' | 'announced' | 'retiring' | 'ended'

export interface LifeAt {
  stage: LifeStage
  /** The catalogue entry that applies; absent where no end is known. Dates that the list of the service disproved are left out. */
  entry?: ModelLife
  /** When it ended, as far as that is known: by the catalogue, else when the list began to say so. */
  endedAt?: string
  /** The status in the list, if any. */
  seen?: SeenLife
}

/** What the list of a service said of a model. */
export interface SeenLife {
  status: 'offered' | 'retiring' | 'ended'
  /** When the status changed in the list, if it did. */
  since: string | null
  /** When the list last said so. */
  seenAt: string
}

/**
 * Pure. `platform` is undefined for an address that is not the service's own: only entries for all platforms count there.
 * A list disproves the dates before it that it contradicts; those after it still count.
 */
export function lifeAt(
  model: Pick<Model, 'life'>,
  platform: string | undefined,
  now: Date,
  seen: SeenLife | undefined = undefined,
): LifeAt {
  const written = entryAt(model.life ?? [], platform)
  const entry = written && seen ? undisputed(written, seen) : written
  const stage = later(entry ? findStage(entry, now) : 'current', seen ? seenStages[seen.status] : 'current')
  const seenToEnd = seen?.status === 'ended' && !entry?.hasEnded ? seen.since : null
  const endedAt = stage === 'ended' ? (entry?.endsAt ?? seenToEnd ?? undefined) : undefined
  return { stage, entry, endedAt, seen }
}

function entryAt(entries: readonly ModelLife[], platform: string | undefined) {
  return (
    entries.find(({ platforms }) => platform !== undefined && platforms?.includes(platform)) ??
    entries.find(({ platforms }) => platforms === undefined)
  )
}

const stages: readonly LifeStage[] = ['current', 'announced', 'retiring', 'ended']
/** A model that was announced may still be listed as offered (docs/providers.md, Doubao). */
const seenStages = { offered: 'current', retiring: 'retiring', ended: 'ended' } as const

function later(one: LifeStage, other: LifeStage): LifeStage {
  return stages.indexOf(one) > stages.indexOf(other) ? one : other
}

function undisputed(entry: ModelLife, { status, seenAt }: SeenLife): ModelLife {
  const { closedToNewAt, endsAt, hasEnded, ...rest } = entry
  const wasBefore = (time: string | undefined) => isPast(time, new Date(seenAt))
  // A model that the list calls ended has ended, whatever date is recorded.
  if (status === 'ended') return wasBefore(endsAt) ? entry : { ...rest, ...(hasEnded && { hasEnded }) }
  return {
    ...rest,
    ...(closedToNewAt !== undefined && !(status === 'offered' && wasBefore(closedToNewAt)) && { closedToNewAt }),
    ...(endsAt !== undefined && !wasBefore(endsAt) && { endsAt }),
  }
}

/** Pure. Whether a platform is known to serve it or to have served it; of an address that is not the service's own nobody knows. */
export function isServedAt(model: Pick<Model, 'platforms'>, platform: string | undefined): boolean {
  return platform === undefined || !model.platforms || model.platforms.includes(platform)
}

function findStage(entry: ModelLife, now: Date): LifeStage {
  if (entry.hasEnded || isPast(entry.endsAt, now)) return 'ended'
  if (isPast(entry.closedToNewAt, now)) return 'retiring'
  return isPast(entry.announcedAt, now) ? 'announced' : 'current'
}

function isPast(time: string | undefined, now: Date) {
  return time !== undefined && Date.parse(time) <= now.getTime()
}
