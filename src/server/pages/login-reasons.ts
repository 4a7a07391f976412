/** Why the login page is shown. */
import { wrongToken } from '../access/throttle.ts'

export const reasons = {
  /** The studio redirects so when it is refused while it is open. */
  ended: {
    en: 'You are signed out: the session ended, the token was revoked, or the account was disabled.',
    zh: '您已退出登录：会话已结束、令牌已被撤销，或账号已被停用。',
  },
  wrong: wrongToken,
  too_many: { en: 'Too many attempts. Wait a moment and try again.', zh: '尝试过于频繁，请稍后再试。' },
  left: { en: 'You are signed out.', zh: '您已退出登录。' },
  local_off: {
    en: 'Tokens do not sign in here. They still work for programs.',
    zh: '此处不能用令牌登录；程序仍可使用令牌。',
  },
  link_used: {
    en: 'This link was used already, or is older than five minutes. Make a new one.',
    zh: '此链接已被使用，或已超过五分钟。请重新生成。',
  },
  issuer_down: {
    en: 'The login service does not answer at the moment. Try again in a minute; programs with a token are not affected.',
    zh: '登录服务暂时没有响应，请稍后再试；使用令牌的程序不受影响。',
  },
  start_again: {
    en: 'This login took too long, or was begun in another browser. Please log in again.',
    zh: '登录已超时，或是在另一个浏览器中开始的。请重新登录。',
  },
  denied: { en: 'The login was cancelled.', zh: '登录已取消。' },
  failed: {
    en: 'The login did not work. Try again; if it fails again, the administrator finds the reason in the log.',
    zh: '登录未成功。请重试；如果仍然失败，管理员可以在日志中查看原因。',
  },
  not_let_in: {
    en: 'You are signed in there, but your account has no access here. Ask an administrator to give it the group or role that is needed.',
    zh: '您的账号已通过验证，但没有使用本服务的权限。请联系管理员，将账号加入所需的群组或角色。',
  },
  disabled: {
    en: 'Your account is disabled here. Ask an administrator.',
    zh: '您的账号在此已被停用，请联系管理员。',
  },
}

export type Reason = keyof typeof reasons

export function isReason(text: string): text is Reason {
  return Object.hasOwn(reasons, text)
}
