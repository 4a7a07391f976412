/** Shape and resolution, the shapes drawn as what they are. */

import { useId, useState } from 'react'
import type { Model } from '../../api/models.ts'
import { type Text, useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import { controlClasses } from '../ui/field.tsx'
import { Segmented } from '../ui/segmented.tsx'
import type { Plan } from './plan.ts'
import { parsePixels, ratioOf, ratiosOf, type SizeChoice, type SizeFault, sizeRuleOf, tiersOf } from './sizes.ts'

export interface SizeFieldProps {
  models: readonly Model[]
  plans: readonly Plan[]
  references: number
  choice: SizeChoice
  onChange(choice: SizeChoice): void
}

export function SizeField({ models, plans, references, choice, onChange }: SizeFieldProps) {
  const t = useText()
  const name = useId()
  const rules = models
    .map((model, index) => sizeRuleOf(model, { isGroup: isGroup(plans[index]), references }))
    .filter(rule => rule !== undefined)
  const tiers = [...new Set(rules.flatMap(tiersOf))]
  const ratios = [...new Set(rules.flatMap(rule => ratiosOf(rule, choice.tier)))]
  const canBeOwn = rules.some(rule => rule.free)
  const isOwn = choice.pixels !== undefined
  const known = plans.map(plan => plan.pixels).filter(pixels => pixels !== undefined)
  const sizes = [
    ...new Set(
      known.map(pixels => t('generate.pixels', { width: String(pixels.width), height: String(pixels.height) })),
    ),
  ]
  const faults = plans.flatMap(({ model, faults }) =>
    faults.flatMap(fault => (fault.kind === 'size' ? [sizeFaultText(t, model.name, fault.fault)] : [])),
  )
  const limits = plans.flatMap(plan => limitsOf(t, plan, references))
  if (rules.length === 0) return <p className="text-ink-faint text-sm">{t('generate.noSize')}</p>

  const shapes = [
    { value: '', label: t('generate.shapeAuto') },
    ...ratios.map(ratio => ({ value: ratio, label: ratio })),
    ...(canBeOwn ? [{ value: 'own', label: t('generate.shapeCustom') }] : []),
  ]
  const chosen = isOwn ? 'own' : (choice.ratio ?? '')
  return (
    <div className="flex flex-col gap-3">
      <fieldset>
        <legend className="mb-1.5 flex w-full items-baseline justify-between font-medium text-ink-soft text-sm">
          {t('generate.shape')}
          <span className="font-normal text-ink-faint tabular-nums">{sizes.length <= 2 ? sizes.join(' · ') : ''}</span>
        </legend>
        <div className="grid grid-cols-[repeat(auto-fill,minmax(3.4rem,1fr))] gap-1.5">
          {shapes.map(shape => (
            <label
              key={shape.value}
              className={classes(
                'flex h-17 cursor-pointer flex-col items-center justify-end gap-1 rounded-xl border pb-1 text-xs transition-colors',
                'has-focus-visible:outline-2 has-focus-visible:outline-seal-ink has-focus-visible:outline-offset-2',
                shape.value === chosen
                  ? 'border-seal bg-seal-wash font-medium text-seal-ink'
                  : 'border-line bg-raised text-ink-soft hover:border-line-strong',
              )}
            >
              <input
                type="radio"
                name={name}
                className="sr-only"
                checked={shape.value === chosen}
                onChange={() => onChange(changed(shape.value, choice, plans))}
              />
              <span className="grid flex-1 place-items-center">
                <Shape ratio={shape.value === '' || shape.value === 'own' ? undefined : ratioOf(shape.value)} />
              </span>
              <span>{shape.label}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {isOwn && (
        <>
          <OwnSize
            pixels={choice.pixels ?? ''}
            describedBy={`${name}-limits`}
            isRefused={faults.length > 0}
            onChange={pixels => onChange({ pixels })}
          />
          <p
            id={`${name}-limits`}
            className={classes('text-sm', faults.length > 0 ? 'text-seal-ink' : 'text-ink-faint')}
          >
            {(faults.length > 0 ? faults : limits).map(text => (
              <span key={text} className="block">
                {text}
              </span>
            ))}
          </p>
        </>
      )}
      {!isOwn && tiers.length > 1 && (
        <div className="flex flex-wrap items-center justify-between gap-2">
          <span aria-hidden className="font-medium text-ink-soft text-sm">
            {t('generate.resolution')}
          </span>
          <Segmented
            label={t('generate.resolution')}
            value={choice.tier ?? ''}
            choices={[
              { value: '', label: t('generate.resolutionAuto') },
              ...tiers.map(tier => ({ value: tier, label: tier })),
            ]}
            onChange={tier => onChange({ ratio: choice.ratio, tier: tier === '' ? undefined : tier })}
          />
        </div>
      )}
    </div>
  )
}

export function sizeFaultText(t: Text, model: string, { kind, least, most }: SizeFault) {
  return t(`generate.sizeFault_${kind}`, { model, least, most })
}

/** Before anything is wrong: how large and how small it may be. */
function limitsOf(t: Text, plan: Plan, references: number): string[] {
  const { min_area: least, max_area: most } = sizeRuleOf(plan.model, { isGroup: isGroup(plan), references })?.free ?? {}
  if (!least || !most) return []
  return [t('generate.sizeFault_area', { model: plan.model.name, least, most })]
}

function isGroup(plan: Plan | undefined) {
  const group = plan?.model.images.group
  return group !== null && group !== undefined && group.asked_by === null && (plan?.count ?? 1) > 1
}

function changed(shape: string, choice: SizeChoice, plans: readonly Plan[]): SizeChoice {
  if (shape !== 'own') return { ratio: shape === '' ? undefined : shape, tier: choice.tier }
  const pixels = plans.map(plan => plan.pixels).find(pixels => pixels !== undefined)
  return { pixels: pixels ? `${pixels.width}x${pixels.height}` : '2048x2048' }
}

/** Of the same area whatever its ratio; dashed when there is none. */
function Shape({ ratio }: { ratio: number | undefined }) {
  const area = 20 * 20
  const limited = Math.min(Math.max(ratio ?? 1, 0.42), 2.4)
  const width = Math.round(Math.sqrt(area * limited))
  const height = Math.round(Math.sqrt(area / limited))
  return (
    <svg aria-hidden="true" width="32" height="32" viewBox="-16 -16 32 32">
      <rect
        x={-width / 2}
        y={-height / 2}
        width={width}
        height={height}
        rx="2.5"
        fill="currentColor"
        fillOpacity={ratio === undefined ? 0 : 0.16}
        stroke="currentColor"
        strokeWidth="1.5"
        strokeDasharray={ratio === undefined ? '3 2.4' : undefined}
      />
    </svg>
  )
}

/** Both sides are kept as they are typed; the size changes when they are numbers. */
function OwnSize(props: { pixels: string; describedBy: string; isRefused: boolean; onChange(pixels: string): void }) {
  const { pixels, describedBy, isRefused, onChange } = props
  const t = useText()
  const parsed = parsePixels(pixels)
  const [sides, setSides] = useState<[string, string]>([String(parsed?.width ?? ''), String(parsed?.height ?? '')])
  const change = (next: [string, string]) => {
    setSides(next)
    onChange(`${next[0]}x${next[1]}`)
  }
  return (
    <div className="flex items-center gap-2">
      <input
        aria-label={t('generate.width')}
        aria-describedby={describedBy}
        aria-invalid={isRefused || undefined}
        inputMode="numeric"
        className={classes(controlClasses, 'text-center tabular-nums')}
        value={sides[0]}
        onChange={event => change([event.target.value, sides[1]])}
      />
      <span aria-hidden className="text-ink-faint">
        ×
      </span>
      <input
        aria-label={t('generate.height')}
        aria-describedby={describedBy}
        aria-invalid={isRefused || undefined}
        inputMode="numeric"
        className={classes(controlClasses, 'text-center tabular-nums')}
        value={sides[1]}
        onChange={event => change([sides[0], event.target.value])}
      />
    </div>
  )
}
