/** The few plain pages of the server itself. They need no script, and their style is allowed by its hash. */
import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'

// The colours are those of the studio.
const style = `
:root { color-scheme: light dark; font: 16px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  background: light-dark(#f5efe3, #191614); color: light-dark(#2a231d, #f0e8db) }
body { max-width: 44rem; margin: 10vh auto; padding: 0 1.25rem }
h1, h2 { font-family: Georgia, "Songti SC", "Noto Serif CJK SC", serif; line-height: 1.25 }
h1 { font-size: 1.75rem; margin-bottom: .25rem }
h2 { font-size: 1.2rem }
pre { overflow-x: auto; padding: 1rem; border: 1px solid light-dark(#e0d5c2, #3a332d); border-radius: .75rem;
  background: light-dark(#fcf8ef, #221e1b); font-size: .85rem }
a { color: light-dark(#a83024, #f08a76) }
input, button { font: inherit; min-height: 2.75rem; padding: .5rem 1rem; border-radius: .75rem; box-sizing: border-box }
input { width: 100%; margin: .25rem 0 1rem; color: inherit; background: light-dark(#fffdf8, #2b2622);
  border: 1px solid light-dark(#a8977d, #7a6e61) }
button, .button { cursor: pointer; background: light-dark(#b5372a, #c24636); color: #fffaf2; border: 0; border-radius: 99px }
:focus-visible { outline: 2px solid light-dark(#a83024, #f08a76); outline-offset: 2px }
.error { padding: .6rem .9rem; border-radius: .75rem; background: light-dark(#f7e3da, #3d211c); color: light-dark(#a83024, #f08a76) }
.soft { color: light-dark(#5d5145, #c0b4a3) }
.centred body { max-width: 26rem; min-height: 100dvh; margin: 0 auto; padding: 1rem; box-sizing: border-box; display: grid; align-content: center }
.card { padding: 2rem; border: 1px solid light-dark(#e0d5c2, #3a332d); border-radius: 1.5rem; background: light-dark(#fcf8ef, #221e1b);
  box-shadow: 0 1px 2px light-dark(rgb(84 62 35 / 14%), rgb(0 0 0 / 45%)), 0 6px 20px -10px light-dark(rgb(84 62 35 / 14%), rgb(0 0 0 / 45%)) }
.card h1 { margin: .5rem 0 }
.card button, .card .button { width: 100%; font-weight: 500 }
.button { display: block; box-sizing: border-box; min-height: 2.75rem; padding: .5rem 1rem; text-align: center; text-decoration: none }
.or { display: flex; align-items: center; gap: .75rem; margin: 1.25rem 0; font-size: .85rem }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid light-dark(#e0d5c2, #3a332d) }
.plain button { background: none; color: inherit; border: 1px solid light-dark(#a8977d, #7a6e61) }
.seal { display: block; width: 2.75rem; height: 2.75rem }
.switch { text-align: center }
.switch a { display: inline-block; padding: .5rem 1rem; text-decoration: none }
`

const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** Under `no-referrer` a browser hides the origin of a form ("Origin: null"), and it would count as foreign. */
const pageHeaders = { 'referrer-policy': 'same-origin' } as const

export function sendPage(reply: FastifyReply, page: string, policy = pagePolicy) {
  const headers = { ...pageHeaders, 'content-security-policy': policy }
  return reply.type('text/html; charset=utf-8').headers(headers).send(page)
}

export type Language = 'en' | 'zh'

/** The requested language, else the first supported one of the browser. */
export function chooseLanguage(asked: unknown, accepted: string | undefined): Language {
  if (asked === 'en' || asked === 'zh') return asked
  return /\b(en|zh)\b/i.exec(accepted ?? '')?.[1]?.toLowerCase() === 'zh' ? 'zh' : 'en'
}

const loginWords = {
  en: {
    title: 'Sign in',
    lead: 'Sign in with the token that you were given, or with the access token of the server.',
    token: 'Access token',
    press: 'Sign in',
    issuerLead: 'Sign in to make and see your pictures.',
    issuerPress: 'Log in with {name}',
    issuerDown: 'The login service does not answer at the moment. Programs with a token are not affected.',
    or: 'or with a token',
  },
  zh: {
    title: '登录',
    lead: '请输入管理员发给您的令牌，或服务器的访问令牌。',
    token: '访问令牌',
    press: '登录',
    issuerLead: '登录后即可生成和查看您的图片。',
    issuerPress: '使用 {name} 登录',
    issuerDown: '登录服务暂时没有响应；使用令牌的程序不受影响。',
    or: '或使用令牌',
  },
}

/** The way to the issuer of OpenID Connect. */
export interface IssuerButton {
  name: string
  address: string
  isDown: boolean
}

