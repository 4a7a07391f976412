/** The settings of the login by OpenID Connect, which belong together: a part of them alone stops the start. */
import type { Words } from './environment-file.ts'
import { parseMoney, ValueError, wholeNumber } from './setting-values.ts'

export interface OidcSettings {
  /** As its discovery document names it; with a slash at the end only where it was typed so. */
  issuer: string
  clientId: string
  /** Undefined for a public client, which PKCE protects. */
  clientSecret: string | undefined
  /** How it is sent to the issuer; undefined: as the issuer says. */
  clientAuth: 'basic' | 'post' | undefined
  scopes: string[]
  /** The claim that `adminValues` and `userValues` are looked for in; undefined: none. */
  roleClaim: string | undefined
  adminValues: string[]
  /** `*`: everybody whom the issuer signs in. */
  userValues: string[]
  /** Undefined: the first of the usual ones. */
  nameClaim: string | undefined
  /** For the button. */
  name: string
  sessionHours: number
  /** Caps that a new member begins with. */
  startingCaps: { monthlyCap: { amount: number; currency: string } | null; monthlyImages: number | null }
}

export const oidcNames = [
  'OIDC_ISSUER',
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET',
  'OIDC_CLIENT_AUTH',
  'OIDC_NAME',
  'OIDC_SCOPES',
  'OIDC_ROLE_CLAIM',
  'OIDC_ADMIN_VALUES',
  'OIDC_USER_VALUES',
  'OIDC_NAME_CLAIM',
  'OIDC_SESSION_HOURS',
  'OIDC_USER_CAP',
  'OIDC_USER_CAP_IMAGES',
  'DISABLE_LOCAL_LOGIN',
] as const

type OidcName = (typeof oidcNames)[number]

export interface OidcReader {
  optional<Value>(name: OidcName, parse: (text: string) => Value): Value | undefined
  /** Of a fault that is not one of a single value. */
  add(fault: Words): void
  /** Where browsers find this server is known: it has PUBLIC_URL, or serves its own machine only. */
  hasAddress: boolean
  /** The operator names this host as one of the own network. */
  isAllowed(url: URL): boolean
}

/** Undefined where nobody asked for it. */
export function readOidc(reader: OidcReader): { oidc: OidcSettings | undefined; disableLocalLogin: boolean } {
  const { optional, add } = reader
  const isGiven = (name: OidcName) => optional(name, text => text) !== undefined
  const disableLocalLogin = optional('DISABLE_LOCAL_LOGIN', parseSwitch) ?? false
  if (!isGiven('OIDC_ISSUER')) {
    for (const name of oidcNames.filter(isGiven).filter(name => name !== 'DISABLE_LOCAL_LOGIN' || disableLocalLogin)) {
      add({
        en: `${name} is of use only with OIDC_ISSUER, which is not set. Set that too, or leave this out.`,
        zh: `${name} 只在设置了 OIDC_ISSUER 时才有用。请同时设置 OIDC_ISSUER，或删去本项。`,
      })
    }
    return { oidc: undefined, disableLocalLogin: false }
  }
  const issuer = optional('OIDC_ISSUER', text => parseIssuer(text, reader))
  const clientId = optional('OIDC_CLIENT_ID', text => text)
  if (clientId === undefined) {
    add({
      en: 'OIDC_CLIENT_ID is missing: the id under which OIDC_ISSUER knows this server.',
      zh: '缺少 OIDC_CLIENT_ID：请填写 OIDC_ISSUER 中为本服务器登记的客户端 ID。',
    })
  }
  if (!reader.hasAddress) {
    add({
      en: 'OIDC_ISSUER needs PUBLIC_URL, the address to which the issuer sends browsers back; it is not set.',
      zh: '使用 OIDC_ISSUER 必须设置 PUBLIC_URL：登录后浏览器要回到这个地址。',
    })
  }
  const adminValues = optional('OIDC_ADMIN_VALUES', parseAdminValues) ?? []
  const userValues = optional('OIDC_USER_VALUES', parseValues) ?? []
  const oidc: OidcSettings = {
    issuer: issuer ?? '',
    clientId: clientId ?? '',
    clientSecret: optional('OIDC_CLIENT_SECRET', text => text),
    clientAuth: optional('OIDC_CLIENT_AUTH', parseClientAuth),
    scopes: optional('OIDC_SCOPES', parseScopes) ?? ['openid', 'profile', 'email'],
    roleClaim: optional('OIDC_ROLE_CLAIM', text => text),
    adminValues,
    userValues,
    nameClaim: optional('OIDC_NAME_CLAIM', text => text),
    name: optional('OIDC_NAME', text => text) ?? (issuer ? new URL(issuer).host : ''),
    sessionHours: optional('OIDC_SESSION_HOURS', text => wholeNumber(text, 1, 720)) ?? 24,
    startingCaps: {
      monthlyCap: optional('OIDC_USER_CAP', parseMoney) ?? null,
      monthlyImages: optional('OIDC_USER_CAP_IMAGES', text => wholeNumber(text, 0, 100_000_000)) ?? null,
    },
  }
  checkRules(oidc, add)
  return { oidc, disableLocalLogin }
}

