import type { Guide } from '../../../src/providers/provider.ts'

export const guide: Guide = {
  title: { en: 'Easel', zh: '画架' },
  company: { en: 'Easel Works', zh: '画架公司' },
  about: { en: 'Paints one picture at a time.', zh: '每次绘制一张图片。' },
  steps: { en: 'Ask for a key.', zh: '申请密钥。' },
  addressHint: { en: 'The part before /paint.', zh: '填写 /paint 之前的部分。' },
  addresses: [{ url: 'https://easel.example/v1', label: { en: 'Everywhere', zh: '全球' } }],
  keyPage: 'https://easel.example/keys',
  consoles: [{ url: 'https://easel.example/account' }],
}
