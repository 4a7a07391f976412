/** The ordinary server with simulators in place of the services: pictures without any key or cost. */
import { commandLine } from './arguments.ts'

commandLine(`Usage 用法: npm run demo

The server with simulators in place of the services: no key, no cost, no network. PORT and DATA_DIR (./demo-data) can be set.
用模拟器代替真实服务：无需密钥，不收费，不联网。可设置 PORT 和 DATA_DIR（./demo-data）。`)

// Loaded lazily, so that `--help` and mistakes are answered at once.
const { startDoubaoSimulator } = await import('../simulators/doubao/doubao.ts')
const { DOUBAO_DEMO_KEY } = await import('../simulators/doubao/keys.ts')
const { QWEN_DEMO_KEY } = await import('../simulators/qwen/keys.ts')
const { startQwenSimulator } = await import('../simulators/qwen/qwen.ts')
const { start } = await import('./start.ts')

/** The services take half a minute for a picture; here it is a few seconds. */
const timeScale = 0.1

const doubao = await startDoubaoSimulator({ timeScale })
const qwen = await startQwenSimulator({ timeScale })

const { address, link, needsToken, settings } = await start({
  change: environment => ({
    ...environment,
    DATA_DIR: environment.DATA_DIR || './demo-data',
    LOG_FORMAT: environment.LOG_FORMAT || 'text',
    DOUBAO_API_URL: doubao.baseUrl,
    DOUBAO_API_KEY: DOUBAO_DEMO_KEY,
    QWEN_API_URL: qwen.baseUrl,
    QWEN_API_KEY: QWEN_DEMO_KEY,
  }),
  afterClose: async () => {
    await doubao.close()
    await qwen.close()
  },
})

const header = needsToken ? ` \\\n    -H 'Authorization: Bearer YOUR_TOKEN'` : ''

console.log(`
webimgui demo 演示 — ${address}
Pictures are drawn by simulators; nothing leaves this machine and nothing costs. 图片由本机模拟器绘制，不联网，不收费。

Open it in a browser 在浏览器中打开: ${link}
Or make a picture here 或在命令行生成一张图片:
  curl ${address}/api/generate -H 'Content-Type: application/json'${header} \\
    -d '{"prompt":"水墨山水，远处一叶小舟"}'

API description 接口文档: ${address}/docs
Pictures 图片: ${settings.storage.kind === 'folder' ? settings.storage.path : ''}
Log 日志: ${settings.logFile ?? ''}
`)
