/** What the process reads from its environment: the only file that does. */
import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Assignment, misspeltNames, readEnvironmentFile, unreadNames, type Words } from './environment-file.ts'
import { type ProxySettings, shownProxy } from './outgoing/proxy.ts'
import { providers } from './providers/index.ts'
import { cleanSecret } from './storage/secrets/seal.ts'
import { TextFileError } from './storage/text-file.ts'

export interface Settings {
  /** Absolute; relative paths of the others were resolved against it. */
  dataDir: string
  database: { kind: 'sqlite'; path: string } | { kind: 'postgresql'; url: string }
  storage: { kind: 'folder'; path: string } | { kind: 's3'; bucket: string; prefix: string }
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
  /** `host` or `host:port`, in lower case. */
  allowedHosts: string[]
  /** Proxies for outgoing requests. Their URLs may hold a user name and password. */
  proxy: ProxySettings | undefined
  /** Undefined: created at the first start and kept in the data folder. */
  secretKey: string | undefined
  /** Without a slash at the end. */
  providerUrls: { doubao: string; qwen: string }
  environmentKeys: { doubao?: string; qwen?: string }
  drainSeconds: number
  /** For everyone together. */
  caps: MonthlyCaps
  /** For the configurations that `environmentKeys` make. */
  environmentCaps: { doubao: MonthlyCaps; qwen: MonthlyCaps }
  /** Generations that one token may ask for; 0: any number. */
  requestsPerMinute: number
  /** Absolute; the user's own prices. */
  pricesFile: string | undefined
  /** Absolute; models of the user's own, and corrections of those that came with the program. */
  modelsFile: string | undefined
}

/** The most of a calendar month (UTC); null where there is no such cap. */
interface MonthlyCaps {
  monthlyCap: { amount: number; currency: string } | null
  monthlyImages: number | null
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
type LogLevel = (typeof logLevels)[number]
type LogFormat = 'json' | 'text'

/** Every variable that is read; `.env.example` describes them. */
export const variableNames = [
  'SECRET_KEY',
  'DOUBAO_API_KEY',
  'QWEN_API_KEY',
  'DOUBAO_API_URL',
  'QWEN_API_URL',
  'DATA_DIR',
  'DATABASE_URL',
  'STORAGE_URL',
  'HOST',
  'PORT',
  'PUBLIC_URL',
  'CORS_ORIGINS',
  'ACCESS_TOKEN',
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
  'DOUBAO_MONTHLY_CAP',
  'DOUBAO_MONTHLY_CAP_IMAGES',
  'QWEN_MONTHLY_CAP',
  'QWEN_MONTHLY_CAP_IMAGES',
  'REQUESTS_PER_MINUTE',
] as const

type VariableName = (typeof variableNames)[number]

/** The usual development servers, on both names of the local machine. */
const usualOrigins = [3000, 4200, 5173, 8080]
  .flatMap(port => [`http://localhost:${port}`, `http://127.0.0.1:${port}`])
  .join(',')

/** Stops the start; the message names every bad variable and what to do. */
export class SettingsError extends Error {
  override name = 'SettingsError'
  readonly faults: string[]
  /** The message in Chinese. */
  readonly zh: string

  constructor(faults: readonly Words[], options: { cause?: unknown } = {}) {
    const list = (sentences: string[]) => sentences.map(sentence => `  - ${sentence}`).join('\n')
    const en = faults.map(fault => fault.en)
    super(`These settings cannot be used:\n${list(en)}`, options)
    this.faults = en
    this.zh = `以下设置无法使用：\n${list(faults.map(fault => fault.zh))}`
  }
}

/** What is wrong with a value; the message continues after the name of its variable. */
class ValueError extends Error {
  readonly zh: string

