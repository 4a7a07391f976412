/**
 * What members may read. Messages of a service may name its host and the account that pays; those are only for
 * administrators. They are removed from answers by the role of the caller, so that old records and routes that
 * nobody thought of are covered too.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { Caller } from '../../members/caller.ts'
import type { Catalogue } from '../../providers/registry.ts'

export interface Discretion {
  /** `answer` as `caller` may see it. `own`: texts that the caller itself wrote. */
  apply<Answer>(
    answer: Answer,
    caller: Caller | undefined,
    context?: { provider?: string | null; own?: string[] },
  ): Promise<Answer>
}

/** @param addresses of all configurations */
export function createDiscretion(
  { findProvider }: Pick<Catalogue, 'findProvider'>,
  addresses: () => Promise<string[]>,
): Discretion {
  return {
    async apply(answer, caller, { provider = null, own = [] } = {}) {
      if (caller?.role !== 'member' || !hasSentence(answer)) return answer
      // Without the database, addresses are still recognised by their form.
      const known = (await addresses().catch(() => [])).flatMap(address => hostsIn(address))
      return redacted(answer, {
        provider,
        nameOf: id => findProvider(id)?.name ?? 'the service',
        isSentence: false,
        hosts: known,
        own: own.join('\n').toLowerCase(),
      }) as typeof answer
    },
  }
}

/** The members of an answer that hold messages or parts of them. None of these holds text that a person wrote. */
const sentenceName =
  /^(message|detail|provider_message|provider_code|waiting|waiting_values|values|advice|errors|reasons?)$/

interface Scope {
  /** The provider whose name replaces a host. */
  provider: string | null
  nameOf(provider: string | null): string
  isSentence: boolean
  hosts: string[]
  own: string
}

function hasSentence(value: unknown, isSentence = false): boolean {
  if (typeof value === 'string') return isSentence && value !== ''
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(item => hasSentence(item, isSentence))
  return Object.entries(value).some(
    ([name, member]) => !isOfPerson(name) && hasSentence(member, isSentence || sentenceName.test(name)),
  )
}

/** Their members may have any name. */
function isOfPerson(name: string) {
  return name === 'parameters' || name === 'resolved'
}

function redacted(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') return scope.isSentence ? withoutPlaces(value, scope) : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => redacted(item, scope))
  const provider = 'provider' in value && typeof value.provider === 'string' ? value.provider : scope.provider
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (isOfPerson(name)) return [name, member]
      return [name, redacted(member, { ...scope, provider, isSentence: scope.isSentence || sentenceName.test(name) })]
    }),
  )
}

/** Top-level domains of services and local networks; other dotted names are taken for parameter paths and file names. */
const topLevel =
  'com|net|org|cn|io|ai|dev|cloud|app|xyz|top|site|tech|info|co|hk|sg|us|eu|jp|lan|local|localdomain|internal|intranet|corp|home|private|svc|cluster|arpa|example|invalid|test|localhost'
const hostName = new RegExp(
  `(?<![\\w.@-])(?:(?:[a-z0-9_-]+\\.)+(?:${topLevel})|localhost)(?![\\w-]|\\.\\w)(?::\\d{1,5})?`,
  'gi',
)
// Each of these begins at one place of a run of its characters only: texts of services have no bound.
const address = /(?<![\w+.-])[a-z][a-z0-9+.-]*:\/\/[^\s"'<>()，。；）]+/gi
const ip = /\[[0-9a-f:.%]+\](?::\d{1,5})?|(?<![\w:.])[0-9a-f:.]*[0-9a-f](?![\w])/gi
/** 9 to 18 digits by themselves: accounts of Volcengine have 10, those of Alibaba Cloud 16; the ids of requests are longer, or not digits alone. */
const accountNumber = /(?<![\w.-])\d{9,18}(?![\w-]|\.\d)/g
const accountWord =
  /((?:account|uid|user|tenant|owner|workspace|project|organi[sz]ation|账号|账户|帐号|帐户|用户|租户|工作空间)(?:[\s_-]*(?:id|no\.?|number|编号))?[\s:：=#"'“（(]*)((?=[\w-]{0,60}\d)[\w-]{5,64})/gi
const accountName = /\b(?:org|proj|acct|user|ws)[-_][A-Za-z0-9]{6,}\b/g

function withoutPlaces(text: string, { provider, nameOf, hosts, own }: Scope) {
  const service = nameOf(provider)
  const unlessOwn = (found: string) => (isOwn(found, own) ? found : service)
  let told = text.replace(address, unlessOwn)
  for (const host of hosts)
    told = told.replace(
      new RegExp(`(?<![\\w.-])${host.replace(/[^\w-]/g, '\\$&')}(?![\\w-])(?::\\d{1,5})?`, 'gi'),
      unlessOwn,
    )
  return told
    .replace(ip, found => (isAddress(found) ? unlessOwn(found) : found))
    .replace(hostName, unlessOwn)
    .replace(accountWord, '$1…')
    .replace(accountName, '…')
    .replace(accountNumber, '…')
}

function isOwn(found: string, own: string) {
  return own.includes(found.toLowerCase())
}

function isAddress(text: string) {
  const [, inBrackets, withPort = text] = /^(?:\[(.*)\](?::\d+)?|(.*))$/.exec(text) ?? []
  if (inBrackets !== undefined) return isIPv6(inBrackets)
  return isIPv4(withPort.replace(/:\d{1,5}$/, '')) || (withPort.includes(':') && isIPv6(withPort))
}

function hostsIn(baseUrl: string) {
  const url = URL.parse(baseUrl)
  return url === null || url.hostname === '' ? [] : [url.hostname]
}
