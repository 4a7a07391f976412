/** From the rows of the database to the JSON of the contract. */

import type { Remaining } from '../../accounts/accounts.ts'
import type { Configuration } from '../../api/configurations.ts'
import type { Estimate } from '../../api/estimate.ts'
import type { Generation, Warning } from '../../api/generations.ts'
import type { Image, StoredReference } from '../../api/images.ts'
import type { Model, ModelLife } from '../../api/models.ts'
import type { RecentErrorList, ShortStatus, Status } from '../../api/system.ts'
import type { Me, Token } from '../../api/tokens.ts'
import type { UsageList } from '../../api/usage.ts'
import type { ModelLife as ModelLifeEntry, Price, SizeRule } from '../../catalogue/model.ts'
import { maxImages, modelSchema } from '../../catalogue/schema.ts'
import type { Standing } from '../../configurations/lives.ts'
import type { ConfigurationState } from '../../coordination/pool.ts'
import type { Estimate as ReckonedEstimate, StatusReport } from '../../generation/services.ts'
import { type FoundModel, type ProviderId, providers } from '../../providers/index.ts'
import type {
  Caps,
  ConfigurationRecord,
  GenerationRecord,
  ImageRecord,
  Role,
  TokenRecord,
} from '../../storage/records.ts'
import type { LoggedError } from '../../telemetry/log.ts'
import { adviceFor } from './advice.ts'

/** `base` goes before every path of this server: empty, or `PUBLIC_URL`. */
export function presentGeneration(record: GenerationRecord, base: string): Generation {
  const images = record.images.map(image => presentImage(image, base))
  return {
    id: record.id,
    status: record.status,
    prompt: record.prompt,
    revised_prompt: record.revisedPrompt,
    provider: record.provider,
    model: record.model,
    config_id: record.configId,
    parameters: record.parameters,
    resolved: record.resolved,
    timestamp: record.timestamp,
    started_at: record.startedAt,
    finished_at: record.finishedAt,
    duration_ms: durationOf(record),
    // Rows of an old database have addresses and no stored pictures.
    image_urls: images.length > 0 ? images.map(image => image.url) : record.oldImageUrls,
    images,
    references: record.references.map(image => presentImage(image, base)),
    failures: record.failures.map(({ index, code, message, providerCode }) => {
      return { index, code, message, provider_code: providerCode }
    }),
    warnings: record.warnings.map(presentWarning),
    error: record.error && {
      code: record.error.code,
      message: record.error.message,
      provider_code: record.error.providerCode,
      provider_message: record.error.providerMessage,
      provider_request_id: record.error.providerRequestId,
      reason_code: record.error.reason?.code ?? null,
      reason_values: record.error.reason?.values ?? {},
    },
    charge: record.charge,
    advice: adviceFor(record),
    cost: record.cost,
    favorite: record.favorite,
    tags: record.tags,
    provider_request_ids: record.providerRequestIds,
    retry_of: record.retryOf,
    waiting: record.waiting?.message ?? null,
    waiting_code: record.waiting?.code ?? null,
    waiting_values: record.waiting?.values ?? {},
    cancel_requested: record.cancelRequested,
    cancel_saves: savingOf(record),
  }
}

/** A task may still wait at a service that can drop it. */
function savingOf({ finishedAt, calls, provider }: GenerationRecord): Generation['cancel_saves'] {
  if (finishedAt !== null) return null
  if (calls.sent === 0) return 'all'
  if (calls.unsent > 0) return 'some'
  const adapter = Object.hasOwn(providers, provider ?? '') ? providers[provider as ProviderId] : undefined
  return adapter && 'cancel' in adapter && adapter.cancel !== undefined ? 'perhaps' : 'nothing'
}

function presentWarning({ code, parameter, message, values = {} }: GenerationRecord['warnings'][number]): Warning {
  return { code: code ?? null, parameter, message, values }
}

export function presentEstimate({ warnings, ...estimate }: ReckonedEstimate): Estimate {
  return { ...estimate, warnings: warnings.map(presentWarning) }
}

function durationOf({ timestamp, finishedAt }: GenerationRecord) {
  const duration = finishedAt === null ? Number.NaN : Date.parse(finishedAt) - Date.parse(timestamp)
  return Number.isFinite(duration) ? Math.max(0, Math.round(duration)) : null
}

function presentImage(image: ImageRecord, base: string): Image {
  return { ...fileOf(image, base), index: image.index, details: image.details ?? undefined }
}

