/** The real server. */
import { start } from './start.ts'

const { app, address, link } = await start()

const configured = (await app.services.status()).providers.filter(provider => provider.configured)
console.log(`webimgui is at ${address} — API description 接口文档: ${address}/docs`)
if (link.includes('token=')) console.log(`Log in with 登录链接: ${link}`)
if (configured.length > 0) console.log(`Configured: ${configured.map(provider => provider.name).join(', ')}`)
else {
  console.log(`No key yet 尚未配置密钥. Add one:
  curl -X POST ${address}/api/config -H 'Content-Type: application/json' \\
    -d '{"name":"Doubao","provider":"doubao","api_key":"YOUR_KEY"}'
or set DOUBAO_API_KEY or QWEN_API_KEY in the environment or in .env and start again.`)
}
