/** Which server a word speaks to, and as whom. */
import { createHash } from 'node:crypto'
import { createClient } from '../../client/client.ts'
import { readClientEnvironment } from '../../operator/client-environment.ts'
import type { Words } from '../../operator/environment-file.ts'
import { SentenceError } from '../../operator/sentence-error.ts'
import { headerText, httpAddress, ValueError } from '../../operator/setting-values.ts'
import { readLogins } from './logins.ts'

export type Client = ReturnType<typeof createClient>

export interface Server {
  /** Its address as logins and orders have it, without a slash at its end. */
  url: string
  client: Client
  /** Tells tokens apart without holding one. Empty where there is none. */
  tokenMark: string
  /** Where logins and orders are kept. */
  folder: string
}

export const usualUrl = 'http://127.0.0.1:8000'

/** `url` as given behind `--url`; the environment comes before what was kept by `login`. `headers` go with every request. */
export function openServer({ url: given }: { url?: string }, headers?: Record<string, string>): Server {
  const environment = readClientEnvironment()
  const logins = readLogins(environment.folder)
  const url = parseServerUrl(given ?? environment.url ?? logins.current ?? usualUrl)
  const token = environment.token ?? logins.servers[url]?.token ?? undefined
  return connect(url, token === undefined ? undefined : parseToken(token), environment.folder, headers)
}

export function connect(
  url: string,
  token: string | undefined,
  folder: string,
  headers?: Record<string, string>,
): Server {
  const client = createClient({ baseUrl: `${url}/`, token, headers, refusesRedirects: true })
  const tokenMark = token === undefined ? '' : createHash('sha256').update(token).digest('hex').slice(0, 8)
  return { url, client, tokenMark, folder }
}

/** @throws SentenceError */
export function parseServerUrl(text: string): string {
  return parse({ en: 'The address of the server', zh: '服务地址' }, () => httpAddress(text.trim()))
}

/** @throws SentenceError, which does not repeat it */
export function parseToken(text: string): string {
  return parse({ en: 'The token', zh: '令牌' }, () => headerText(text))
}

/** The messages of values go on after the name of what holds them. */
export function parse<Value>(name: Words, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    throw new SentenceError(`${name.en} ${error.message}`, `${name.zh}${error.zh}`, { cause: error })
  }
}
