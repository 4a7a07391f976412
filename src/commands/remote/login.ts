/** `login` keeps the address and token of a server, `logout` forgets the token. */
import type { Me } from '../../api/tokens.ts'
import { ApiError } from '../../client/errors.ts'
import { readClientEnvironment } from '../../operator/client-environment.ts'
import { commandLine, refuseArguments } from '../arguments.ts'
import { secretInArguments } from './config.ts'
import { attemptAtServer, Refusal } from './end.ts'
import { readLogins, writeLogins } from './logins.ts'
import { say, spellMoney } from './output.ts'
import { ask, askSecret, readSecret } from './secret.ts'
import { connect, parseServerUrl, parseToken, usualUrl } from './server.ts'

export async function login() {
  const { values } = commandLine('login')
  if (values.token !== undefined && values.token !== '-') refuseArguments('login', secretInArguments('--token'))
  await attemptAtServer(async () => {
    const { folder, url: environmentUrl } = readClientEnvironment()
    const logins = readLogins(folder)
    const usual = environmentUrl ?? logins.current ?? usualUrl
    const url = parseServerUrl(values.url ?? (await ask('Address of the server 服务地址', usual)))
    const token = values.token === '-' ? parseToken(await readSecret()) : await findToken(url, folder)
    const me = await connect(url, token, folder).client.me()
    writeLogins(folder, { current: url, servers: { ...logins.servers, [url]: { token: token ?? null } } })
    say(describe(url, me))
    if (token !== undefined && isReadable(url)) {
      say(
        'This address is not encrypted: whoever is on the way can read the token. 此地址未加密，途中的人可以读到令牌。',
      )
    }
  })
}

/** Undefined where the server needs none. */
async function findToken(url: string, folder: string) {
  try {
    await connect(url, undefined, folder).client.me()
    return undefined
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'unauthorized') throw error
    return parseToken(await askSecret('Token 令牌'))
  }
}

function describe(url: string, { name, role, needs_token: needsToken, left }: Me) {
  const who = needsToken ? `${name ?? 'admin'} (${role})` : 'no token is needed 无需令牌'
  return `${url}: ${who}${left ? `, ${spellMoney(left)} left 剩余` : ''}`
}

function isReadable(url: string) {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}

export async function logout() {
  const { values } = commandLine('logout')
  await attemptAtServer(async () => {
    const { folder } = readClientEnvironment()
    const { current, servers } = readLogins(folder)
    const url = values.url === undefined ? current : parseServerUrl(values.url)
    if (url === null || !servers[url]) throw new Refusal('There is no login to forget.', '没有保存的登录信息。')
    const { [url]: _forgotten, ...others } = servers
    writeLogins(folder, { current: current === url ? null : current, servers: others })
    say(
      `${url}: forgotten here. \`webimgui token revoke\` ends the token itself. 已从本机删除；要使令牌失效，请用 webimgui token revoke。`,
    )
  })
}
