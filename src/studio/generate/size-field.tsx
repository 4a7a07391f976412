/** Shape and resolution, the shapes drawn as what they are. */

import { Fragment, useId, useState } from 'react'
import { findTable, formatPixels, parseRatio } from '../../catalogue/sizes.ts'
import { type Text, useText } from '../text/text.ts'
import { describeViolation } from '../text/violations.ts'
import { ChoiceCard } from '../ui/choice-card.tsx'
import { classes } from '../ui/classes.ts'
import { controlClasses } from '../ui/field.tsx'
import { Segmented } from '../ui/segmented.tsx'
import type { Plan } from './plan.ts'
import { listResolutions, readPixels, type SizeChoice } from './size-choice.ts'

export interface SizeFieldProps {
  plans: readonly Plan[]
  choice: SizeChoice
  onChange(choice: SizeChoice): void
}

export function SizeField({ plans, choice, onChange }: SizeFieldProps) {
  const t = useText()
  const name = useId()
  const rules = plans.map(plan => plan.sizeRule).filter(rule => rule !== undefined)
  const tiers = [...new Set(rules.flatMap(listResolutions))]
  const ratios = [...new Set(rules.flatMap(rule => Object.keys(findTable(rule, choice.tier))))]
  const canBeOwn = rules.some(rule => rule.free)
  const isOwn = choice.pixels !== undefined
  const known = plans.map(plan => plan.pixels).filter(pixels => pixels !== undefined)
  const sizes = [
    ...new Set(
      known.map(pixels => t('generate.pixels', { width: String(pixels.width), height: String(pixels.height) })),
    ),
  ]
  const violations = plans.flatMap(({ model, violations }) =>
    violations
      .filter(({ path }) => path === 'parameters.size')
      .map(violation => describeViolation(violation, model.name)),
  )
  const limits = plans.flatMap(plan => describeLimits(t, plan))
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
            <ChoiceCard
              key={shape.value}
              size="shape"
              name={name}
              value={shape.value}
              isChosen={shape.value === chosen}
              onChoose={() => onChange(changed(shape.value, choice, plans))}
            >
              <span className="grid flex-1 place-items-center">
                <Shape ratio={shape.value === '' || shape.value === 'own' ? undefined : parseRatio(shape.value)} />
              </span>
              <span>{shape.label}</span>
            </ChoiceCard>
          ))}
        </div>
      </fieldset>
      {isOwn && (
        <>
          <OwnSize
            pixels={choice.pixels ?? ''}
            describedBy={`${name}-limits`}
            isRefused={violations.length > 0}
            onChange={pixels => onChange({ pixels })}
          />
          <p
            id={`${name}-limits`}
            className={classes('text-sm', violations.length > 0 ? 'text-seal-ink' : 'text-ink-faint')}
          >
            {(violations.length > 0 ? violations : limits).map(text => (
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

/** Before anything is wrong: how large and how small it may be. */
function describeLimits(t: Text, { model, sizeRule }: Plan): string[] {
  const { minArea: min, maxArea: max } = sizeRule?.free ?? {}
  return min && max ? [t('violations.size_area', { model: model.name, min, max })] : []
}

function changed(shape: string, choice: SizeChoice, plans: readonly Plan[]): SizeChoice {
  if (shape !== 'own') return { ratio: shape === '' ? undefined : shape, tier: choice.tier }
  const pixels = plans.map(plan => plan.pixels).find(pixels => pixels !== undefined)
  return { pixels: pixels ? formatPixels(pixels) : '2048x2048' }
}

/** A frame of the ratio, with the same area for each; dashed where there is none. */
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

/** Width and height are kept as they are typed; the size changes when both are numbers. */
function OwnSize(props: { pixels: string; describedBy: string; isRefused: boolean; onChange(pixels: string): void }) {
  const { pixels, describedBy, isRefused, onChange } = props
  const t = useText()
  const parsed = readPixels(pixels)
  const [sides, setSides] = useState([String(parsed?.width ?? ''), String(parsed?.height ?? '')])
  const change = (next: string[]) => {
    setSides(next)
    onChange(next.join('x'))
  }
  return (
    <div className="flex items-center gap-2">
      {(['width', 'height'] as const).map((side, index) => (
        <Fragment key={side}>
          {index > 0 && (
            <span aria-hidden className="text-ink-faint">
              ×
            </span>
          )}
          <input
            aria-label={t(`generate.${side}`)}
            aria-describedby={describedBy}
            aria-invalid={isRefused || undefined}
            inputMode="numeric"
            className={classes(controlClasses, 'text-center tabular-nums')}
            value={sides[index]}
            onChange={event => change(sides.with(index, event.target.value))}
          />
        </Fragment>
      ))}
    </div>
  )
}
