/** Explains the answer "no such model", which may mean that the model was retired. */

import type { ConfigurationRegistry } from '../configurations/configurations.ts'
import type { ProviderFailure } from '../outgoing/failure.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { CallRecord } from '../storage/calls.ts'
import { type Lives, wordsForUnknown } from './lives.ts'
import type { ModelLists } from './model-lists.ts'

export type ExplainUnknownModel = (
  call: Pick<CallRecord, 'configId' | 'provider' | 'model'>,
  failure: ProviderFailure,
  signal: AbortSignal,
) => Promise<ProviderFailure>

const askedWithinMs = 5_000

/** The list of the service is asked, which is free, because the refusal is the same for a wrong id and a model that ended today. */
export function createUnknownModelExplainer(parts: {
  lives: Lives
  catalogue: Catalogue
  lists: Pick<ModelLists, 'ask'>
  configurations: Pick<ConfigurationRegistry, 'access'>
}): ExplainUnknownModel {
  const { lives, catalogue, lists, configurations } = parts
  return async ({ configId, provider: id, model: modelId }, failure, signal) => {
    const found = catalogue.find(modelId, id)
    if (!failure.isModelUnknown || !found) return failure
    const access = await configurations.access(configId)
    const place = { modelId, address: access.baseUrl }
    if (lives.at(found, place).stage !== 'ended') {
      await lists.ask(access, AbortSignal.any([signal, AbortSignal.timeout(askedWithinMs)]))
    }
    const standing = lives.at(found, place)
    const standard = standing.platform && lives.standardAt(found.provider, access.baseUrl)
    const current = standard === found.model.id ? undefined : standard
    const { message, code, values } = wordsForUnknown(failure, modelId, standing, current)
    return { ...failure, message, reason: { code, values } }
  }
}