/** Without a rule nobody could come in; whoever wants everybody in has to say so, because some issuers know the whole world. */
function checkRules({ roleClaim, adminValues, userValues }: OidcSettings, add: OidcReader['add']) {
  const named = [...adminValues, ...userValues]
  if (named.length === 0) {
    add({
      en: 'OIDC_USER_VALUES and OIDC_ADMIN_VALUES are both empty, so nobody could log in. Name the values of OIDC_ROLE_CLAIM that let people in, or set OIDC_USER_VALUES=* for everybody whom the issuer knows.',
      zh: 'OIDC_USER_VALUES 和 OIDC_ADMIN_VALUES 都为空，没有人能登录。请填写 OIDC_ROLE_CLAIM 中允许登录的取值；若允许该身份提供方的所有用户，请设 OIDC_USER_VALUES=*。',
    })
  } else if (roleClaim === undefined && named.some(value => value !== '*')) {
    add({
      en: 'OIDC_ROLE_CLAIM is missing: the claim in which OIDC_ADMIN_VALUES and OIDC_USER_VALUES are looked for, such as groups or realm_access.roles.',
      zh: '缺少 OIDC_ROLE_CLAIM：请填写包含 OIDC_ADMIN_VALUES、OIDC_USER_VALUES 取值的声明（claim），例如 groups 或 realm_access.roles。',
    })
  }
}

/** Keys and identities pass through it, so it is https, except on the own machine and network. */
function parseIssuer(text: string, { isAllowed }: Pick<OidcReader, 'isAllowed'>) {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new ValueError(
      'must be the address of the issuer, such as https://login.example.org/realms/team.',
      '必须是身份提供方（issuer）的地址，例如 https://login.example.org/realms/team。',
    )
  }
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'http:' && !isLocal && !isAllowed(url)) {
    throw new ValueError(
      'must begin with https://. For one of your own network that has only http://, name its host in ALLOWED_HOSTS as well.',
      '必须以 https:// 开头。如果它在内网且只有 http://，请同时把主机名写入 ALLOWED_HOSTS。',
    )
  }
  // The discovery document repeats it to the letter.
  return text.replace(/\/?\.well-known\/openid-configuration$/, '')
}

/** Between commas, because the names of groups hold spaces. */
function parseValues(text: string) {
  return text
    .split(/[,，]/)
    .map(value => value.trim())
    .filter(Boolean)
}

function parseAdminValues(text: string) {
  const values = parseValues(text)
  if (values.includes('*')) {
    throw new ValueError(
      'cannot be "*": everybody whom the issuer knows would be an administrator. Name the values of administrators.',
      '不能是 “*”：否则该身份提供方的所有用户都会成为管理员。请填写管理员对应的取值。',
    )
  }
  return values
}

function parseClientAuth(text: string) {
  if (text !== 'basic' && text !== 'post') throw new ValueError('must be basic or post.', '必须是 basic 或 post。')
  return text
}

function parseScopes(text: string) {
  const scopes = text.split(/[\s,]+/).filter(Boolean)
  if (!scopes.includes('openid') || scopes.some(scope => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))) {
    throw new ValueError(
      'must list scopes with openid among them, such as openid profile email groups.',
      '必须是包含 openid 的 scope 列表，例如 openid profile email groups。',
    )
  }
  return [...new Set(scopes)]
}

function parseSwitch(text: string) {
  const value = { true: true, '1': true, yes: true, on: true, false: false, '0': false, no: false, off: false }[
    text.toLowerCase()
  ]
  if (value === undefined) throw new ValueError('must be true or false.', '必须是 true 或 false。')
  return value
}
