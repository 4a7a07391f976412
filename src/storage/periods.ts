/** Periods of time, by the calendar in UTC. */

/** Inclusive, exclusive; ISO 8601 in UTC. */
export interface Period {
  from: string
  to: string
}

/** The calendar month that a time lies in, in UTC. */
export function findMonth(time: string): Period {
  const date = new Date(time)
  const start = (month: number) => new Date(Date.UTC(date.getUTCFullYear(), month, 1)).toISOString()
  return { from: start(date.getUTCMonth()), to: start(date.getUTCMonth() + 1) }
}

/** Months and days are named by their beginnings, such as 2026-11 and 2026-11-23. */
export interface SplitPeriod {
  months: Period[]
  days: Period[]
  /** What lies before the first whole day, by time. */
  added: Period[]
  /** What the last of `days` holds beyond the period, by time: most periods end now, and nothing is beyond. */
  taken: Period[]
}

/** @param unit the longest whose whole may be taken at once */
export function splitPeriod(period: Period, unit: 'day' | 'month'): SplitPeriod {
  const { from, to } = period
  if (from >= to) return { months: [], days: [], added: [], taken: [] }
  const firstDay = from.endsWith(midnight) ? from.slice(0, 10) : nextDay(from)
  const lastDay = to.endsWith(midnight) ? to.slice(0, 10) : nextDay(to)
  if (firstDay >= lastDay) return { months: [], days: [], added: [period], taken: [] }
  const whole = splitDays({ from: firstDay, to: lastDay }, unit)
  const added = { from, to: firstDay }
  const taken = { from: to, to: lastDay }
  return {
    ...whole,
    added: from.endsWith(midnight) ? [] : [added],
    taken: to.endsWith(midnight) ? [] : [taken],
  }
}

function splitDays({ from, to }: Period, unit: 'day' | 'month'): Pick<SplitPeriod, 'months' | 'days'> {
  const firstMonth = from.endsWith('-01') ? from.slice(0, 7) : nextMonth(from)
  const lastMonth = to.slice(0, 7)
  if (unit === 'day' || firstMonth >= lastMonth) return { months: [], days: [{ from, to }] }
  const days = [
    { from, to: `${firstMonth}-01` },
    { from: `${lastMonth}-01`, to },
  ]
  return { months: [{ from: firstMonth, to: lastMonth }], days: days.filter(part => part.from < part.to) }
}

const midnight = 'T00:00:00.000Z'
const dayMs = 24 * 3600_000

/** The day behind the one that a time lies in. */
export function nextDay(time: string) {
  return new Date(Date.parse(time.slice(0, 10)) + dayMs).toISOString().slice(0, 10)
}

/** The month behind the one that a time lies in. Of any year; `Date.UTC` takes the first ones for others. */
export function nextMonth(day: string) {
  const month = Number(day.slice(5, 7))
  const year = Number(day.slice(0, 4))
  return month === 12
    ? `${String(year + 1).padStart(4, '0')}-01`
    : `${day.slice(0, 4)}-${String(month + 1).padStart(2, '0')}`
}
