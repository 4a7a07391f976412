/** The models, grouped by service, with what they cost and can do; several may be chosen to compare them. */

import { Link } from '@tanstack/react-router'
import { Check, Columns2, Plus } from 'lucide-react'
import { useState } from 'react'
import { type Model, searchModels, useModels } from '../data/models.ts'
import { useMe } from '../data/tokens.ts'
import { moneyRange } from '../text/format.ts'
import { describeStanding } from '../text/life.ts'
import { useProviderName } from '../text/providers.ts'
import { type Text, useLanguage, useText } from '../text/text.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Dialog } from '../ui/dialog.tsx'
import { SearchInput } from '../ui/field.tsx'
import { LifeBadge } from '../ui/life-badge.tsx'
import { Badge } from '../ui/states.tsx'
import { Switch } from '../ui/switch.tsx'
import { toCard } from './plan.ts'
import { listResolutions } from './size-choice.ts'

export interface ModelPickerProps {
  models: readonly Model[]
  /** Ids. */
  chosen: readonly string[]
  onChange(chosen: string[]): void
  onClose(): void
}

export function ModelPicker({ models, chosen, onChange, onClose }: ModelPickerProps) {
  const t = useText()
  const providerName = useProviderName()
  const isAdmin = useMe()?.role === 'admin'
  const [words, setWords] = useState('')
  const [isOlderShown, setOlderShown] = useState(false)
  const groups = searchModels(
    models,
    words,
    ({ id, name, provider, provider_name, about }) => [
      id,
      name,
      provider_name,
      providerName(provider),
      about.zh,
      about.en,
    ],
    ({ id, state, life }) => {
      const isNew = state === 'current' || state === 'unlisted'
      // A model that has ended is shown where it was used, and offered nowhere.
      return chosen.includes(id) || (life.stage !== 'ended' && (isNew || isOlderShown || words !== ''))
    },
  )
  const toggle = (id: string) => {
    const next = chosen.includes(id) ? chosen.filter(other => other !== id) : [...chosen, id]
    if (next.length > 0) onChange(next)
  }
  return (
    <Dialog
      onClose={onClose}
      size="large"
      title={t('generate.chooseModels')}
      description={t('generate.chooseModelsHint')}
      actions={
        <Button look="primary" onClick={onClose}>
          {t('generate.done')}
        </Button>
      }
    >
      <div className="sticky top-0 z-10 -mx-1 mb-4 flex flex-wrap items-center gap-x-4 gap-y-1 bg-sheet px-1 py-2">
        <div className="relative min-w-56 flex-1">
          <SearchInput
            label={t('generate.searchModels')}
            value={words}
            onChange={event => setWords(event.target.value)}
          />
        </div>
        <Switch label={t('generate.showOlder')} isOn={isOlderShown} onChange={setOlderShown} />
      </div>
      {groups.size === 0 && <p className="py-8 text-center text-ink-soft">{t('generate.noModelFound')}</p>}
      <div className="flex flex-col gap-6">
        {[...groups].map(([provider, members]) => (
          <section key={provider} aria-labelledby={`provider-${provider}`}>
            <h3 id={`provider-${provider}`} className="mb-2 flex items-center gap-2 text-lg">
              {providerName(provider, members[0]?.provider_name)}
              {isAdmin && !members.some(model => model.configured) && (
                <Link
                  to="/configurations"
                  search={{ add: provider }}
                  className="inline-flex min-h-10 items-center rounded-full px-3 font-sans text-seal-ink text-sm underline-offset-4 hover:underline"
                >
                  {t('configurations.add')}
                </Link>
              )}
            </h3>
            <ul className="grid gap-2 md:grid-cols-2">
              {members.map(model => (
                <li key={model.id}>
                  <ModelCard
                    model={model}
                    isChosen={chosen.includes(model.id)}
                    canCompare={model.configured && chosen.length > 0}
                    onChoose={() => {
                      onChange([model.id])
                      onClose()
                    }}
                    onToggle={() => toggle(model.id)}
                  />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Dialog>
  )
}

/** The way to the other models. */
export function ChosenModels({ chosen, onPick }: { chosen: readonly Model[]; onPick(): void }) {
  const t = useText()
  return (
    <button
      type="button"
      onClick={onPick}
      className="flex items-center gap-3 rounded-2xl border border-line bg-raised px-4 py-2.5 text-left transition-colors hover:border-line-strong"
    >
      {chosen.length > 1 && <Columns2 aria-hidden className="size-5 shrink-0 text-seal-ink" />}
      <span className="min-w-0 flex-1">
        <span className="block text-ink-faint text-xs">
          {t(chosen.length > 1 ? 'generate.modelsCompare' : 'gallery.model')}
        </span>
        {chosen.map(model => (
          <span key={model.id} className="flex flex-wrap items-baseline justify-between gap-x-3">
            <span className="flex flex-wrap items-baseline gap-x-2">
              <span className="font-medium">{model.name}</span>
              <LifeBadge model={model} />
            </span>
            <span className="text-ink-soft text-sm tabular-nums">{priceText(t, model)}</span>
          </span>
        ))}
      </span>
      <span className="shrink-0 text-seal-ink text-sm">{t('generate.change')}</span>
    </button>
  )
}

interface ModelCardProps {
  model: Model
  isChosen: boolean
  canCompare: boolean
  onChoose(): void
  onToggle(): void
}

function ModelCard({ model, isChosen, canCompare, onChoose, onToggle }: ModelCardProps) {
  const t = useText()
  const language = useLanguage()
  const standing = describeStanding(model, useModels())
  return (
    <div
      className={classes(
        'flex h-full items-start rounded-2xl border transition-colors',
        isChosen ? 'border-seal bg-seal-wash' : 'border-line bg-raised hover:border-line-strong',
        !model.configured && 'opacity-70',
      )}
    >
      <button
        type="button"
        disabled={!model.configured}
        aria-pressed={isChosen}
        onClick={onChoose}
        className="min-w-0 flex-1 rounded-2xl p-3 pr-1 text-left"
      >
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="font-medium">{model.name}</span>
          <span
            title={model.price && model.price.certainty !== 'documented' ? t('generate.priceReported') : undefined}
            className="text-ink-soft text-sm tabular-nums"
          >
            {priceText(t, model)}
          </span>
          {!model.configured && <Badge look="warning">{t('generate.notConfigured')}</Badge>}
          {model.state === 'legacy' && <Badge>{t('generate.legacy')}</Badge>}
          <LifeBadge model={model} />
        </span>
        <span className="mt-0.5 block text-ink-soft text-sm">{model.about[language]}</span>
        {standing && <span className="mt-0.5 block text-amber text-sm">{standing}</span>}
        <span className="mt-1.5 flex flex-wrap gap-x-2 text-ink-faint text-xs">
          {listAbilities(t, model).map(ability => (
            <span key={ability} className="not-last:after:ml-2 not-last:after:content-['·']">
              {ability}
            </span>
          ))}
        </span>
      </button>
      <IconButton
        label={
          isChosen ? t('generate.removeModel', { name: model.name }) : t('generate.compareWith', { name: model.name })
        }
        aria-pressed={isChosen}
        disabled={!canCompare}
        look={isChosen ? 'primary' : 'quiet'}
        onClick={onToggle}
        className="m-2"
      >
        {isChosen ? <Check aria-hidden className="size-5" /> : <Plus aria-hidden className="size-5" />}
      </IconButton>
    </div>
  )
}

/** `¥0.30–0.60 a picture`, with `≈` where no document of the service says so. */
export function priceText(t: Text, model: Model) {
  if (!model.price) return t('generate.priceUnknown')
  const amounts = model.price.image.map(step => step.amount)
  const { currency, certainty } = model.price
  const amount = moneyRange({ min: Math.min(...amounts), max: Math.max(...amounts), currency })
  return t('generate.perPicture', { amount: certainty === 'documented' ? amount : `≈ ${amount}` })
}

function listAbilities(t: Text, model: Model) {
  const { textToImage, withReferences } = toCard(model).sizes
  const rule = textToImage ?? withReferences
  const tier = rule ? listResolutions(rule).at(-1) : undefined
  const [fast, slow] = model.typical_seconds
  return [
    model.text_to_image && t('generate.abilityText'),
    model.references.max > 0 && t('generate.abilityReferences', { count: model.references.max }),
    model.images.group && model.images.group.max > 1 && t('generate.abilityGroup', { count: model.images.group.max }),
    tier && t('generate.abilityResolution', { tier }),
    t('generate.seconds', { fast, slow }),
  ].filter(ability => typeof ability === 'string')
}
