/** Light, dark, or as the system has it. */
import { useSyncExternalStore } from 'react'
import { keep, readKept } from '../data/store.ts'

export type Theme = 'system' | 'light' | 'dark'

const listeners = new Set<() => void>()

function read(): Theme {
  const kept = readKept('theme')
  return kept === 'light' || kept === 'dark' ? kept : 'system'
}

/** Puts it on the page; call it before the first drawing. */
export function applyTheme(theme: Theme = read()) {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

function chooseTheme(theme: Theme) {
  keep('theme', theme === 'system' ? null : theme)
  applyTheme(theme)
  for (const listener of listeners) listener()
}

/** Between light and dark, whatever is shown now. */
export function toggleTheme() {
  const theme = read()
  const isDark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
  chooseTheme(isDark ? 'light' : 'dark')
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useTheme() {
  return useSyncExternalStore(subscribe, read)
}
