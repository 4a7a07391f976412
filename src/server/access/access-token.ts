/** The access token of the server: where it comes from, and the link that logs in with it. */
import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import path from 'node:path'
import { headerText } from '../../operator/setting-values.ts'
import { readTextFile, writeNewFile } from '../../operator/text-file.ts'
import { faultIn, isLoopback, type Settings, SettingsError } from '../../settings.ts'

/** The token that clients have to send, created at the first start if one is needed; undefined if none is. */
export function readAccessToken(settings: Settings): string | undefined {
  if (settings.accessToken !== undefined) return settings.accessToken
  // Where people log in, nobody else may come in, also not past a proxy on the same machine.
  if (isLoopback(settings.host) && settings.oidc === undefined) return undefined
  const file = path.join(settings.dataDir, 'access.token')
  if (!writeNewFile(file, randomBytes(24).toString('base64url'))) chmodSync(file, 0o600)
  return tokenIn(file)
}

/** Where people reach the server, without a slash at the end. `port` is the one that is listened on. */
export function serverAddress(settings: Settings, port: number) {
  const everywhere = settings.host === '0.0.0.0' || settings.host === '::'
  const host = everywhere ? 'localhost' : settings.host.includes(':') ? `[${settings.host}]` : settings.host
  return settings.publicUrl ?? `http://${host}:${port}`
}

/**
 * The link to open in a browser. With a token that was created here it logs in: the owner has no other way to learn it. A token from the
 * environment is known already, and is not printed, because output ends up in the journal of the system or of the container.
 */
export function loginLink(settings: Settings, port: number) {
  const base = serverAddress(settings, port)
  if (settings.accessToken !== undefined || settings.disableLocalLogin) return `${base}/login`
  const token = readAccessToken(settings)
  return token === undefined ? `${base}/` : `${base}/login?token=${encodeURIComponent(token)}`
}

/** The file may hold a token that the operator chose. @throws SettingsError */
function tokenIn(file: string) {
  const text = readTextFile(file).trim()
  if (text === '') {
    const en = `${file} is empty; delete it and start again, then a new one is made.`
    throw new SettingsError([{ en, zh: `${file} 是空文件；请删除后重新启动，将自动生成新的令牌。` }])
  }
  try {
    return headerText(text)
  } catch (error) {
    throw new SettingsError([faultIn(file, error)], { cause: error })
  }
}