export function presentReference(image: ImageRecord, base: string): StoredReference {
  return { ...fileOf(image, base), created_at: image.createdAt }
}

function fileOf(image: ImageRecord, base: string) {
  const url = `${base}/images/${encodeURIComponent(image.id)}`
  return {
    id: image.id,
    url,
    thumbnail_url: `${url}/thumbnail`,
    width: image.width,
    height: image.height,
    bytes: image.bytes,
    mime_type: image.mimeType,
    sha256: image.sha256,
  }
}

export function presentConfiguration(
  record: ConfigurationRecord,
  state: ConfigurationState,
  life: Standing | undefined,
  isLocal: boolean,
): Configuration {
  return {
    ...presentShortConfiguration(record, isLocal),
    base_url: record.baseUrl,
    source: record.source,
    has_key: record.hasKey,
    key_hint: record.keyHint,
    monthly_cap: record.monthlyCap,
    monthly_images: record.monthlyImages,
    weight: record.weight,
    most_running: record.maxRunning,
    requests_per_minute: record.requestsPerMinute,
    state: {
      status: state.status,
      until: state.until === undefined ? null : new Date(state.until).toISOString(),
      since: record.suspension?.at ?? null,
      code: record.suspension?.code ?? null,
      detail: record.suspension?.message ?? null,
      running: state.running,
    },
    life: life ? presentLife(life) : null,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  }
}

/** What a member may know of it. */
export function presentShortConfiguration(record: ConfigurationRecord, isLocal: boolean) {
  const { id, name, provider, model, isActive } = record
  return { id, name, provider, model, is_active: isActive, is_local: isLocal }
}

export function presentToken(token: TokenRecord): Token {
  return {
    id: token.id,
    name: token.name,
    role: token.role,
    monthly_cap: token.monthlyCap,
    monthly_images: token.monthlyImages,
    models: token.models,
    created_at: token.createdAt,
    last_used_at: token.lastUsedAt,
  }
}

export function presentMe(
  { role, needsToken }: { role: Role; needsToken: boolean },
  token: TokenRecord | undefined,
  remaining: Remaining | undefined,
): Me {
  return {
    role,
    name: token?.name ?? null,
    monthly_cap: token?.monthlyCap ?? null,
    monthly_images: token?.monthlyImages ?? null,
    models: token?.models ?? null,
    left: remaining?.left ?? null,
    left_images: remaining?.leftImages ?? null,
    renews_at: remaining?.renewsAt ?? null,
    needs_token: needsToken,
  }
}

export function presentForAll(caps: (Caps & Remaining) | undefined): UsageList['for_all'] {
  if (!caps) return undefined
  return {
    monthly_cap: caps.monthlyCap,
    monthly_images: caps.monthlyImages,
    left: caps.left,
    left_images: caps.leftImages,
    renews_at: caps.renewsAt,
  }
}

export function presentShortStatus({ status, version, started_at, uptime_seconds, providers }: Status): ShortStatus {
  return {
    ...{ status, version, started_at, uptime_seconds },
    providers: providers.map(({ id, name, state }) => ({ id, name, state })),
  }
}

export function presentStatus(report: StatusReport, server: { version: string; startedAt: Date }): Status {
  const { database, storage, queue } = report
  const isFailing = database.state === 'failing' || storage.state === 'failing'
  return {
    status: isFailing ? 'failing' : queue.state === 'draining' ? 'draining' : 'ok',
    version: server.version,
    started_at: server.startedAt.toISOString(),
    uptime_seconds: Math.floor((Date.now() - server.startedAt.getTime()) / 1000),
    database: { state: database.state, kind: database.kind, detail: database.detail ?? null },
    storage: {
      state: storage.state,
      kind: storage.kind,
      detail: storage.detail ?? null,
      free_bytes: storage.freeBytes ?? null,
    },
    queue: {
      state: queue.state,
      queued: queue.queued,
      running: queue.running,
      waiting: queue.waiting.map(({ id, reason: { message, code, values = {} } }) => {
        return { id, reason: message, code: code ?? null, values }
      }),
    },
    providers: report.providers.map(provider => ({
      id: provider.id,
      name: provider.name,
      state: provider.configured ? 'configured' : 'not_configured',
      active_configurations: provider.activeConfigurations,
      ready_configurations: provider.readyConfigurations,
    })),
    ending: report.ending.map(({ provider, id, name, standing }) => {
      return { provider, id, name, life: presentLife(standing) }
    }),
  }
}

