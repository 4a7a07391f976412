/** What the studio says of the life of a model: that it is new, that it ends, what takes its place. */
import type { Generation } from '../data/generations.ts'
import { type Model, type ModelLife, nameOfModel } from '../data/models.ts'
import { longDay } from './format.ts'
import { explainCode } from './problems.ts'
import { t } from './text.ts'

/** Undefined for one that stays. `model` is its name. */
export function describeLife(model: string, life: ModelLife, models: readonly Model[]): string | undefined {
  const { stage, successors, ends_at: endsAt, ended_at: endedAt } = life
  if (stage === 'current') return undefined
  return describeEnd({ model, stage, day: endedAt ?? endsAt, successor: successors[0] }, models)
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

interface End {
  model: string
  stage: Exclude<ModelLife['stage'], 'current'>
  day: string | null | undefined
  /** Model id. */
  successor: string | undefined
}

function describeEnd({ model, stage, day, successor }: End, models: readonly Model[]) {
  const end = stage === 'ended' ? 'ended' : 'ends'
  return sentences(
    day ? t(`life.${end}On`, { model, day: longDay(day) }) : t(`life.${end}`, { model }),
    stage === 'retiring' && t('life.closed'),
    successor && t('life.successor', { successor: nameOfModel(models, successor) }),
  )
}

/** Chinese has its own full stop and no gap behind it. */
function sentences(...parts: (string | false | undefined)[]) {
  return parts.filter(Boolean).join(document.documentElement.lang.startsWith('zh') ? '' : ' ')
}

const asText = (value: string | number | undefined) => (typeof value === 'string' ? value : undefined)

/** The words of a warning about the life of a model; undefined for any other warning. */
export function describeLifeWarning(
  model: string,
  { code, values }: Generation['warnings'][number],
  models: readonly Model[],
): string | undefined {
  const facts = { model, successor: asText(values.successor) }
  if (code === 'model_retired') {
    return sentences(describeEnd({ ...facts, stage: 'ended', day: asText(values.since) }, models), t('life.stillSent'))
  }
  if (code !== 'model_ending') return undefined
  const stage = values.stage === 'retiring' ? 'retiring' : 'announced'
  return describeEnd({ ...facts, stage, day: asText(values.ends_at) }, models)
}

/** The words for the error of a generation, also one about the life of its model. */
export function explainError(error: NonNullable<Generation['error']>, models: readonly Model[]): string {
  const { reason_code: reason, reason_values: values } = error
  const model = nameOfModel(models, asText(values.model) ?? '')
  const successor = findSuccessor(error)
  const name = successor && nameOfModel(models, successor)
  const free = t('life.free')
  switch (reason) {
    case 'model_ended':
      return sentences(describeEnd({ model, stage: 'ended', day: asText(values.since), successor }, models), free)
    case 'model_closed':
      return sentences(t('life.closedToThis', { model }), name && t('life.successor', { successor: name }), free)
    case 'model_unknown':
      return sentences(t('life.unknown', { model }), name && t('life.offered', { successor: name }), free)
    default:
      return explainCode(error)
  }
}

/** The model that can take over after an error, by its id. */
export function findSuccessor(error: Pick<NonNullable<Generation['error']>, 'reason_values'> | null) {
  return asText(error?.reason_values.successor)
}
