/** What people need to know before they have a key. Addresses and pages as the service documented them in 2026-11. */
import type { Guide } from '../provider.ts'

export const guide: Guide = {
  title: { en: 'Doubao Seedream', zh: '豆包 Seedream' },
  company: { en: 'Volcengine Ark · BytePlus ModelArk', zh: '火山方舟 · BytePlus ModelArk' },
  about: {
    en: "ByteDance's Seedream, through Volcengine Ark. Strong at Chinese text, groups, and up to 14 references.",
    zh: '字节跳动 Seedream，通过火山方舟调用。擅长中文文字、组图，最多 14 张参考图。',
  },
  steps: {
    en: 'Sign in to the Volcengine Ark console, create an API key, and activate the Seedream models (开通管理).',
    zh: '登录火山方舟控制台，创建 API Key，并在“开通管理”中开通 Seedream 模型。',
  },
  addressHint: {
    en: 'Volcengine and BytePlus keys are not interchangeable.',
    zh: '火山引擎与 BytePlus 的密钥不通用。',
  },
  addresses: [
    { url: 'https://ark.cn-beijing.volces.com/api/v3', label: { en: 'China, Beijing', zh: '中国（北京）' } },
    {
      url: 'https://ark.cn-beijing.volces.com/api/plan/v3',
      label: { en: 'Agent Plan subscription', zh: 'Agent Plan 套餐' },
    },
    {
      url: 'https://ark.ap-southeast.bytepluses.com/api/v3',
      label: { en: 'BytePlus ModelArk, international', zh: 'BytePlus ModelArk 国际站' },
    },
  ],
  keyPage: 'https://console.volcengine.com/ark/region:ark+cn-beijing/apiKey',
  consoles: [
    { url: 'https://console.byteplus.com/ark', hosts: ['bytepluses.com'] },
    { url: 'https://console.volcengine.com/ark' },
  ],
}