  constructor(en: string, zh: string) {
    super(en)
    this.zh = zh
  }
}

/** `name` cannot be used because of `error`, which a parser threw. */
export function faultIn(name: string, error: unknown): Words {
  const en = error instanceof Error ? error.message : String(error)
  return { en: `${name} ${en}`, zh: `${name} ${error instanceof ValueError ? error.zh : en}` }
}

/** Secrets are removed from the environment of the process, so that child processes do not inherit them. */
const secretNames = [
  ...['SECRET_KEY', 'NEW_SECRET_KEY', 'ACCESS_TOKEN', 'DOUBAO_API_KEY', 'QWEN_API_KEY', 'DATABASE_URL'],
  ...['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy'],
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
  unreadNames(dotEnv, assignments, known).forEach(warn)
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
export function loadSettings(environment: Record<string, string | undefined>): Settings {
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
  function capsOf(prefix: '' | 'DOUBAO_' | 'QWEN_'): MonthlyCaps {
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
      monthlyCap: optional(`${prefix}MONTHLY_CAP`, cap(moneyOf)) ?? null,
      monthlyImages:
        optional(
          `${prefix}MONTHLY_CAP_IMAGES`,
          cap(text => wholeNumber(text, 0, 100_000_000)),
        ) ?? null,
    }
  }

  function proxySettings(): ProxySettings | undefined {
    const https = optional('HTTPS_PROXY', proxyAddress)
    const http = optional('HTTP_PROXY', proxyAddress)
    const noProxy = optional('NO_PROXY', text => listOf(text.toLowerCase())) ?? []
    return https || http ? { https, http, noProxy } : undefined
  }

  const dataDir = withDefault('DATA_DIR', './data', text => path.resolve(pathOf(text)))
  const logFile = withDefault('LOG_FILE', 'backend.log', pathOf)
  const settings: Settings = {
    dataDir,
    database: withDefault('DATABASE_URL', 'sqlite:///chat_history.db', text => databaseOf(text, dataDir)),
    storage: withDefault('STORAGE_URL', 'file:./images', text => storageOf(text, dataDir)),
    host: withDefault('HOST', '127.0.0.1', hostOf),
    port: withDefault('PORT', '8000', text => wholeNumber(text, 0, 65_535)),
    publicUrl: optional('PUBLIC_URL', httpAddress),
    corsOrigins: withDefault('CORS_ORIGINS', usualOrigins, text => [...new Set(listOf(text).map(originOf))]),
    hasUsualOrigins: !environment.CORS_ORIGINS?.trim(),
    logLevel: withDefault('LOG_LEVEL', 'info', logLevelOf),
    logFormat: withDefault('LOG_FORMAT', 'json', logFormatOf),
    logFile: logFile === 'off' ? undefined : path.resolve(dataDir, logFile),
    accessToken: optional('ACCESS_TOKEN', headerText),
    allowedHosts: optional('ALLOWED_HOSTS', text => listOf(text).map(allowedHostOf)) ?? [],
    proxy: proxySettings(),
    secretKey: optional('SECRET_KEY', secretKeyOf),
    providerUrls: {
      doubao: withDefault('DOUBAO_API_URL', providers.doubao.defaultBaseUrl, httpAddress),
      qwen: withDefault('QWEN_API_URL', providers.qwen.defaultBaseUrl, httpAddress),
    },
    environmentKeys: {
      doubao: optional('DOUBAO_API_KEY', headerText),
      qwen: optional('QWEN_API_KEY', headerText),
    },
    drainSeconds: withDefault('DRAIN_SECONDS', '60', text => wholeNumber(text, 0, 3600)),
    caps: capsOf(''),
    environmentCaps: { doubao: capsOf('DOUBAO_'), qwen: capsOf('QWEN_') },
    requestsPerMinute: withDefault('REQUESTS_PER_MINUTE', '60', text => wholeNumber(text, 0, 100_000)),
    pricesFile: optional('PRICES_FILE', text => path.resolve(dataDir, pathOf(text))),
    modelsFile: optional('MODELS_FILE', text => path.resolve(dataDir, pathOf(text))),
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

// ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The path forms are those of SQLAlchemy: three slashes and a relative path, four and an absolute one. */
function databaseOf(text: string, dataDir: string): Settings['database'] {
  const sqlite = /^sqlite(?:\+\w+)?:\/\/(.*)$/s.exec(text)
  if (sqlite) {
    const file = sqlite[1]?.replace(/^\//, '') ?? ''
    if (file === '' || file === ':memory:') {
      throw new ValueError(
        'names a database in memory, which would lose every picture when the server stops; use sqlite:///chat_history.db.',
        '指向内存数据库，退出时会丢失所有图片；请使用 sqlite:///chat_history.db。',
      )
    }
    if (!sqlite[1]?.startsWith('/') || /[?#]/.test(file)) {
      throw new ValueError(
        'must look like sqlite:///chat_history.db (relative to DATA_DIR) or sqlite:////var/lib/chat_history.db, without options.',
        '应写成 sqlite:///chat_history.db（相对 DATA_DIR）或 sqlite:////var/lib/chat_history.db，不带选项。',
      )
    }
    return { kind: 'sqlite', path: path.resolve(dataDir, pathOf(file)) }
  }
  const postgresql = /^(?:postgresql|postgres)(?:\+\w+)?:\/\/(.+)$/s.exec(text)
  if (!postgresql)
    throw new ValueError('must begin with sqlite:/// or postgresql://.', '必须以 sqlite:/// 或 postgresql:// 开头。')
  const url = `postgresql://${postgresql[1]}`
  const parsed = URL.parse(url)
  if (!parsed?.hostname || parsed.pathname.length < 2) {
    throw new ValueError(
      'must look like postgresql://user:password@host:5432/database; write special characters in the password as %40 and so on.',
      '应写成 postgresql://user:password@host:5432/database；密码中的特殊字符请写成 %40 等形式。',
    )
  }
  return { kind: 'postgresql', url }
}

function storageOf(text: string, dataDir: string): Settings['storage'] {
  if (/^file:/i.test(text)) {
    const rest = text.slice('file:'.length)
    if (!rest.startsWith('//')) {
      if (rest === '')
        throw new ValueError('names no folder; use file:./images.', '没有写明文件夹；请使用 file:./images。')
      return { kind: 'folder', path: path.resolve(dataDir, pathOf(rest)) }
    }
    const url = URL.parse(text)
    if (url?.hostname !== '')
      throw new ValueError(
        'must name a folder of this machine, such as file:./images or file:///srv/images.',
        '必须是本机文件夹，例如 file:./images 或 file:///srv/images。',
      )
    return { kind: 'folder', path: fileURLToPath(url) }
  }
  const s3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([\w./-]*))?$/.exec(text)
  if (!s3) throw new ValueError('must be a folder such as file:./images.', '必须是文件夹，例如 file:./images。')
  return { kind: 's3', bucket: s3[1] ?? '', prefix: (s3[2] ?? '').replace(/^\/+|\/+$/g, '') }
}

function pathOf(text: string) {
  if (text.includes('\0')) throw new ValueError('holds a NUL character.', '含有 NUL 字符。')
  return path.isAbsolute(text) ? text : path.normalize(text)
}

function hostOf(text: string) {
  const host = text.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (!isIP(host) && !/^[a-z0-9._-]+$/.test(host)) {
    throw new ValueError(
      'must be an address or a name without a port, such as 127.0.0.1, 0.0.0.0 or ::; the port goes into PORT.',
      '必须是不带端口的地址或主机名，例如 127.0.0.1、0.0.0.0 或 ::；端口请写在 PORT 中。',
    )
  }
  return host
}

function httpAddress(text: string) {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol))
    throw new ValueError(
      'must be an address that begins with http:// or https://.',
      '必须是以 http:// 或 https:// 开头的地址。',
    )
  if (url.username || url.password)
    throw new ValueError('must not hold a user name or password.', '不能包含用户名或密码。')
  if (url.search || url.hash) throw new ValueError('must not hold a "?" or "#" part.', '不能包含 “?” 或 “#” 部分。')
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

function isDecodable(text: string) {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Without a scheme it is an HTTP proxy, as other programs have it. */
function proxyAddress(text: string) {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  if (url && /^socks/.test(url.protocol)) {
    throw new ValueError(
      'names a SOCKS proxy, which is not supported. Most such programs offer an HTTP proxy as well: give its address, such as http://127.0.0.1:7890. To go out directly, leave it empty for this server.',
      '指定的是 SOCKS 代理，暂不支持。此类软件大多同时提供 HTTP 代理，请填写其地址，例如 http://127.0.0.1:7890；如需直连，请为本服务将其留空。',
    )
  }
  if (!url?.hostname || !/^https?:$/.test(url.protocol) || !isDecodable(url.username + url.password))
    throw new ValueError(
      'must be the address of a proxy, such as http://proxy.example.org:3128; special characters in a user name or password are written as %40 and so on.',
      '必须是代理地址，例如 http://proxy.example.org:3128；用户名或密码中的特殊字符请写成 %40 等形式。',
    )
  return url
}

function originOf(text: string) {
  if (text === '*') {
    throw new ValueError(
      'cannot be "*": with cookies every site could use this server in your name. List the origins, such as https://studio.example.org.',
      '不能是 “*”：任何网站都会借登录状态使用本服务器。请列出来源，例如 https://studio.example.org。',
    )
  }
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username) {
    throw new ValueError(
      'must list origins such as http://localhost:5173, separated by commas, each without a path.',
      '必须是来源列表，例如 http://localhost:5173，用逗号分隔，不带路径。',
    )
  }
  return url.origin
}

function allowedHostOf(text: string) {
  const host = text.toLowerCase()
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/.test(host)) {
    throw new ValueError(
      'must list hosts such as gpu.lan or 192.168.1.20:8080, separated by commas, without http:// and without a path.',
      '必须是主机列表，例如 gpu.lan 或 192.168.1.20:8080，用逗号分隔，不带 http:// 和路径。',
    )
  }
  return host
}

/** @throws Error whose message goes on after the name of the variable */
export function secretKeyOf(text: string) {
  if (text === 'your-secret-key-here') {
    throw new ValueError(
      'is still the example; use a long random text (openssl rand -hex 32), or leave it out and one is made.',
      '还是示例值；请填入足够长的随机文本（openssl rand -hex 32），或留空自动生成。',
    )
  }
  if (text.length < 16)
    throw new ValueError(
      'is shorter than 16 characters; use a long random text (openssl rand -hex 32).',
      '少于 16 个字符；请使用足够长的随机文本（openssl rand -hex 32）。',
    )
  return text
}

/** For values that are sent in a header. */
/** @throws Error whose message goes on after the name of the variable, or of what else holds it */
export function headerText(text: string) {
  const secret = cleanSecret(text)
  if (!/^[\x21-\x7e]+$/.test(secret))
    throw new ValueError(
      'holds a space or a character that cannot stand in a key or token; copy it again.',
      '含有空格或密钥、令牌中不允许的字符；请重新复制。',
    )
  return secret
}

function wholeNumber(text: string, min: number, max: number) {
  const value = Number(text)
  if (!/^\d{1,9}$/.test(text) || value < min || value > max)
    throw new ValueError(`must be a whole number from ${min} to ${max}.`, `必须是 ${min} 到 ${max} 之间的整数。`)
  return value
}

/** Most prices of the services are in CNY. */
function moneyOf(text: string) {
  const [, amount, currency = 'CNY'] = /^(\d{1,9}(?:\.\d{1,6})?)(?:\s*([A-Z]{3}))?$/.exec(text.toUpperCase()) ?? []
  if (amount === undefined)
    throw new ValueError(
      'must be an amount with its currency, such as 200 CNY or 30 USD.',
      '必须是带货币的金额，例如 200 CNY 或 30 USD。',
    )
  if (!Intl.supportedValuesOf('currency').includes(currency))
    throw new ValueError(
      `names an unknown currency, ${currency}. Use CNY for yuan (RMB), USD for dollars.`,
      `中的货币 ${currency} 不存在。人民币请写 CNY，美元请写 USD。`,
    )
  return { amount: Number(amount), currency }
}

function logLevelOf(text: string): LogLevel {
  // Level names of other logging libraries.
  const names: Record<string, string> = { warning: 'warn', critical: 'fatal' }
  const name = names[text.toLowerCase()] ?? text.toLowerCase()
  const level = logLevels.find(level => level === name)
  if (!level) throw new ValueError(`must be one of ${logLevels.join(', ')}.`, `必须是 ${logLevels.join('、')} 之一。`)
  return level
}

function logFormatOf(text: string): LogFormat {
  if (text !== 'json' && text !== 'text') throw new ValueError('must be json or text.', '必须是 json 或 text。')
  return text
}

function listOf(text: string) {
  return text.split(/[\s,]+/).filter(Boolean)
}
