/** English. The shape of every other dictionary: one part a screen, in files of their own. */
import { configurations } from './en/configurations.ts'
import { gallery } from './en/gallery.ts'
import { generate } from './en/generate.ts'
import { hints } from './en/hints.ts'
import { life } from './en/life.ts'
import { live } from './en/live.ts'
import { parameters } from './en/parameters.ts'
import { picture } from './en/picture.ts'
import { problems } from './en/problems.ts'
import { shell } from './en/shell.ts'
import { status } from './en/status.ts'
import { team } from './en/team.ts'
import { usage } from './en/usage.ts'
import { violations } from './en/violations.ts'
import { waiting } from './en/waiting.ts'
import { warnings } from './en/warnings.ts'
import { welcome } from './en/welcome.ts'

export const en = {
  shell,
  problems,
  parameters,
  hints,
  generate,
  life,
  live,
  gallery,
  picture,
  configurations,
  status,
  team,
  usage,
  waiting,
  violations,
  warnings,
  welcome,
}

export type Dictionary = typeof en
/** The same names in another language: `export const gallery: Words<typeof english> = { … }`. */
export type Words<English> = { [Name in keyof English]: string }
