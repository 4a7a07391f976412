/** What the process reads from its environment: the only file that does. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import {
  type Assignment,
  misspeltNames,
  readEnvironmentFile,
  unreadNames,
  type Words,
} from './operator/environment-file.ts'
import { type OidcSettings, oidcNames, readOidc } from './operator/oidc-settings.ts'
import { SentenceError } from './operator/sentence-error.ts'
import {
  type DatabaseSetting,
  headerText,
  httpAddress,
  type LogFormat,
  type LogLevel,
  oneOf,
  parseAliases,
  parseAllowedHost,
  parseDatabaseUrl,
  parseHeaderList,
  parseHost,
  parseHostAndPort,
  parseList,
  parseLogFormat,
  parseLogLevel,
  parseMoney,
  parseOrigin,
  parsePath,
  parseRatio,
  parseSecretKey,
  parseStorageUrl,
  proxyAddress,
  type StorageSetting,
  ValueError,
  wholeNumber,
} from './operator/setting-values.ts'
import { TextFileError } from './operator/text-file.ts'
import { allowList } from './outgoing/addresses.ts'
import { type ProxySettings, shownProxy } from './outgoing/proxy.ts'
import { providers } from './providers/index.ts'
import type { Provider } from './providers/provider.ts'
import type { Registry } from './providers/registry.ts'

export interface Settings {
  /** Absolute; relative paths of the others were resolved against it. */
  dataDir: string
  database: DatabaseSetting
  storage: StorageSetting
  host: string
  port: number
  /** Without a slash at the end. */
  publicUrl: string | undefined
  corsOrigins: string[]
  /** CORS_ORIGINS was empty, so these are the defaults. */
  hasUsualOrigins: boolean
  logLevel: LogLevel
  /** Format of standard output; the file always has text lines. */
  logFormat: LogFormat
  /** Absolute; undefined when no file is wanted. */
  logFile: string | undefined
  /** Undefined: none is needed on a loopback address; elsewhere one is created in the data folder. */
  accessToken: string | undefined
  /** Where people may log in besides; undefined: tokens only. */
  oidc: OidcSettings | undefined
  /** No token starts a session in a browser; only `oidc` does. */
  disableLocalLogin: boolean
  /** `host` or `host:port`, in lower case. */
  allowedHosts: string[]
  /** Proxies for outgoing requests. Their URLs may hold a user name and password. */
  proxy: ProxySettings | undefined
  /** Undefined: created at the first start and kept in the data folder. */
  secretKey: string | undefined
  /** Without a slash at the end. */
  providerUrls: Record<string, string>
  environmentKeys: Record<string, string | undefined>
  drainSeconds: number
  /** Caps for everyone together. */
  caps: MonthlyCaps
  /** Caps of the configurations that `environmentKeys` make. */
  environmentCaps: Record<string, MonthlyCaps>
  /** Generations that one token may ask for; 0: any number. */
  requestsPerMinute: number
  /** How long a signed link opens a picture without a token. */
  imageLinkHours: number
  /** Where metrics are told without a token; undefined: only behind that of an administrator. */
  metricsAddress: { host: string; port: number } | undefined
  /** The most that one session of an MCP client may spend; undefined: no such cap. */
  /** Where traces go; undefined where none are made. */
  traces: TraceSettings | undefined
  mcpSessionCap: { amount: number; currency: string } | undefined
  /** Names that `/v1` takes for a model: alias → id. */
  modelAliases: Record<string, string>
  /** Absolute; the user's own prices. */
  pricesFile: string | undefined
  /** Absolute; models of the user's own, and corrections of those that came with the program. */
  modelsFile: string | undefined
  /** Absolute; a folder that administrators may import from. */
  importFolder: string | undefined
}

/** As the variables of OpenTelemetry have them. */
export interface TraceSettings {
  /** Of the collector, for traces. */
  url: string
  headers: Record<string, string>
  serviceName: string
  sampler: (typeof samplers)[number]
  /** Of the traces that are kept, where the sampler has one. */
  ratio: number
  /** How long spans are gathered. */
  delayMs: number
}

/** The most of a calendar month (UTC); null where there is no such cap. */
interface MonthlyCaps {
  monthlyCap: { amount: number; currency: string } | null
  monthlyImages: number | null
}