interface LoginOptions {
  /** Why this page is shown; kept when the language changes. */
  problem?: { reason: string; message: Record<Language, string> }
  /** Where to go in the studio afterwards; kept too. */
  to: string
  hasTokenForm: boolean
  issuer?: IssuerButton
}

export function loginPage(base: string, language: Language, { problem, to, hasTokenForm, issuer }: LoginOptions) {
  const words = loginWords[language]
  const other = language === 'zh' ? { language: 'en', name: 'English' } : { language: 'zh', name: '中文' }
  const query = new URLSearchParams({
    language: other.language,
    ...(problem && { reason: problem.reason }),
    ...(to !== '/' && { to }),
  })
  const form = `<form method="post" action="${escapeHtml(base)}/api/login?language=${language}"${issuer ? ' class="plain"' : ''}>
<label for="token">${words.token}</label>
<input id="token" name="token" type="password" autocomplete="current-password" required${issuer ? '' : ' autofocus'}>
<button>${words.press}</button>
</form>`
  return page(
    `${words.title} · webimgui`,
    `<div class="card">
${seal}
<h1>webimgui</h1>
<p class="soft">${issuer ? words.issuerLead : words.lead}</p>
${problem ? `<p class="error" role="alert">${problem.message[language]}</p>` : ''}
${issuer ? describeIssuer(issuer, language, problem?.reason) : ''}
${issuer && hasTokenForm ? `<p class="or soft">${words.or}</p>` : ''}
${hasTokenForm ? form : ''}
</div>
<p class="switch"><a href="${escapeHtml(`${base}/login?${query}`)}" lang="${other.language}" hreflang="${other.language}">${other.name}</a></p>`,
    { language, isCentred: true },
  )
}

function describeIssuer({ name, address, isDown }: IssuerButton, language: Language, reason: string | undefined) {
  const { issuerDown, issuerPress } = loginWords[language]
  const trouble = isDown && reason !== 'issuer_down' ? `<p class="error" role="status">${issuerDown}</p>\n` : ''
  return `${trouble}<a class="button" href="${escapeHtml(address)}">${escapeHtml(issuerPress.replace('{name}', () => name))}</a>`
}

/** Shown in place of the studio if it was not built. `address` is that of this server. */
export function homePage(base: string, address: string, needsToken: boolean) {
  const header = needsToken ? " \\\n  -H 'authorization: Bearer YOUR_TOKEN'" : ''
  const curl = `curl ${address}/api/generate${header} \\
  -H 'content-type: application/json' \\
  -d '{"prompt": "水墨山水，远处一叶小舟"}'`
  return page(
    'webimgui',
    `<h1>webimgui</h1>
<p>A self-hosted image studio and gateway for Doubao Seedream, Qwen-Image and Wan. It never pays twice by itself and never loses a
picture that was paid for.</p>
<p lang="zh">自托管的图像生成工作室与网关，支持豆包 Seedream、通义 Qwen-Image 与万相：绝不自行重复付费，绝不丢失已付费的图片。</p>
<p>The studio is not built here. Run <code>npm run build</code> in the folder of webimgui, then load this page again.<br>
<span lang="zh">网页界面尚未构建：请在 webimgui 目录运行 <code>npm run build</code>，然后刷新本页。</span></p>
<h2>First picture · <span lang="zh">第一张图片</span></h2>
<pre><code>${escapeHtml(curl)}</code></pre>
<p><a href="${escapeHtml(base)}/docs/">API reference · <span lang="zh">接口文档</span></a> ·
<a href="${escapeHtml(base)}/openapi.json">OpenAPI</a> ·
<a href="${escapeHtml(base)}/api/status">Status · <span lang="zh">状态</span></a></p>`,
  )
}

/** Same as `src/studio/seal.svg`, which is served only after login. */
const seal = `<svg class="seal" viewBox="0 0 32 32" aria-hidden="true">
<path d="M6.5 2.2 25 1.8c3 0 4.8 1.7 5 4.6l.3 18.4c0 3.2-1.9 5-5 5.2l-18.4.3c-3.2 0-4.9-1.7-5-4.8L1.7 7c0-3 1.7-4.7 4.8-4.8z" fill="#b5372a"/>
<g fill="none" stroke="#fffaf0" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round">
<path d="M7 22.5 13 13l4.5 6.5 3-4 4.5 7"/><circle cx="21.5" cy="9.8" r="2.1"/></g>
</svg>`

function page(
  title: string,
  body: string,
  { language = 'en', isCentred = false }: { language?: Language; isCentred?: boolean } = {},
) {
  return `<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}"${isCentred ? ' class="centred"' : ''}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}

function escapeHtml(text: string) {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
