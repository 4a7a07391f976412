/** The words of the studio in the language of the person: `useText()` in components, `t()` elsewhere. */
import { createKept, createStore } from '../data/store.ts'
import type * as english from './en.ts'
import { fill } from './fill.ts'
import type * as chinese from './zh.ts'

export type Language = 'zh' | 'en'

type Dictionary = typeof english
/** Each language has all of them, and no other. */
type Texts = { [Screen in keyof Dictionary]: Record<keyof Dictionary[Screen] | keyof (typeof chinese)[Screen], string> }

/** Such as `gallery.empty`: the screen, then the name. */
export type TextKey = {
  [Screen in keyof Dictionary]: `${Screen}.${Extract<keyof Dictionary[Screen], string>}`
}[keyof Dictionary]
export type Text = typeof t

/** Untyped view of the dictionaries, whose types cannot be followed through a computed key. */
type Plain = Record<string, Record<string, string> | undefined>

const loaders: Record<Language, () => Promise<Texts>> = {
  zh: () => import('./zh.ts'),
  en: () => import('./en.ts'),
}
const kept = createKept('language', parseLanguage)
const current = createStore<{ language: Language; dictionary: Plain }>({ language: 'en', dictionary: {} })

function parseLanguage(text: unknown): Language | undefined {
  return text === 'zh' || text === 'en' ? text : undefined
}

/** What was chosen here before, else the first of the browser's languages that we know. */
export function startingLanguage(): Language {
  const known = navigator.languages.map(tag => parseLanguage(tag.slice(0, 2).toLowerCase()))
  return kept.read() ?? known.find(language => language !== undefined) ?? 'en'
}

/** Loads the words and tells every component. */
export async function loadLanguage(language: Language) {
  const dictionary = await loaders[language]()
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  current.set({ language, dictionary })
}

/** How numbers and dates are written: as the browser says it, where that is a form of the language of the page. */
export function locale() {
  const page = document.documentElement.lang || 'en'
  return navigator.language.slice(0, 2).toLowerCase() === page.slice(0, 2) ? navigator.language : page
}

export async function chooseLanguage(next: Language) {
  kept.write(next)
  await loadLanguage(next)
}

/** The text with its `{names}` filled in; numbers are written as the language does. */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  const [screen = '', name = ''] = key.split('.', 2)
  return fill(current.get().dictionary[screen]?.[name] ?? key, values, value => value.toLocaleString(locale()))
}

/** The words for a key that may not exist, such as one made from a code of the server. */
export function findText(screen: keyof Dictionary, name: string): string | undefined {
  return current.get().dictionary[screen]?.[name]
}

export function useLanguage(): Language {
  return current.use(({ language }) => language)
}

/** `t`, and a new drawing when the language changes. */
export function useText(): Text {
  useLanguage()
  return t
}