const samplers = [
  ...(['always_on', 'always_off', 'traceidratio'] as const),
  ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
] as const

const ownNames = [
  'SECRET_KEY',
  'DATA_DIR',
  'DATABASE_URL',
  'STORAGE_URL',
  'HOST',
  'PORT',
  'PUBLIC_URL',
  'CORS_ORIGINS',
  'ACCESS_TOKEN',
  ...oidcNames,
  'ALLOWED_HOSTS',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'LOG_LEVEL',
  'LOG_FORMAT',
  'LOG_FILE',
  'DRAIN_SECONDS',
  'PRICES_FILE',
  'MODELS_FILE',
  'MONTHLY_CAP',
  'MONTHLY_CAP_IMAGES',
  'MCP_SESSION_CAP',
  'REQUESTS_PER_MINUTE',
  'IMAGE_LINK_HOURS',
  'METRICS_ADDRESS',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_SERVICE_NAME',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_BSP_SCHEDULE_DELAY',
  'MODEL_ALIASES',
  'IMPORT_FOLDER',
] as const

/** Names of the variables of each provider, behind its `environmentPrefix`. */
const providerNames = ['API_KEY', 'API_URL', 'MONTHLY_CAP', 'MONTHLY_CAP_IMAGES'] as const

type VariableName = (typeof ownNames)[number] | `${string}_${(typeof providerNames)[number]}`

const prefixes = (registry: Registry) =>
  Object.values(registry).flatMap(({ environmentPrefix }) => environmentPrefix ?? [])

/** Names that people give a variable of ours, and its real name. */
const otherNames = Object.fromEntries(
  Object.values<Provider>(providers).flatMap(({ otherKeyVariable, environmentPrefix }) =>
    otherKeyVariable ? [[otherKeyVariable, `${environmentPrefix}_API_KEY`]] : [],
  ),
)

/** Every variable that is read; `.env.example` describes them. */
export const variableNames: readonly string[] = [
  ...ownNames,
  ...prefixes(providers).flatMap(prefix => providerNames.map(name => `${prefix}_${name}`)),
]

/** The usual development servers, on both names of the local machine. */
const usualOrigins = [3000, 4200, 5173, 8080]
  .flatMap(port => [`http://localhost:${port}`, `http://127.0.0.1:${port}`])
  .join(',')

/** Stops the start; the message names every bad variable and what to do. */
export class SettingsError extends SentenceError {
  override name = 'SettingsError'
  readonly faults: string[]

  constructor(faults: readonly Words[], options: { cause?: unknown } = {}) {
    const list = (language: keyof Words) => faults.map(fault => `  - ${fault[language]}`).join('\n')
    super(`These settings cannot be used:\n${list('en')}`, `以下设置无法使用：\n${list('zh')}`, options)
    this.faults = faults.map(({ en }) => en)
  }
}

/** `name` cannot be used because of `error`, which a parser threw. */
export function faultIn(name: string, error: unknown): Words {
  const en = error instanceof Error ? error.message : String(error)
  return { en: `${name} ${en}`, zh: `${name} ${error instanceof ValueError ? error.zh : en}` }
}

/** Secrets are removed from the environment of the process, so that child processes do not inherit them. */
const secretNames = [
  ...['SECRET_KEY', 'NEW_SECRET_KEY', 'ACCESS_TOKEN', 'OIDC_CLIENT_SECRET', 'DATABASE_URL'],
  ...prefixes(providers).map(prefix => `${prefix}_API_KEY`),
  ...['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy', 'OTEL_EXPORTER_OTLP_HEADERS'],
]

/**
 * The environment merged with `.env` of the working directory; the real environment takes precedence. Removes the secrets from it.
 * @param warn is called for unknown names.
 * @throws SettingsError that names every line which cannot be read.
 */
