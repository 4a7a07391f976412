/** The real server. */
import { commandLine } from './arguments.ts'

commandLine('start')

// Loaded lazily, so that `--help` and mistakes are answered at once.
const { isLoopback, shownProxies } = await import('../settings.ts')
const { providers } = await import('../providers/index.ts')
const { startProcess: start } = await import('./process.ts')

const { app, settings, address, link, needsToken } = await start()
// Standard output belongs to the log, whose lines are for programs.
const say = console.error

say(`webimgui is at ${address} — API description 接口文档: ${address}/docs`)
if (settings.disableLocalLogin) say(`Log in at 登录: ${link}\nIf that is broken 登录故障时: webimgui login-link`)
else if (settings.accessToken !== undefined) say(`Log in with your ACCESS_TOKEN 请用 ACCESS_TOKEN 登录: ${link}`)
else if (needsToken) say(`Log in with 登录链接: ${link}`)
else if (settings.publicUrl && !isLoopback(new URL(settings.publicUrl).hostname)) {
  say(`Whoever reaches ${settings.publicUrl} can spend with your keys, because there is no ACCESS_TOKEN. Set one and start again.
公网地址未设置 ACCESS_TOKEN，任何人都能用你的密钥生成图片。请设置后重新启动。`)
}

const proxies = shownProxies(settings)
if (proxies.length > 0) say(`Requests go out through a proxy 对外请求经由代理: ${proxies.join(', ')}`)

const configured = (await app.services.status()).providers.filter(provider => provider.configured)
if (configured.length > 0) say(`Configured 已配置: ${configured.map(provider => provider.name).join(', ')}`)
else {
  const keyNames = Object.values(providers).flatMap(({ environmentPrefix: prefix }) =>
    prefix ? [`${prefix}_API_KEY`] : [],
  )
  say(`No key yet. Open ${link} in a browser and press "Add a key".
尚未配置密钥。用浏览器打开 ${link}，点“添加密钥”。
Without a browser 不用浏览器:
  curl ${address}/api/config -H 'Content-Type: application/json' \\${needsToken ? `\n    -H 'Authorization: Bearer YOUR_TOKEN' \\` : ''}
    -d '{"provider":"${Object.keys(providers)[0]}","api_key":"YOUR_KEY"}'
or set ${keyNames.join(' or ')} in the environment or in .env and start again.`)
}

const ofEnvironment = (await app.services.configurations.list()).filter(({ source }) => source === 'environment')
const caps = [{ name: 'all 合计', ...settings.caps }, ...ofEnvironment].flatMap(
  ({ name, monthlyCap, monthlyImages }) => {
    const parts = [
      ...(monthlyCap ? [`${monthlyCap.amount} ${monthlyCap.currency}`] : []),
      ...(monthlyImages === null ? [] : [`${monthlyImages} pictures 张`]),
    ]
    return parts.length > 0 ? [`${name} ${parts.join(', ')}`] : []
  },
)
if (caps.length > 0) say(`Monthly cap 每月上限: ${caps.join('; ')}`)
