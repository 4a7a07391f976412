/** 中文. */
import type { Dictionary, Words } from './en.ts'
import { configurations } from './zh/configurations.ts'
import { gallery } from './zh/gallery.ts'
import { generate } from './zh/generate.ts'
import { hints } from './zh/hints.ts'
import { life } from './zh/life.ts'
import { live } from './zh/live.ts'
import { parameters } from './zh/parameters.ts'
import { picture } from './zh/picture.ts'
import { problems } from './zh/problems.ts'
import { shell } from './zh/shell.ts'
import { status } from './zh/status.ts'
import { team } from './zh/team.ts'
import { usage } from './zh/usage.ts'
import { violations } from './zh/violations.ts'
import { waiting } from './zh/waiting.ts'
import { warnings } from './zh/warnings.ts'
import { welcome } from './zh/welcome.ts'

export const zh: { [Screen in keyof Dictionary]: Words<Dictionary[Screen]> } = {
  ...{ shell, problems, parameters, hints, generate, live, gallery, picture, configurations, status, welcome },
  ...{ life, team, usage, violations, waiting, warnings },
}
