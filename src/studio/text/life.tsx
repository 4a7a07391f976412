/** What the studio says of the life of a model: that it is new, that it ends, what takes its place. */
import type { Model, ModelLife } from '../../api/models.ts'
import type { Generation } from '../data/api.ts'
import { Badge } from '../ui/states.tsx'
import { longDay, shortDayHere } from './format.ts'
import { findText, type Text, useText } from './text.ts'

/** Undefined where the catalogue of the server has no such model. */
export function findModel(models: readonly Model[], id: string | null | undefined): Model | undefined {
  return models.find(one => one.id === id || one.aliases.includes(id ?? ''))
}

const nameOf = (models: readonly Model[], id: string) => findModel(models, id)?.name ?? id

/** Undefined for one that stays. `model` is its name. */
export function lifeText(t: Text, model: string, life: ModelLife, models: readonly Model[]): string | undefined {
  const successor = life.successors[0]
  const facts = { day: life.ended_at ?? life.ends_at, successor: successor && nameOf(models, successor) }
  switch (life.stage) {
    case 'current':
      return undefined
    case 'announced':
      return endingText(t, { model, ...facts })
    case 'retiring':
      return endingText(t, { model, ...facts, isClosed: true })
    case 'ended':
      return endedText(t, { model, ...facts })
  }
}

/** What has to be said of a model before it is used; undefined where nothing has. */
export function standingText(t: Text, model: Model, models: readonly Model[]): string | undefined {
  if (isElsewhere(model)) return t('life.notServed', { model: model.name })
  return lifeText(t, model.name, model.life, models)
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

function endingText(t: Text, { model, day, successor, isClosed }: LifeFacts & { isClosed?: boolean }) {
  return sentences(
    day ? t('life.endsOn', { model, day: longDay(day) }) : t('life.ends', { model }),
    isClosed && t('life.closed'),
    successor && t('life.successor', { successor }),
  )
}

function endedText(t: Text, { model, day, successor }: LifeFacts) {
  return sentences(
    day ? t('life.endedOn', { model, day: longDay(day) }) : t('life.ended', { model }),
    successor && t('life.successor', { successor }),
  )
}

/** Chinese has its own full stop and no gap behind it. */
function sentences(...parts: (string | false | undefined)[]) {
  return parts.filter(Boolean).join(document.documentElement.lang.startsWith('zh') ? '' : ' ')
}

type Values = Generation['warnings'][number]['values']

const textOf = (value: string | number | undefined) => (typeof value === 'string' ? value : undefined)

/** Of a warning about the life of its model; undefined for any other. */
export function lifeWarningText(
  t: Text,
  model: string,
  { code, values }: Generation['warnings'][number],
  models: readonly Model[],
): string | undefined {
  const successor = textOf(values.successor)
  const facts = { model, successor: successor && nameOf(models, successor) }
  if (code === 'model_retired') {
    return sentences(endedText(t, { ...facts, day: textOf(values.since) }), t('life.stillSent'))
  }
  if (code !== 'model_ending') return undefined
  return endingText(t, { ...facts, day: textOf(values.ends_at), isClosed: values.stage === 'retiring' })
}

/** What went wrong, where it has a sentence here. */
export function errorText(
  t: Text,
  { code, message, reason_code: reason, reason_values: values }: NonNullable<Generation['error']>,
  models: readonly Model[],
): string {
  return reasonText(t, reason, values, models) ?? findText('problems', code) ?? message
}

function reasonText(t: Text, reason: string | null, values: Values, models: readonly Model[]) {
  const model = nameOf(models, textOf(values.model) ?? '')
  const successor = successorOf({ reason_values: values })
  const name = successor && nameOf(models, successor)
  const free = t('life.free')
  switch (reason) {
    case 'model_ended':
      return sentences(endedText(t, { model, day: textOf(values.since), successor: name }), free)
    case 'model_closed':
      return sentences(t('life.closedToThis', { model }), name && t('life.successor', { successor: name }), free)
    case 'model_unknown':
      return sentences(t('life.unknown', { model }), name && t('life.offered', { successor: name }), free)
    default:
      return undefined
  }
}

/** The model that can take over after an error, by its id. */
export function successorOf(error: Pick<NonNullable<Generation['error']>, 'reason_values'> | null) {
  return textOf(error?.reason_values.successor)
}

export function LifeBadge({ model }: { model: Model }) {
  const t = useText()
  const { stage, ends_at: endsAt } = model.life
  if (isElsewhere(model)) return <Badge look="warning">{t('life.notServedShort')}</Badge>
  if (stage === 'ended') return <Badge look="bad">{t('life.endedShort')}</Badge>
  if (stage !== 'current') {
    return (
      <Badge look="warning">
        {endsAt ? t('life.endsShort', { day: shortDayHere(endsAt) }) : t('life.endsSomeShort')}
      </Badge>
    )
  }
  if (model.state !== 'unlisted') return null
  return (
    <span title={t('life.newHint')}>
      <Badge look="good">{t('life.new')}</Badge>
    </span>
  )
}
