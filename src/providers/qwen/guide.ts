/** What people need to know before they have a key. Addresses and pages as the service documented them in 2026-11. */
import type { Guide } from '../provider.ts'

export const guide: Guide = {
  title: { en: 'Qwen-Image · Wan', zh: 'Qwen-Image · 万相' },
  company: { en: 'Alibaba Cloud Bailian (DashScope)', zh: '阿里云百炼（DashScope）' },
  about: {
    en: "Alibaba's Qwen-Image, Wan and Z-Image, through DashScope (Model Studio). Many models, some of them very cheap.",
    zh: '阿里 Qwen-Image、万相与 Z-Image，通过百炼（DashScope）调用。模型丰富，部分价格很低。',
  },
  steps: {
    en: 'Sign in to Alibaba Cloud Model Studio and create an API key. Keys belong to one region: this form is for Beijing, other regions are set up under Keys.',
    zh: '登录阿里云百炼，创建 API Key。北京与新加坡的密钥不通用：这里用于北京，其他地域请在“密钥”页设置。',
  },
  addressHint: {
    en: 'A key works only in its own region. Workspaces have an address of their own: https://WORKSPACE.cn-beijing.maas.aliyuncs.com/api/v1',
    zh: '密钥与地域必须一致。业务空间有专属地址：https://WORKSPACE.cn-beijing.maas.aliyuncs.com/api/v1',
  },
  addresses: [
    { url: 'https://dashscope.aliyuncs.com/api/v1', label: { en: 'China, Beijing', zh: '中国（北京）' } },
    {
      url: 'https://dashscope-intl.aliyuncs.com/api/v1',
      label: { en: 'Singapore, international', zh: '新加坡（国际）' },
    },
    { url: 'https://dashscope-us.aliyuncs.com/api/v1', label: { en: 'US, Virginia', zh: '美国（弗吉尼亚）' } },
  ],
  keyPage: 'https://bailian.console.aliyun.com/?tab=model#/api-key',
  consoles: [
    {
      url: 'https://modelstudio.console.alibabacloud.com/',
      hosts: ['-intl.', '-us.', '.ap-', '.us-', '.eu-'],
    },
    { url: 'https://bailian.console.aliyun.com/' },
  ],
}
