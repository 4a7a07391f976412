#!/usr/bin/env node
// The program in a container. These defaults hold there, also where a file for `--env-file` names a variable and leaves it empty.
const defaults = {
  // Other addresses cannot be reached from outside, so a token is always needed.
  HOST: '0.0.0.0',
  DATA_DIR: '/data',
  // `docker stop` kills after ten seconds.
  DRAIN_SECONDS: '7',
}

for (const [name, value] of Object.entries(defaults)) process.env[name] ||= value
if (['127.0.0.1', 'localhost', '::1'].includes(process.env.HOST ?? '')) {
  console.error(
    `HOST=${process.env.HOST} cannot be reached from outside of the container, unless it runs with --network host. Leave HOST out. 容器外无法访问该地址（使用 --network host 时除外），请去掉 HOST。`,
  )
}
await import('../../tools/webimgui.mjs')
