import type { Model } from '../api/models.ts'
import type { Generation } from './api.ts'
import { findText, type Text } from './text/text.ts'

/** In the language of the page as far as the catalogue tells why; otherwise the sentence of the server. */
export function warningText(
  t: Text,
  generation: Generation,
  warning: Generation['warnings'][number],
  models: readonly Model[],
): string {
  const found = models.find(({ id, aliases }) => id === generation.model || aliases.includes(generation.model ?? ''))
  if (!found) return warning.message
  const { name: model, parameters, prompt, images } = found
  const { parameter } = warning
  const names = Object.keys((parameters.properties ?? {}) as object)
  const length = [...generation.prompt].length
  if (parameter === 'prompt' && prompt.max_characters !== null && length > prompt.max_characters) {
    return t('generate.promptCut', { model, most: prompt.max_characters, length })
  }
  if (parameter === 'n' && images.group?.asked_by === null) {
    return t('generate.warningSeries', { model, count: Number(generation.parameters.n) })
  }
  if (generation.parameters[parameter] !== undefined && !names.includes(parameter)) {
    return t('generate.warningLeftOut', { model, parameter: findText('parameters', parameter) ?? parameter })
  }
  return warning.message
}