export function presentError({ requestId, generationId, ...error }: LoggedError): RecentErrorList['items'][number] {
  return { ...error, request_id: requestId, generation_id: generationId }
}

export function presentLife({ stage, entry, endedAt, seen, successors }: Standing): ModelLife {
  return {
    stage,
    announced_at: entry?.announcedAt ?? null,
    closed_to_new_at: entry?.closedToNewAt ?? null,
    ends_at: entry?.endsAt ?? null,
    ended_at: endedAt ?? null,
    successors: [...successors],
    certainty: entry?.certainty ?? null,
    source: entry?.source ?? null,
    checked: entry?.checked ?? null,
    learned_at: seen?.seenAt ?? null,
  }
}

function presentLifeEntry(entry: ModelLifeEntry): Model['life']['by_platform'][number] {
  return {
    platforms: entry.platforms ? [...entry.platforms] : null,
    announced_at: entry.announcedAt ?? null,
    closed_to_new_at: entry.closedToNewAt ?? null,
    ends_at: entry.endsAt ?? null,
    has_ended: entry.hasEnded ?? false,
    successors: [...(entry.successors ?? [])],
    certainty: entry.certainty,
    source: entry.source,
    checked: entry.checked,
  }
}

export function presentModel(
  { provider, model }: FoundModel,
  place: { configured: boolean; isDefault: boolean; standing: Standing },
): Model {
  const { references, images } = model
  return {
    id: model.id,
    name: model.name,
    provider,
    provider_name: providers[provider].name,
    configured: place.configured,
    is_default: place.isDefault,
    state: place.standing.stage === 'ended' ? 'retired' : model.state,
    life: { ...presentLife(place.standing), by_platform: (model.life ?? []).map(presentLifeEntry) },
    platforms: model.platforms ? [...model.platforms] : null,
    family: model.family,
    aliases: [...(model.aliases ?? [])],
    id_at: { ...model.idAt },
    about: model.about,
    text_to_image: model.textToImage,
    prompt: { required: model.promptRequired, max_characters: model.promptMaxCharacters ?? null },
    references: {
      min: references.min,
      max: references.max,
      types: [...references.types],
      alpha: references.alpha,
      min_side: references.minSide,
      max_side: references.maxSide,
      max_area: references.maxArea ?? null,
      max_ratio: references.maxRatio ?? null,
      max_encoded_bytes: references.maxEncodedBytes,
      max_total_encoded_bytes: references.maxTotalEncodedBytes,
    },
    sizes: {
      text_to_image: presentSizes(model.sizes.textToImage),
      with_references: presentSizes(model.sizes.withReferences),
      group: presentSizes(model.sizes.group),
    },
    images: {
      max: maxImages(model),
      max_separate: images.max,
      per_call: images.perCall,
      group: images.group
        ? {
            max: images.group.limit,
            counts_references: images.group.countsReferences,
            asked_by: images.group.askedBy ?? null,
            max_layers: images.group.maxLayers ?? 0,
          }
        : null,
    },
    parameters: modelSchema(model),
    price: model.price ? presentPrice(model.price) : null,
    typical_seconds: [model.typicalSeconds[0], model.typicalSeconds[1]],
    concurrency: model.concurrency,
    source: model.source,
    checked: model.checked,
  }
}

function presentSizes(rule: SizeRule | undefined) {
  if (!rule) return null
  const { free } = rule
  return {
    keywords: [...(rule.keywords ?? [])],
    exact: [...(rule.exact ?? [])],
    free: free
      ? {
          min_area: free.minArea ?? null,
          max_area: free.maxArea ?? null,
          min_side: free.minSide ?? null,
          max_side: free.maxSide ?? null,
          min_ratio: free.minRatio ?? null,
          max_ratio: free.maxRatio ?? null,
        }
      : null,
    recommended: rule.table,
    default_tier: rule.defaultTier ?? null,
    default: rule.default ?? null,
    follows_last_reference: rule.followsLastReference ?? false,
  }
}

function presentPrice(price: Price) {
  return {
    currency: price.currency,
    image: price.image.map(presentStep),
    layer: price.layer?.map(presentStep) ?? null,
    reference: price.reference ?? null,
    factor_when: price.factorWhen ?? null,
    certainty: price.certainty,
    source: price.source,
    checked: price.checked,
  }
}

function presentStep(step: Price['image'][number]) {
  return { up_to_area: step.upToArea ?? null, amount: step.amount }
}
