/** What the environment tells the words that speak to a server. Apart from `settings.ts`, whose loading takes the start of a server. */
import os from 'node:os'
import path from 'node:path'

export interface ClientEnvironment {
  /** Undefined where none is given. */
  url: string | undefined
  token: string | undefined
  /** Where logins and unfinished orders are kept. */
  folder: string
}

/** Removes the token from the environment. */
export function readClientEnvironment(): ClientEnvironment {
  const { WEBIMGUI_URL: url, WEBIMGUI_TOKEN: token, XDG_CONFIG_HOME: config, APPDATA: appData } = process.env
  delete process.env.WEBIMGUI_TOKEN
  const usual = process.platform === 'win32' ? appData : undefined
  // A relative path is to be ignored, says the XDG Base Directory Specification.
  const parent = config && path.isAbsolute(config) ? config : (usual ?? path.join(os.homedir(), '.config'))
  return { url: url?.trim() || undefined, token: token?.trim() || undefined, folder: path.join(parent, 'webimgui') }
}
