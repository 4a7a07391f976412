/** Settings of a generation as people read them. */
import { findText, type Text } from './text.ts'

export function formatLabel(name: string) {
  return findText('parameters', name) ?? name
}

export function formatValue(value: unknown, t: Text): string {
  if (typeof value === 'boolean') return t(value ? 'shell.yes' : 'shell.no')
  if (typeof value === 'string') return value.replace(/^(\d+)[x*](\d+)$/, '$1 × $2')
  return typeof value === 'number' ? String(value) : JSON.stringify(value)
}
