/** How much of a cap is used: in words, and as a bar. */
import { money } from '../text/format.ts'
import { useText } from '../text/text.ts'
import { classes } from './classes.ts'

export interface Cap {
  unit: 'money' | 'pictures'
  used: number
  most: number
  /** Currency of a cap in money. */
  currency?: string
}

interface Capped {
  monthly_cap: { amount: number; currency: string } | null
  monthly_images: number | null
}

interface Spent {
  images: number
  amounts: readonly { amount: number; currency: string }[]
}

/** The caps of a token or a key: in money, in pictures, both or none. */
export function listCaps({ monthly_cap: cap, monthly_images: images }: Capped, spent: Spent): Cap[] {
  const caps: Cap[] = []
  if (cap) {
    const used = spent.amounts.find(({ currency }) => currency === cap.currency)?.amount ?? 0
    caps.push({ unit: 'money', used, most: cap.amount, currency: cap.currency })
  }
  if (images !== null) caps.push({ unit: 'pictures', used: spent.images, most: images })
  return caps
}

/** Share above which the bar warns that little is left. */
const littleAbove = 0.8

export function CapBar({ cap, name }: { cap: Cap; name: string }) {
  const t = useText()
  const { unit, used, most, currency = '' } = cap
  const show = (value: number) =>
    unit === 'money' ? money(value, currency) : t('usage.capPictures', { count: Math.round(value) })
  const left = Math.max(0, Math.round((most - used) * 1e6) / 1e6)
  const share = most === 0 ? 1 : Math.min(1, used / most)
  const look = left === 0 ? 'full' : share > littleAbove ? 'little' : 'enough'
  const words = t('usage.capUsed', { used: unit === 'money' ? show(used) : used, cap: show(most) })
  const rest = left === 0 ? t('usage.capFull') : t('usage.capLeft', { left: show(left) })
  return (
    <div>
      <p className="flex flex-wrap justify-between gap-x-4 text-sm tabular-nums">
        <span>
          <span className="sr-only">{`${name}, ${t(unit === 'money' ? 'usage.money' : 'gallery.pictures')}: `}</span>
          {words}
        </span>
        <span className={look === 'full' ? 'text-seal-ink' : look === 'little' ? 'text-amber' : 'text-ink-soft'}>
          {rest}
        </span>
      </p>
      <div aria-hidden className="mt-1.5 h-2 overflow-hidden rounded-full bg-sunken">
        <div
          style={{ width: `${share * 100}%` }}
          className={classes(
            'h-full rounded-full',
            look === 'full' ? 'bg-seal' : look === 'little' ? 'bg-amber' : 'bg-jade',
          )}
        />
      </div>
    </div>
  )
}
