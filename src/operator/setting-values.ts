/** Reads the value of each kind of environment variable, strictly. No message repeats a value: it may be secret. */
import { isIP } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export type DatabaseSetting = { kind: 'sqlite'; path: string } | { kind: 'postgresql'; url: string }
export type StorageSetting = { kind: 'folder'; path: string } | { kind: 's3'; bucket: string; prefix: string }

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
export type LogFormat = 'json' | 'text'

/** A wrong value; the message continues after the name of its variable. */
export class ValueError extends Error {
  readonly zh: string

  constructor(en: string, zh: string) {
    super(en)
    this.zh = zh
  }
}

/** The path forms are those of SQLAlchemy: three slashes and a relative path, four and an absolute one. */
export function parseDatabaseUrl(text: string, dataDir: string): DatabaseSetting {
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
    return { kind: 'sqlite', path: path.resolve(dataDir, parsePath(file)) }
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

export function parseStorageUrl(text: string, dataDir: string): StorageSetting {
  if (/^file:/i.test(text)) {
    const rest = text.slice('file:'.length)
    if (!rest.startsWith('//')) {
      if (rest === '')
        throw new ValueError('names no folder; use file:./images.', '没有写明文件夹；请使用 file:./images。')
      return { kind: 'folder', path: path.resolve(dataDir, parsePath(rest)) }
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

export function parsePath(text: string) {
  if (text.includes('\0')) throw new ValueError('holds a NUL character.', '含有 NUL 字符。')
  return path.isAbsolute(text) ? text : path.normalize(text)
}

export function parseHost(text: string) {
  const host = text.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (!isIP(host) && !/^[a-z0-9._-]+$/.test(host)) {
    throw new ValueError(
      'must be an address or a name without a port, such as 127.0.0.1, 0.0.0.0 or ::; the port goes into PORT.',
      '必须是不带端口的地址或主机名，例如 127.0.0.1、0.0.0.0 或 ::；端口请写在 PORT 中。',
    )
  }
  return host
}

/** A port alone is one of this machine only. */
export function parseHostAndPort(text: string) {
  const [, host = '127.0.0.1', port = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  if (port === '' || Number(port) < 1 || Number(port) > 65_535) {
    throw new ValueError(
      'must be a port, or an address and a port, such as 9464 or 0.0.0.0:9464.',
      '必须是端口，或地址加端口，例如 9464 或 0.0.0.0:9464。',
    )
  }
  return { host: parseHost(host), port: Number(port) }
}

export function httpAddress(text: string) {
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
export function proxyAddress(text: string) {
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

export function parseOrigin(text: string) {
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

export function parseAllowedHost(text: string) {
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
export function parseSecretKey(text: string) {
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

/** A key or token as pasted: with spaces around it, or with the `Bearer` of the header before it. */
export function cleanSecret(text: string) {
  return text.replace(/^[\s\u200b-\u200d\u2060]+|[\s\u200b-\u200d\u2060]+$/g, '').replace(/^(Bearer(\s+|$))+/i, '')
}

/** Checks a value that is sent in a header. @throws Error whose message goes on after the name of the variable, or of what else holds it */
export function headerText(text: string) {
  const secret = cleanSecret(text)
  if (!/^[\x21-\x7e]+$/.test(secret))
    throw new ValueError(
      'holds a space or a character that cannot stand in a key or token; copy it again.',
      '含有空格或密钥、令牌中不允许的字符；请重新复制。',
    )
  return secret
}

export function wholeNumber(text: string, min: number, max: number) {
  const value = Number(text)
  if (!/^\d{1,9}$/.test(text) || value < min || value > max)
    throw new ValueError(`must be a whole number from ${min} to ${max}.`, `必须是 ${min} 到 ${max} 之间的整数。`)
  return value
}

/** Most prices of the services are in CNY. */
export function parseMoney(text: string) {
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

export function parseLogLevel(text: string): LogLevel {
  // Level names of other logging libraries.
  const names: Record<string, string> = { warning: 'warn', critical: 'fatal' }
  const name = names[text.toLowerCase()] ?? text.toLowerCase()
  const level = logLevels.find(level => level === name)
  if (!level) throw new ValueError(`must be one of ${logLevels.join(', ')}.`, `必须是 ${logLevels.join('、')} 之一。`)
  return level
}

export function parseLogFormat(text: string): LogFormat {
  if (text !== 'json' && text !== 'text') throw new ValueError('must be json or text.', '必须是 json 或 text。')
  return text
}

export function parseList(text: string) {
  return text.split(/[\s,]+/).filter(Boolean)
}

/** `gpt-image-1=doubao-seedream-4-5-251128, dall-e-3=…` */
export function parseAliases(text: string): Record<string, string> {
  const pairs = parseList(text).map(pair => pair.split('='))
  const isWhole = pairs.every(([alias, id, ...rest]) => alias && id && rest.length === 0)
  if (!isWhole)
    throw new ValueError(
      'must be pairs of a name and the id of a model, such as gpt-image-1=doubao-seedream-4-5-251128, with commas between them.',
      '必须是“名称=模型 id”，多个之间用逗号分隔，例如 gpt-image-1=doubao-seedream-4-5-251128。',
    )
  return Object.fromEntries(pairs)
}

/** As variables of OpenTelemetry have them: `name=value,name=value`, percent-encoded. */
export function parseHeaderList(text: string): Record<string, string> {
  const list = text.split(',').map(pair => pair.trim())
  const pairs = list.filter(Boolean).map(pair => /^([\w!#$%&'*+.^`|~-]+)\s*=\s*([\x20-\x7e]*)$/.exec(pair))
  if (pairs.some(pair => pair === null)) {
    throw new ValueError('must be name=value, several with commas.', '应为 名称=值，多个以逗号分隔。')
  }
  return Object.fromEntries(pairs.map(pair => [pair![1]!, decode(pair![2]!)]))
}

function decode(text: string) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function parseRatio(text: string): number {
  const ratio = Number(text)
  if (ratio >= 0 && ratio <= 1) return ratio
  throw new ValueError('must be a number from 0 to 1.', '应为 0 到 1 之间的数。')
}

export function oneOf<Word extends string>(text: string, words: readonly Word[]): Word {
  const word = words.find(one => one === text.toLowerCase())
  if (word !== undefined) return word
  throw new ValueError(`must be one of ${words.join(', ')}.`, `应为以下之一：${words.join('、')}。`)
}
