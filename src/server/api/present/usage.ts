/** What was made and spent, as a table for a spreadsheet. */

import type { UsageItem } from '../../../members/usage.ts'

const columns = ['key', 'name', 'images', 'calls', 'amount', 'currency', 'unknown'] as const

/** RFC 4180, with a byte order mark, without which spreadsheets misread Chinese. */
export function formatCsv(items: UsageItem[]) {
  const lines = items.map(item => columns.map(column => formatCell(item[column])).join(','))
  return `\uFEFF${[columns.join(','), ...lines].join('\r\n')}\r\n`
}

/** A name that a spreadsheet would run as a formula is prefixed with an apostrophe (OWASP, CSV injection). */
function formatCell(value: string | number | null) {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[\s]*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(value) ? `'${value}` : value
  return `"${text.replaceAll('"', '""')}"`
}
