import { locale, type Text } from '../text/text.ts'

const dayMs = 86_400_000

/** `day` is such as `2026-11-23`, where the person is. */
export function dayName(day: string, t: Text): string {
  const date = new Date(`${day}T12:00:00`)
  const today = new Date()
  const days = Math.round((new Date(today).setHours(12, 0, 0, 0) - date.getTime()) / dayMs)
  if (days === 0) return t('gallery.today')
  if (days === 1) return t('gallery.yesterday')
  const isThisYear = date.getFullYear() === today.getFullYear()
  return date.toLocaleDateString(locale(), {
    month: 'long',
    day: 'numeric',
    weekday: 'short',
    year: isThisYear ? undefined : 'numeric',
  })
}