export function readEnvironment(warn = sayWarning): Record<string, string | undefined> {
  const known = [...variableNames, 'NEW_SECRET_KEY']
  misspeltNames(Object.keys(process.env), known).forEach(warn)
  const assignments = readDotEnv()
  unreadNames(dotEnv, assignments, known, otherNames).forEach(warn)
  if (assignments.length === 0 && existsSync(`${dotEnv}.txt`)) {
    warn({
      en: `The file is named ${dotEnv}.txt, so it is not read. Rename it to ${dotEnv}.`,
      zh: `文件名是 ${dotEnv}.txt，不会被读取。请改名为 ${dotEnv}。`,
    })
  }
  for (const { name, value } of assignments) process.env[name] ??= value
  const environment = { ...process.env }
  for (const name of secretNames) delete process.env[name]
  return environment
}

function sayWarning({ en, zh }: Words) {
  console.error(`${en} ${zh}`)
}

const dotEnv = '.env'

function readDotEnv(): Assignment[] {
  try {
    const { assignments, faults } = readEnvironmentFile(dotEnv)
    if (faults.length > 0) throw new SettingsError(faults)
    return assignments
  } catch (error) {
    if (error instanceof SettingsError) throw error
    if (error instanceof TextFileError) throw new SettingsError([{ en: error.message, zh: error.zh }], { cause: error })
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code === 'ENOENT') return []
    const words = {
      en: `${dotEnv} exists but cannot be read (${code}).`,
      zh: `${dotEnv} 存在，但无法读取（${code}）。`,
    }
    throw new SettingsError([words], { cause: error })
  }
}

/**
 * Depends on `environment` alone and, for a relative DATA_DIR, on the working directory. An empty value counts as left out.
 * @throws SettingsError with all faults.
 */
