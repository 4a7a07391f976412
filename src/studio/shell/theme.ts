/** Light, dark, or as the system has it. */
import { createKept, createStore } from '../data/store.ts'

type Theme = 'light' | 'dark' | 'system'

const kept = createKept<Theme>('theme', theme => (theme === 'light' || theme === 'dark' ? theme : 'system'))
const theme = createStore(kept.read())

const barColours = [...document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')].map(meta => ({
  meta,
  scheme: /dark/.test(meta.media) ? 'dark' : 'light',
  colour: meta.content,
}))

/** Puts it on the page; call it before the first drawing. */
export function applyTheme() {
  if (theme.get() === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme.get()
  // The frame of an installed window: the page names the colour of each theme.
  for (const { meta, scheme, colour } of barColours) {
    const shown = theme.get() === 'system' ? scheme : theme.get()
    meta.content = barColours.find(({ scheme }) => scheme === shown)?.colour ?? colour
  }
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
