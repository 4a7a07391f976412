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
  if (parameter === 'size' && generation.references.length > 0 && found.sizes.with_references === null) {
    return t('generate.noSize')
  }
  if (parameter === 'enable_interleave' && generation.parameters.enable_interleave === undefined) {
    return t('generate.warningStory', { model })
  }
  // With a cap there may be another about the model, and which is which only their sentences tell.
  if (parameter === 'model' && found.state === 'retired' && countOf(generation, 'model') === 1) {
    return t('generate.noteRetired', { model })
  }
  const reason = findText('generate', `reason_${parameter}`)
  const wasAsked = generation.parameters[parameter] !== undefined
  if (reason && wasAsked && generation.resolved && generation.resolved[parameter] === undefined) {
    return t('generate.warningNotSent', { parameter: findText('parameters', parameter) ?? parameter, reason })
  }
  return warning.message
}

function countOf({ warnings }: Generation, parameter: string) {
  return warnings.filter(warning => warning.parameter === parameter).length
}
