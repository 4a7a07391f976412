import { Columns2 } from 'lucide-react'
import type { Model } from '../data/models.ts'
import { useText } from '../text/text.ts'
import { LifeBadge } from '../ui/life-badge.tsx'
import { priceText } from './model-picker.tsx'

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
