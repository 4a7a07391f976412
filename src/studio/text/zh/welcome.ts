import type { welcome as english } from '../en/welcome.ts'
import type { Words } from '../en.ts'

export const welcome: Words<typeof english> = {
  title: '一个密钥，即可作画',
  lead: 'webimgui 替您调用图像服务，并把图片保存在这台服务器上。准备好其中一个服务的密钥；有账号的话，一分钟即可开始。',
  choose: '一、选择服务',
  getKey: '二、获取密钥',
  paste: '三、粘贴到这里',
  keyHint: '保存前先加密，之后不再显示，只会发给该服务。',
  keyMissing: '请先粘贴密钥。',
  saved: '密钥可用，开始作画吧。',
  savedUntested: '密钥已保存。',
  have: '已经有密钥了。',
  haveHint: '可以直接开始创作，也可以再添加一个服务。',
  start: '开始创作',
  test_provider_key_rejected: '服务方不认识这个密钥。请重新完整复制，不要带空格。',
  test_wrong_address: '这个密钥属于别的地域或服务。请确认创建的位置；其他地域请在“密钥”页设置。',
  test_provider_access_denied: '密钥正确，但账号还不能使用模型，请到控制台开通。',
  test_provider_quota_exhausted: '密钥正确，但账号余额或额度不足。',
  test_provider_unavailable: '暂时连不上服务，无法测试。可以先保存，稍后在“密钥”页测试。',
  promise: '绝不自行重复付费，绝不丢失已付费的图片。',
}
