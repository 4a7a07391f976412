/** What the studio says of the life of a model: that it is new, that it ends, what takes its place. */
import type { Generation } from '../data/generations.ts'
import { type Model, type ModelLife, nameOfModel } from '../data/models.ts'
import { longDay } from './format.ts'
import { explainCode } from './problems.ts'
import { t } from './text.ts'

/** Undefined for one that stays. `model` is its name. */
export function describeLife(model: string, life: ModelLife, models: readonly Model[]): string | undefined {
  const successor = life.successors[0]
  const facts = { day: life.ended_at ?? life.ends_at, successor: successor && nameOfModel(models, successor) }
  switch (life.stage) {
    case 'current':
      return undefined
    case 'announced':
      return describeEnding({ model, ...facts })
    case 'retiring':
      return describeEnding({ model, ...facts, isClosed: true })
    case 'ended':
      return describeEnd({ model, ...facts })
  }
}

/** What has to be said of a model before it is used; undefined where nothing has. */
export function describeStanding(model: Model, models: readonly Model[]): string | undefined {
  if (isElsewhere(model)) return t('life.notServed', { model: model.name })
  return describeLife(model.name, model.life, models)
}

/** The address of the key is on a platform of the service that does not have it. */
export function isElsewhere({ configured, is_served: isServed }: Model) {
  return configured && !isServed
}

interface LifeFacts {
  model: string
  day: string | null | undefined
  /** Its name. */
  successor: string | undefined
}

function describeEnding({ model, day, successor, isClosed }: LifeFacts & { isClosed?: boolean }) {
  return sentences(
    day ? t('life.endsOn', { model, day: longDay(day) }) : t('life.ends', { model }),
    isClosed && t('life.closed'),
    successor && t('life.successor', { successor }),
  )
}

function describeEnd({ model, day, successor }: LifeFacts) {
  return sentences(
    day ? t('life.endedOn', { model, day: longDay(day) }) : t('life.ended', { model }),
    successor && t('life.successor', { successor }),
  )
}

/** Chinese has its own full stop and no gap behind it. */
function sentences(...parts: (string | false | undefined)[]) {
  return parts.filter(Boolean).join(document.documentElement.lang.startsWith('zh') ? '' : ' ')
}

const asText = (value: string | number | undefined) => (typeof value === 'string' ? value : undefined)

/** Of a warning about the life of its model; undefined for any other. */
export function describeLifeWarning(
  model: string,
  { code, values }: Generation['warnings'][number],
  models: readonly Model[],
): string | undefined {
  const successor = asText(values.successor)
  const facts = { model, successor: successor && nameOfModel(models, successor) }
  if (code === 'model_retired') {
    return sentences(describeEnd({ ...facts, day: asText(values.since) }), t('life.stillSent'))
  }
  if (code !== 'model_ending') return undefined
  return describeEnding({ ...facts, day: asText(values.ends_at), isClosed: values.stage === 'retiring' })
}

/** What went wrong, where it has a sentence here. */
export function explainError(error: NonNullable<Generation['error']>, models: readonly Model[]): string {
  return explainReason(error, models) ?? explainCode(error)
}

function explainReason(error: NonNullable<Generation['error']>, models: readonly Model[]) {
  const { reason_code: reason, reason_values: values } = error
  const model = nameOfModel(models, asText(values.model) ?? '')
  const successor = findSuccessor(error)
  const name = successor && nameOfModel(models, successor)
  const free = t('life.free')
  switch (reason) {
    case 'model_ended':
      return sentences(describeEnd({ model, day: asText(values.since), successor: name }), free)
    case 'model_closed':
      return sentences(t('life.closedToThis', { model }), name && t('life.successor', { successor: name }), free)
    case 'model_unknown':
      return sentences(t('life.unknown', { model }), name && t('life.offered', { successor: name }), free)
    default:
      return undefined
  }
}

/** The model that can take over after an error, by its id. */
export function findSuccessor(error: Pick<NonNullable<Generation['error']>, 'reason_values'> | null) {
  return asText(error?.reason_values.successor)
}
