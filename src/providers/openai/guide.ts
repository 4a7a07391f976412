/** What people need to know before they have a key. Addresses and pages as the service documented them in 2026-11. */
import type { Guide } from '../provider.ts'

export const guide: Guide = {
  title: { en: 'OpenAI and compatible', zh: 'OpenAI 及兼容服务' },
  company: { en: 'GPT Image, or any service with the same interface', zh: 'GPT Image，或接口相同的任何服务' },
  about: {
    en: 'GPT Image, or any service with a compatible API; enter its address under Keys.',
    zh: 'GPT Image，或任何兼容其接口的服务；地址请在“密钥”页填写。',
  },
  steps: {
    en: "Create a key in the console of the service. To use an address other than OpenAI's, add the key under Keys instead.",
    zh: '在服务方控制台创建密钥。如果不是 OpenAI 的地址，请在“密钥”页添加。',
  },
  addressHint: { en: 'Everything before /images/generations.', zh: '填写 /images/generations 之前的部分。' },
  addresses: [{ url: 'https://api.openai.com/v1', label: { en: 'OpenAI', zh: 'OpenAI' } }],
  keyPage: 'https://platform.openai.com/api-keys',
  consoles: [{ url: 'https://platform.openai.com/api-keys', hosts: ['api.openai.com'] }],
}
