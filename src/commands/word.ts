/** What describes a word of the program. */
import type { Words } from '../operator/environment-file.ts'

export interface Option {
  type: 'string' | 'boolean'
  short?: string
  /** May be given several times. */
  multiple?: boolean
  /** What stands for its value in the help: `FILE`. */
  value?: string
  /** The only values that there are. */
  choices?: readonly string[]
  about: Words
}

export interface Word {
  /** Another name of it. */
  alias?: string
  /** Speaks to a server by its address, instead of working on the data of one. */
  isRemote?: boolean
  /** What must or may stand behind it: `FILE`, `[FILE]`, `ID…` (one or more), `[WORD…]`. */
  operands?: readonly string[]
  /** What to say where there are too many of them. */
  surplus?: Words
  /** In the list of all words. */
  about: Words
  /** Paragraphs of its own help. */
  more?: readonly Words[]
  options?: Readonly<Record<string, Option>>
}
