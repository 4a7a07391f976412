/** The words of the studio in the language of the person: `useText()` in components, `t()` elsewhere. */
import { useSyncExternalStore } from 'react'
import { keep, readKept } from '../data/store.ts'
import type { Dictionary } from './en.ts'

export type Language = 'zh' | 'en'

/** Such as `gallery.empty`: the screen, then the name. */
export type TextKey = {
  [Screen in keyof Dictionary]: `${Screen}.${Extract<keyof Dictionary[Screen], string>}`
}[keyof Dictionary]
export type Text = typeof t

/** As the types of the dictionaries cannot be followed through a computed key. */
type Plain = Record<string, Record<string, string> | undefined>

const loaders: Record<Language, () => Promise<Plain>> = {
  zh: async () => (await import('./zh.ts')).zh,
  en: async () => (await import('./en.ts')).en,
}
let language: Language = 'en'
let dictionary: Plain = {}
const listeners = new Set<() => void>()

/** What was chosen here before, else the first of the browser's languages that we know. */
export function startingLanguage(): Language {
  const chosen = readKept('language')
  if (chosen === 'zh' || chosen === 'en') return chosen
  const known = navigator.languages.map(tag => tag.slice(0, 2).toLowerCase()).find(tag => tag === 'zh' || tag === 'en')
  return known === 'zh' ? 'zh' : 'en'
}

/** Loads the words and tells every component. */
export async function loadLanguage(next: Language) {
  dictionary = await loaders[next]()
  language = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
  for (const listener of listeners) listener()
}

/** How numbers and dates are written: as the browser says it, where that is a form of the language of the page. */
export function locale() {
  const page = document.documentElement.lang || 'en'
  return navigator.language.slice(0, 2).toLowerCase() === page.slice(0, 2) ? navigator.language : page
}

export async function chooseLanguage(next: Language) {
  keep('language', next)
  await loadLanguage(next)
}

/**
 * The text with its `{names}` filled in. `{count|picture|pictures}` is the first word for one and the second otherwise.
 * Numbers are written as the language does.
 */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  const [screen = '', name = ''] = key.split('.', 2)
  const text = dictionary[screen]?.[name] ?? key
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, value: string, one?: string, many?: string) => {
    const given = values[value] ?? ''
    if (one !== undefined && many !== undefined) return given === 1 ? one : many
    return typeof given === 'number' ? given.toLocaleString(locale()) : given
  })
}

/** The words for a key that may not exist, such as one made from a code of the server. */
export function findText(screen: keyof Dictionary, name: string): string | undefined {
  return dictionary[screen]?.[name]
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, () => language)
}

/** `t`, and a new drawing when the language changes. */
export function useText(): Text {
  useLanguage()
  return t
}
