/** Light, dark, or as the system has it. */
import { createKept, createStore } from '../data/store.ts'

type Theme = 'light' | 'dark' | 'system'

const kept = createKept<Theme>('theme', theme => (theme === 'light' || theme === 'dark' ? theme : 'system'))
const theme = createStore(kept.read())

/** Puts it on the page; call it before the first drawing. */
export function applyTheme() {
  if (theme.get() === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme.get()
}

export function useIsDark() {
  return theme.use(isDark)
}

/** Between light and dark, whatever is shown now. */
export function toggleTheme() {
  theme.set(isDark(theme.get()) ? 'light' : 'dark')
  kept.write(theme.get())
  applyTheme()
}

function isDark(chosen: Theme) {
  return chosen === 'dark' || (chosen === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
}
