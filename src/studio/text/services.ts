/** What a person needs to know of each service: its addresses, and where its keys are made. */
import { findText, type TextKey } from './text.ts'

export const serviceIds = ['doubao', 'qwen', 'openai'] as const
export type ServiceId = (typeof serviceIds)[number]

interface Address {
  url: string
  label: TextKey
}

interface Service {
  name: TextKey
  by: TextKey
  /** What it is good at. */
  about: TextKey
  /** How to get a key, on the page `keysPage`. */
  steps: TextKey
  keysPage: string
  addressHint: TextKey
  /** Those that people commonly use; the first is the one of a server that was told nothing else. */
  addresses: readonly [Address, ...Address[]]
}

/** Addresses as the services documented them; docs/providers.md, 2026-11. */
export const services: Record<ServiceId, Service> = {
  doubao: {
    name: 'configurations.doubao',
    by: 'configurations.doubaoBy',
    about: 'welcome.doubaoAbout',
    steps: 'welcome.doubaoSteps',
    keysPage: 'https://console.volcengine.com/ark/region:ark+cn-beijing/apiKey',
    addressHint: 'configurations.doubaoAddressHint',
    addresses: [
      { url: 'https://ark.cn-beijing.volces.com/api/v3', label: 'configurations.doubaoBeijing' },
      { url: 'https://ark.cn-beijing.volces.com/api/plan/v3', label: 'configurations.doubaoPlan' },
      { url: 'https://ark.ap-southeast.bytepluses.com/api/v3', label: 'configurations.doubaoBytePlus' },
    ],
  },
  qwen: {
    name: 'configurations.qwen',
    by: 'configurations.qwenBy',
    about: 'welcome.qwenAbout',
    steps: 'welcome.qwenSteps',
    keysPage: 'https://bailian.console.aliyun.com/?tab=model#/api-key',
    addressHint: 'configurations.qwenAddressHint',
    addresses: [
      { url: 'https://dashscope.aliyuncs.com/api/v1', label: 'configurations.qwenBeijing' },
      { url: 'https://dashscope-intl.aliyuncs.com/api/v1', label: 'configurations.qwenSingapore' },
      { url: 'https://dashscope-us.aliyuncs.com/api/v1', label: 'configurations.qwenVirginia' },
    ],
  },
  openai: {
    name: 'configurations.openai',
    by: 'configurations.openaiBy',
    about: 'welcome.openaiAbout',
    steps: 'welcome.openaiSteps',
    keysPage: 'https://platform.openai.com/api-keys',
    addressHint: 'configurations.openaiAddressHint',
    addresses: [{ url: 'https://api.openai.com/v1', label: 'configurations.openaiUsual' }],
  },
}

export function isService(id: string | undefined): id is ServiceId {
  return serviceIds.some(service => service === id)
}

export function withoutSlash(url: string) {
  return url.trim().replace(/\/+$/, '')
}

export function hostOf(url: string) {
  return URL.parse(url)?.host ?? url
}

/** What the address is commonly called; undefined for one that we do not know. */
export function labelOf(service: ServiceId, url: string): TextKey | undefined {
  return services[service].addresses.find(address => address.url === withoutSlash(url))?.label
}

/** Where keys are made, models opened and accounts topped up; undefined for services that we do not know. */
export function consoleOf(service: string, baseUrl: string | null): string | undefined {
  const host = baseUrl === null ? '' : hostOf(baseUrl)
  switch (service) {
    case 'doubao':
      return host.endsWith('bytepluses.com') ? 'https://console.byteplus.com/ark' : 'https://console.volcengine.com/ark'
    case 'qwen':
      return /-intl\.|-us\.|\.(ap-|us-|eu-)/.test(host)
        ? 'https://modelstudio.console.alibabacloud.com/'
        : 'https://bailian.console.aliyun.com/'
    case 'openai':
      return host === '' || host === 'api.openai.com' ? services.openai.keysPage : undefined
    default:
      return undefined
  }
}

/** As people of this language call the service; what the server calls it where there is no such name. */
export function providerName(id: string, name = id) {
  return findText('configurations', id) ?? name
}
