import type { Model } from '../data/models.ts'
import { shortDayHere } from '../text/format.ts'
import { isElsewhere } from '../text/life.ts'
import { useText } from '../text/text.ts'
import { Badge } from './states.tsx'

/** Badge that says that a model is new, ends or has ended. */
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
