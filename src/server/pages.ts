/** The few plain pages of the server itself. They need no script, and their style is allowed by its hash. */
import { createHash } from 'node:crypto'

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
button { cursor: pointer; background: light-dark(#b5372a, #c24636); color: #fffaf2; border: 0; border-radius: 99px }
:focus-visible { outline: 2px solid light-dark(#a83024, #f08a76); outline-offset: 2px }
.error { padding: .5rem .75rem; border-left: 4px solid light-dark(#b5372a, #c24636) }
`

export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

export function loginPage(base: string, problem?: { en: string; zh: string }) {
  const message = problem
    ? `<p class="error" role="alert">${problem.en}<br><span lang="zh">${problem.zh}</span></p>`
    : ''
  return page(
    'webimgui · sign in',
    `<h1>webimgui</h1>
<p>Sign in with the token that you were given, or with the access token that the server shows when it starts.<br>
<span lang="zh">请输入管理员发给您的令牌，或服务器启动时显示的访问令牌。</span></p>
${message}
<form method="post" action="${escapeHtml(base)}/api/login">
<label for="token">Access token · <span lang="zh">访问令牌</span></label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Sign in · <span lang="zh">登录</span></button>
</form>`,
  )
}

/** What stands in place of the studio where it was not built. `address` is where this server is reached. */
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

function page(title: string, body: string) {
  return `<!doctype html>
<html lang="en">
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
