/** Numbers, money and times as the language of the page writes them. */
import { locale } from './text.ts'

export interface MoneyRange {
  min: number
  max: number
  currency: string
}

/** `¥0.25`; cents are enough except for amounts that have smaller parts. */
export function money(amount: number, currency: string) {
  return new Intl.NumberFormat(locale(), {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: 2,
    maximumFractionDigits: 3,
  }).format(amount)
}

export function moneyRange({ min, max, currency }: MoneyRange) {
  return min === max ? money(max, currency) : `${money(min, currency)}–${money(max, currency)}`
}

/** `12 s` or `2 min 5 s`. */
export function duration(milliseconds: number) {
  const seconds = milliseconds / 1000
  const unit = (value: number, name: 'second' | 'minute', digits = 0) =>
    new Intl.NumberFormat(locale(), {
      style: 'unit',
      unit: name,
      unitDisplay: 'short',
      maximumFractionDigits: digits,
    }).format(value)
  if (seconds < 60) return unit(seconds, 'second', seconds < 10 ? 1 : 0)
  const rest = Math.floor(seconds % 60)
  const minutes = unit(Math.floor(seconds / 60), 'minute')
  return rest === 0 ? minutes : `${minutes} ${unit(rest, 'second')}`
}

export function bytes(count: number) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1)
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit: units[power],
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power > 1 ? 1 : 0,
  }).format(count / 1000 ** power)
}

/** As short as it is unmistakable: today's without the date, this year's without the year, older ones without the time. */
export function shortMoment(timestamp: string, now = new Date()) {
  const date = new Date(timestamp)
  if (date.getFullYear() !== now.getFullYear()) return date.toLocaleDateString(locale(), { dateStyle: 'medium' })
  const isToday = date.toDateString() === now.toDateString()
  return date.toLocaleString(locale(), {
    ...(isToday ? {} : { month: 'short', day: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
  })
}

/** `3 minutes ago` within a day, then the date. */
export function ago(timestamp: string, now = Date.now()) {
  const seconds = Math.round((Date.parse(timestamp) - now) / 1000)
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' })
  if (seconds > -45) return relative.format(0, 'second')
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), 'minute')
  if (seconds > -24 * 3600) return relative.format(Math.round(seconds / 3600), 'hour')
  return moment(timestamp)
}

/** Date and time to the minute. */
export function moment(timestamp: string) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(timestamp))
}

/** `14:05:09`, of today. */
export function clock(timestamp: string) {
  return new Intl.DateTimeFormat(locale(), { timeStyle: 'medium' }).format(new Date(timestamp))
}

/** `1 December 2026`, a day in UTC as the server counts them. */
export function day(date: string) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(date))
}

/** `1 December 2026`: the day of a moment, here. */
export function longDay(timestamp: string) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'long' }).format(new Date(timestamp))
}

/** `1 Dec`, with its year where that is another: the day of a moment, here. */
export function shortDayHere(timestamp: string) {
  const time = new Date(timestamp)
  const year = time.getFullYear() === new Date().getFullYear() ? undefined : 'numeric'
  return new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short', year }).format(time)
}

/** `1 Dec` of a day such as `2026-12-01`. */
export function shortDay(date: string) {
  return new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(date))
}

/** `December 2026` of a month such as `2026-12`. */
export function month(date: string) {
  return new Intl.DateTimeFormat(locale(), { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(new Date(date))
}
