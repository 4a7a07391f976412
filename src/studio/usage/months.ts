/** Months and days as the server counts them: those of UTC. */

/** `2026-11`. */
export function thisMonth(now = new Date()) {
  return now.toISOString().slice(0, 7)
}

export function isMonth(text: string | undefined): text is string {
  return text !== undefined && /^\d{4}-(0[1-9]|1[0-2])$/.test(text)
}

/** `2026-11-01` to `2026-11-30`. */
export function listDays(month: string): string[] {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const count = new Date(Date.UTC(year, number, 0)).getUTCDate()
  return Array.from({ length: count }, (_, index) => `${month}-${String(index + 1).padStart(2, '0')}`)
}

/** The months of these days, this month and `also`; newest first. */
export function listMonths(days: readonly string[], also: string): string[] {
  const months = new Set([...days.map(day => day.slice(0, 7)), thisMonth(), also])
  return [...months].sort().reverse()
}
