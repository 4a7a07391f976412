/** The few plain pages of the server itself. They need no script, and their style is allowed by its hash. */
import { createHash } from 'node:crypto'

const style = `
:root { color-scheme: light dark; font: 16px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif }
body { max-width: 44rem; margin: 10vh auto; padding: 0 1.25rem }
h1 { font-size: 1.6rem; margin-bottom: .25rem }
pre { overflow-x: auto; padding: 1rem; border: 1px solid #8886; border-radius: .5rem; font-size: .85rem }
input, button { font: inherit; padding: .5rem .75rem; border: 1px solid #8888; border-radius: .5rem; box-sizing: border-box }
input { width: 100%; margin: .25rem 0 1rem }
button { cursor: pointer; background: #1a5fd0; color: #fff; border-color: #1a5fd0 }
:focus-visible { outline: 3px solid #6aa3ff; outline-offset: 2px }
.error { padding: .5rem .75rem; border-left: 4px solid #c33 }
`

export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "img-src 'self'",
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
<p>Sign in with the access token. The server shows it when it starts.<br><span lang="zh">请输入访问令牌登录；服务器启动时会显示它。</span></p>
${message}
<form method="post" action="${escapeHtml(base)}/api/login">
<label for="token">Access token · <span lang="zh">访问令牌</span></label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Sign in · <span lang="zh">登录</span></button>
</form>`,
  )
}

/** What stands at the root as long as there is no studio. `address` is where this server is reached. */
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