export function loadSettings(
  environment: Record<string, string | undefined>,
  registry: Registry = providers,
): Settings {
  const faults: Words[] = []

  // A parser throws a ValueError whose message goes on after the name of the variable. It never repeats a value: it may be secret.
  function optional<Value>(name: VariableName, parse: (text: string) => Value): Value | undefined {
    // As in other programs, both cases of these names are read, and lower case takes precedence.
    const inLowerCase = name.endsWith('_PROXY') ? environment[name.toLowerCase()]?.trim() : undefined
    const text = inLowerCase || environment[name]?.trim()
    if (!text) return undefined
    try {
      return parse(text)
    } catch (error) {
      faults.push(faultIn(name, error))
      return undefined
    }
  }
  function withDefault<Value>(name: VariableName, standard: string, parse: (text: string) => Value): Value {
    return optional(name, parse) ?? parse(standard)
  }
  function readCaps(prefix: '' | `${string}_`): MonthlyCaps {
    function cap<Value>(parse: (text: string) => Value) {
      return (text: string) => {
        const value = parse(text)
        // A cap without its key would be trusted, while keys from the studio spend.
        if (prefix !== '' && !environment[`${prefix}API_KEY`]?.trim()) {
          throw new ValueError(
            `is for ${prefix}API_KEY, which is not set. Set that too, or leave this out; a key that was added in the studio has its cap there.`,
            `仅用于 ${prefix}API_KEY，而它没有设置。请同时设置，或删去本项；在界面中添加的密钥，上限也在界面中设置。`,
          )
        }
        return value
      }
    }
    return {
      monthlyCap: optional(`${prefix}MONTHLY_CAP`, cap(parseMoney)) ?? null,
      monthlyImages:
        optional(
          `${prefix}MONTHLY_CAP_IMAGES`,
          cap(text => wholeNumber(text, 0, 100_000_000)),
        ) ?? null,
    }
  }

  function ofProviders<Value>(read: (provider: Provider, prefix: string) => Value): Record<string, Value> {
    return Object.fromEntries(
      Object.entries(registry).flatMap(([id, provider]) =>
        provider.environmentPrefix ? [[id, read(provider, provider.environmentPrefix)]] : [],
      ),
    )
  }

  function proxySettings(): ProxySettings | undefined {
    const https = optional('HTTPS_PROXY', proxyAddress)
    const http = optional('HTTP_PROXY', proxyAddress)
    const noProxy = optional('NO_PROXY', text => parseList(text.toLowerCase())) ?? []
    return https || http ? { https, http, noProxy } : undefined
  }

  const dataDir = withDefault('DATA_DIR', './data', text => path.resolve(parsePath(text)))
  const logFile = withDefault('LOG_FILE', 'backend.log', parsePath)
  function readTraces(): TraceSettings | undefined {
    const endpoint = optional('OTEL_EXPORTER_OTLP_ENDPOINT', httpAddress)
    const others = {
      headers: optional('OTEL_EXPORTER_OTLP_HEADERS', parseHeaderList) ?? {},
      serviceName: withDefault('OTEL_SERVICE_NAME', 'webimgui', text => text),
      sampler: withDefault('OTEL_TRACES_SAMPLER', 'parentbased_always_on', text => oneOf(text, samplers)),
      ratio: withDefault('OTEL_TRACES_SAMPLER_ARG', '1', parseRatio),
      delayMs: withDefault('OTEL_BSP_SCHEDULE_DELAY', '5000', text => wholeNumber(text, 1, 600_000)),
    }
    return endpoint === undefined ? undefined : { url: `${endpoint.replace(/\/$/, '')}/v1/traces`, ...others }
  }

  const host = withDefault('HOST', '127.0.0.1', parseHost)
  const publicUrl = optional('PUBLIC_URL', httpAddress)
  const allowedHosts = optional('ALLOWED_HOSTS', text => parseList(text).map(parseAllowedHost)) ?? []
  const settings: Settings = {
    dataDir,
    database: withDefault('DATABASE_URL', 'sqlite:///chat_history.db', text => parseDatabaseUrl(text, dataDir)),
    storage: withDefault('STORAGE_URL', 'file:./images', text => parseStorageUrl(text, dataDir)),
    host,
    port: withDefault('PORT', '8000', text => wholeNumber(text, 0, 65_535)),
    publicUrl,
    corsOrigins: withDefault('CORS_ORIGINS', usualOrigins, text => [...new Set(parseList(text).map(parseOrigin))]),
    hasUsualOrigins: !environment.CORS_ORIGINS?.trim(),
    logLevel: withDefault('LOG_LEVEL', 'info', parseLogLevel),
    logFormat: withDefault('LOG_FORMAT', 'json', parseLogFormat),
    logFile: logFile === 'off' ? undefined : path.resolve(dataDir, logFile),
    accessToken: optional('ACCESS_TOKEN', headerText),
    ...readOidc({
      optional,
      add: fault => faults.push(fault),
      hasAddress: publicUrl !== undefined || isLoopback(host),
      isAllowed: allowList({ allowedHosts, allowedOrigins: [] }),
    }),
    allowedHosts,
    proxy: proxySettings(),
    secretKey: optional('SECRET_KEY', parseSecretKey),
    providerUrls: ofProviders(({ defaultBaseUrl }, prefix) =>
      withDefault(`${prefix}_API_URL`, defaultBaseUrl, httpAddress),
    ),
    environmentKeys: ofProviders((_, prefix) => optional(`${prefix}_API_KEY`, headerText)),
    drainSeconds: withDefault('DRAIN_SECONDS', '60', text => wholeNumber(text, 0, 3600)),
    caps: readCaps(''),
    environmentCaps: ofProviders((_, prefix) => readCaps(`${prefix}_`)),
    requestsPerMinute: withDefault('REQUESTS_PER_MINUTE', '60', text => wholeNumber(text, 0, 100_000)),
    imageLinkHours: withDefault('IMAGE_LINK_HOURS', '24', text => wholeNumber(text, 1, 87_600)),
    metricsAddress: optional('METRICS_ADDRESS', parseHostAndPort),
    traces: readTraces(),
    mcpSessionCap: optional('MCP_SESSION_CAP', parseMoney),
    modelAliases: optional('MODEL_ALIASES', parseAliases) ?? {},
    pricesFile: optional('PRICES_FILE', text => path.resolve(dataDir, parsePath(text))),
    modelsFile: optional('MODELS_FILE', text => path.resolve(dataDir, parsePath(text))),
    importFolder: optional('IMPORT_FOLDER', text => path.resolve(dataDir, parsePath(text))),
  }
  if (faults.length > 0) throw new SettingsError(faults)
  return settings
}

/** The proxies that requests go out through, for people: without user name and password. */
export function shownProxies({ proxy }: Settings): string[] {
  const used = [proxy?.https, proxy?.http].filter(url => url !== undefined)
  return [...new Set(used.map(shownProxy))]
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string) {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
