/** The ordinary server with simulators in place of the services: pictures without any key or cost. */
import { commandLine } from './arguments.ts'

commandLine('demo')

// Loaded lazily, so that `--help` and mistakes are answered at once.
const { startDemoServices } = await import('../simulators/index.ts')
const { shipped } = await import('../providers/index.ts')
const { startProcess: start } = await import('./process.ts')

/** The services take half a minute for a picture; here it is a few seconds. */
const timeScale = 0.1

const demo = await startDemoServices({ timeScale })
const variables = demo.services.map(({ id, baseUrl, key }) => {
  const prefix = shipped.provider(id).environmentPrefix
  return { [`${prefix}_API_URL`]: baseUrl, [`${prefix}_API_KEY`]: key }
})

const { address, link, needsToken, settings } = await start({
  change: environment => ({
    ...environment,
    DATA_DIR: environment.DATA_DIR || './demo-data',
    LOG_FORMAT: environment.LOG_FORMAT || 'text',
    ...Object.assign({}, ...variables),
  }),
  afterClose: demo.close,
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
