import type { problems as english } from '../en/problems.ts'
import type { Words } from '../en.ts'

export const problems: Words<typeof english> = {
  offline: '连不上服务器。请确认它正在运行，然后重试。',
  unauthorized: '登录已失效，请重新登录。',
  not_allowed: '您的令牌无权这样做，请联系服务器管理员。',
  not_found: '内容已经不在了。',
  too_large: '内容太大，无法发送。',
  too_many_requests: '请求太多，请稍等再试。',
  shutting_down: '服务器正在停止，请稍后再试。',
  internal_error: '服务器内部出错，原因见服务器日志。',
  configuration_missing: '这个服务目前没有可用的密钥：尚未启用，或已被服务方拒绝。管理员可以在“密钥”页处理。',
  content_rejected: '内容未通过服务方审核。请换一种说法，或更换参考图。',
  provider_rejected: '服务方拒绝了这个请求。请按提示修改，或换一个模型。',
  provider_key_rejected: '服务方不接受这个密钥，管理员可以在“密钥”页检查。',
  provider_access_denied: '账号未开通这个模型，请到服务方控制台开通。',
  provider_quota_exhausted: '账号余额或额度不足，请到服务方控制台充值。',
  rate_limited: '请求过于频繁，请稍等再试。',
  provider_unavailable: '服务方暂时不可用，请稍后再试。',
  provider_timeout: '服务方没有及时回应。',
  outcome_unknown: '回应在途中丢失，这张图可能已经计费。系统绝不会自行重发。',
  cancelled: '已取消。',
  storage_failed: '图片未能保存，且已无法再次获取。',
  not_made: '模型生成的图片比要求的少。',
}
