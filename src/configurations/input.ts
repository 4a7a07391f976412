/** What people enter for a configuration: what is wrong with it, and what is kept of it. */
import type { Violation } from '../catalogue/violation.ts'
import { cleanSecret } from '../operator/setting-values.ts'
import type { OutgoingHttp } from '../outgoing/http.ts'
import { withoutSlash } from '../providers/platforms.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { StoredConfiguration } from '../storage/configurations.ts'
import type { Caps, Share } from '../storage/records.ts'

export interface ConfigurationInput extends Partial<Caps>, Partial<Share> {
  name?: string
  provider?: string
  /** The model of requests that name none. */
  model?: string | null
  /** Null: the usual address of the provider. */
  baseUrl?: string | null
  apiKey?: string
  isActive?: boolean
}

/** Paths are the names of the HTTP API. */
export async function findViolations(
  { provider, model, baseUrl, apiKey }: ConfigurationInput,
  { http, catalogue }: { http: OutgoingHttp; catalogue: Catalogue },
): Promise<Violation[]> {
  const violations: Violation[] = []
  const service = catalogue.findProvider(provider)
  if (provider !== undefined && !service) violations.push(unknownProvider(provider, catalogue))
  if (apiKey !== undefined && !/^[\x21-\x7e]{1,4096}$/.test(cleanSecret(apiKey))) {
    violations.push({
      path: 'api_key',
      message: 'The key must be plain text without spaces inside; copy it again from the console.',
    })
  }
  if (baseUrl) {
    const parsed = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
    const refusal = parsed
      ? await http.refusal(parsed.href)
      : `The base address must be a full URL such as ${(service ?? Object.values(catalogue.providers)[0])?.defaultBaseUrl}.`
    if (refusal) violations.push({ path: 'base_url', message: refusal })
    else if (parsed?.search || parsed?.hash)
      violations.push({ path: 'base_url', message: 'The base address must end with its path, without "?" or "#".' })
  }
  if (model && service && !service.isCommonProtocol) {
    const found = catalogue.find(model)
    if (found && found.model.state !== 'unlisted' && found.provider !== provider) {
      violations.push({ path: 'model', message: `${model} is a model of ${found.provider}, not of ${provider}.` })
    }
  }
  return violations
}

/** Members that a new or unsaved configuration lacks. `keyMessage` asks for its key. */
export function findMissing(
  { provider, apiKey }: ConfigurationInput,
  { providerIds }: Catalogue,
  keyMessage: string,
): Violation[] {
  const violations: Violation[] = []
  if (!provider) violations.push({ path: 'provider', message: `Name the provider: one of ${providerIds.join(', ')}.` })
  if (!apiKey) violations.push({ path: 'api_key', message: keyMessage })
  return violations
}

export function unknownProvider(id: string, { providerIds }: Catalogue): Violation {
  return { path: 'provider', message: `"${id}" is not a provider here; choose one of ${providerIds.join(', ')}.` }
}

/** The members that were given, as they are stored; all but the key. */
export function cleanInput({ apiKey: _, ...input }: ConfigurationInput): Partial<StoredConfiguration> {
  const { name, model, baseUrl } = input
  const cleaned = {
    ...input,
    name: name?.trim() || undefined,
    model: model === undefined ? undefined : model?.trim() || null,
    baseUrl: baseUrl === undefined ? undefined : baseUrl ? withoutSlash(baseUrl) : null,
  }
  return Object.fromEntries(Object.entries(cleaned).filter(([, value]) => value !== undefined))
}
