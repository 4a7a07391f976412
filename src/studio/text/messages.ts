/** What the server tells with a code, in the language of the page; for a code that is not known here its own sentence. */
import type { Generation } from '../data/generations.ts'
import { type Model, nameOfModel } from '../data/models.ts'
import type { Status } from '../data/status.ts'
import { clock } from './format.ts'
import { describeLifeWarning } from './life.ts'
import { findText, type TextKey, t } from './text.ts'

/** About how a picture was made: where none was, they are of no use. */
const aboutImages = new Set([
  'left_out',
  'size_fitted',
  'prompt_cut',
  'negative_prompt_cut',
  'series_number',
  'size_of_reference',
  'story_without_reference',
  'story_writes_itself',
  'needs_rewriting',
  'needs_plain_text',
  'needs_reference',
  'needs_one_reference',
  'layers_without_seed',
  'edit_without_moderation',
])

/** Warnings that still hold: advice for what did not come true is left out. */
export function currentWarnings(generation: Generation): Generation['warnings'] {
  const { images, parameters, finished_at: finishedAt, warnings, error } = generation
  if (finishedAt === null) return warnings
  const wanted = typeof parameters.n === 'number' ? parameters.n : 1
  const isSaid = error?.reason_code === 'model_ended'
  return warnings.filter(({ code }) => {
    if (isSaid && code === 'model_retired') return false
    if (images.length === 0) return !aboutImages.has(code ?? '')
    return code !== 'series_number' || images.length < wanted
  })
}

export function explainWarning(
  generation: Generation,
  warning: Generation['warnings'][number],
  models: readonly Model[],
): string {
  const { code, parameter, message, values } = warning
  const model = nameOfModel(models, generation.model ?? '')
  const ending = describeLifeWarning(model, warning, models)
  if (ending !== undefined) return ending
  if (code === null || findText('warnings', code) === undefined) return message
  return t(`warnings.${code}` as TextKey, {
    ...values,
    model,
    parameter: findText('parameters', parameter) ?? parameter,
    of: 'scope' in values ? t(`warnings.of_${values.scope}` as TextKey, values) : '',
  })
}

/** Why something does not go on; `detail` is in English and says it exactly. */
export function explainWaiting({ reason, code, values }: Omit<Status['queue']['waiting'][number], 'id'>) {
  if (code === null || findText('waiting', code) === undefined) return { text: reason }
  const time = typeof values.at === 'string' ? clock(values.at) : ''
  return { text: t(`waiting.${code}` as TextKey, { ...values, time }), detail: values.detail }
}
