/** Which model makes a generation, and with whose key. */

import type { ConfigurationRegistry, Configurations } from '../configurations/configurations.ts'
import { findPool, isDue } from '../coordination/pool.ts'
import { AllSuspended, invalid, Refusal } from '../errors.ts'
import type { Lives } from '../offers/lives.ts'
import { spelledFor } from '../providers/default-model.ts'
import type { Provider } from '../providers/provider.ts'
import type { Catalogue, FoundModel } from '../providers/registry.ts'
import type { ConfigurationRecord } from '../storage/records.ts'
import type { GenerationRequest } from './services.ts'

export interface Target {
  /** The configuration that the request begins with. */
  configuration: ConfigurationRecord
  /** All that may send it, `configuration` first; one where the request names it. */
  candidates: ConfigurationRecord[]
  /** The request named no configuration. */
  mayMove: boolean
  /** The one address of all candidates. */
  address: string
  found: FoundModel
  /** The id as it is sent: that of the catalogue under its name on the platform; an alias or an endpoint id is unchanged. */
  modelId: string
  /** Why nothing can be sent for it at the moment. */
  refusal: AllSuspended | undefined
}

/**
 * Without `config_id`: of the active ones of the model's provider the newest stored, then the environment's, and with it those that lead
 * to the same service at the same address. Suspended ones come last.
 */
export async function chooseTarget(
  { configurations, catalogue, lives }: { configurations: ConfigurationRegistry; catalogue: Catalogue; lives: Lives },
  request: GenerationRequest,
): Promise<Target> {
  const active = await configurations.active()
  const ready = active.filter(one => !one.suspension)
  const inTurn = activeInTurn(active)
  const declared = request.provider
  const names = catalogue.providerIds.join(', ')
  if (declared !== undefined && !catalogue.findProvider(declared)) {
    throw invalid([{ path: 'provider', message: `"${declared}" is not a provider here; choose one of ${names}.` }])
  }
  let configuration: ConfigurationRecord | undefined
  if (request.configId !== undefined) {
    configuration = (await configurations.list()).find(({ id }) => id === request.configId)
    if (!configuration)
      throw invalid([
        { path: 'config_id', message: 'There is no configuration with this id; GET /api/config lists them.' },
      ])
    if (!active.some(({ id }) => id === configuration?.id)) {
      throw invalid([
        { path: 'config_id', message: `The configuration "${configuration.name}" is switched off or has no key.` },
      ])
    }
    if (declared && declared !== configuration.provider) {
      throw invalid([
        {
          path: 'provider',
          message: `The configuration "${configuration.name}" is one of ${configuration.provider}, not of ${declared}.`,
        },
      ])
    }
  }
  const standard = configuration ?? inTurn.find(one => (declared ? one.provider === declared : true))
  const usualProvider = standard?.provider ?? declared
  const modelId =
    request.model?.trim() || (usualProvider && usualModel({ configurations, lives }, usualProvider, standard))
  if (!modelId) throw noConfiguration(catalogue.findProvider(declared), undefined)

  // A model that only a configuration names belongs to that configuration's provider.
  const listed = catalogue.find(modelId)
  const isListedModel = listed !== undefined && listed.model.state !== 'unlisted'
  configuration ??= request.model
    ? (isListedModel ? ready : inTurn).find(one => one.model === modelId && (!declared || one.provider === declared))
    : standard
  const provider = configuration?.provider ?? declared
  if (
    listed &&
    listed.model.state !== 'unlisted' &&
    provider &&
    provider !== listed.provider &&
    !catalogue.findProvider(provider)?.isCommonProtocol
  ) {
    throw invalid([{ path: 'model', message: `${modelId} is a model of ${listed.provider}, not of ${provider}.` }])
  }
  const found = catalogue.find(modelId, provider) ?? listed
  if (!found) {
    const message = `No provider is known for the model "${modelId.slice(0, 80)}". Say which one in "provider" (${names}), or choose from GET /api/models.`
    throw invalid([{ path: 'model', message }])
  }
  configuration ??= inTurn.find(one => one.provider === found.provider)
  if (!configuration) throw noConfiguration(catalogue.provider(found.provider), modelId)
  const first = configuration
  const mayMove = request.configId === undefined
  const address = configurations.addressOf(first)
  const isListed = found.model.state !== 'unlisted'
  const { addressOf } = configurations
  const sharers = mayMove ? findPool(first, inTurn, { model: modelId, isListed, addressOf }) : []
  const candidates = [first, ...sharers.filter(one => one.id !== first.id)]
  return {
    configuration: first,
    candidates,
    mayMove,
    address,
    found,
    modelId: spelledFor(found.model, modelId, configurations.platformOf(first)),
    refusal: findRefusal(candidates),
  }
}

/** A configuration that is named or alone is tried with every request: a refusal costs nothing. */
function findRefusal(candidates: ConfigurationRecord[]): AllSuspended | undefined {
  const aside = candidates.map(({ suspension }) => suspension).filter(suspension => suspension !== null)
  if (aside.length < candidates.length || aside.length === 1 || aside.some(isDue)) return undefined
  const next = aside.reduce((best, one) => (one.retryAt < best.retryAt ? one : best))
  return new AllSuspended(next)
}

/**
 * The configuration for a request that names only a model of the catalogue; a suspended one if there
 * is no other.
 */
export function usualConfiguration(
  all: readonly ConfigurationRecord[],
  { provider, model }: FoundModel,
): ConfigurationRecord | undefined {
  const inTurn = activeInTurn(all)
  return inTurn.find(one => one.model === model.id) ?? inTurn.find(one => one.provider === provider)
}

/** The id of the model that makes a request which names a provider, or nothing at all. */
export function usualModel(
  { configurations, lives }: { configurations: Pick<Configurations, 'addressOf'>; lives: Lives },
  provider: string,
  configuration: ConfigurationRecord | undefined,
): string {
  if (configuration?.model) return configuration.model
  return lives.standardAt(provider, configurations.addressOf(configuration ?? { provider, baseUrl: null }))
}

/** Usable ones first, then suspended ones. */
export function activeInTurn(all: readonly ConfigurationRecord[]): ConfigurationRecord[] {
  const active = all.filter(({ isActive, hasKey }) => isActive && hasKey)
  return [...active.filter(one => !one.suspension), ...active.filter(one => one.suspension)]
}

function noConfiguration(provider: Provider | undefined, modelId: string | undefined) {
  const name = provider?.name ?? 'any service'
  const variable = provider?.environmentPrefix ? ` or set ${provider.environmentPrefix}_API_KEY and restart` : ''
  return new Refusal(
    'configuration_missing',
    `No active configuration for ${name}${modelId ? `, which the model ${modelId.slice(0, 80)} needs` : ''}. Add one with its API key (POST /api/config)${variable}${modelId ? '; or choose another model from GET /api/models' : ''}.`,
  )
}
