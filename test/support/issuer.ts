/**
 * An issuer of OpenID Connect that does what a test tells it, bad things above all; and a browser without a window. The real issuer that
 * tests use as well is `oidc-provider`, which cannot be brought to lie.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export const clientId = 'webimgui'
export const clientSecret = 'the-secret-of-the-client-0123456789'

/** What the issuer says at the next login, instead of the truth. */
export interface Lies {
  claims?: Record<string, unknown>
  header?: Record<string, unknown>
  key?: KeyObject
  /** Sends no signature. */
  isUnsigned?: boolean
  /** Changes the ID token after it was signed. */
  tamper?(token: string): string
  /** Changes the way back to the program. */
  redirect?(url: URL): void
  /** Answers the exchange of the code so. */
  tokenStatus?: number
  userInfo?: Record<string, unknown>
}

export interface TestIssuer {
  url: string
  lies: Lies
  /** Who logs in next. */
  person: Record<string, unknown>
  /** Of the discovery document. */
  metadata: Record<string, unknown>
  /** Every request: method, path and body. */
  requests: { method: string; path: string; query: URLSearchParams; body: string; authorization: string | undefined }[]
  /** From now on it signs with another key, under another id. */
  rotate(): void
  stop(): Promise<void>
  /** On the same port as before. */
  start(): Promise<void>
}

export async function startIssuer(): Promise<TestIssuer> {
  let key = newKey()
  const codes = new Map<string, URLSearchParams>()
  let port = 0
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

  function idToken(nonce: string | null) {
    const { lies } = issuer
    const now = Math.floor(Date.now() / 1000)
    const header = { alg: 'ES256', typ: 'JWT', kid: key.id, ...lies.header }
    const times = { iat: now, exp: now + 300 }
    const claims = { iss: issuer.url, aud: clientId, ...times, nonce, ...issuer.person, ...lies.claims }
    const text = `${encode(header)}.${encode(claims)}`
    const signature = sign('sha256', Buffer.from(text), { key: lies.key ?? key.privateKey, dsaEncoding: 'ieee-p1363' })
    const token = `${text}.${lies.isUnsigned ? '' : signature.toString('base64url')}`
    return lies.tamper ? lies.tamper(token) : token
  }

  function authorize(query: URLSearchParams) {
    const code = randomUUID()
    codes.set(code, query)
    const url = new URL(query.get('redirect_uri') ?? '')
    url.search = new URLSearchParams({ code, state: query.get('state') ?? '', iss: issuer.url }).toString()
    issuer.lies.redirect?.(url)
    return url.href
  }

  function exchange(body: URLSearchParams, authorization: string | undefined) {
    const asked = codes.get(body.get('code') ?? '')
    codes.delete(body.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url')
    const isRight =
      readBasic(authorization) === `${clientId}:${clientSecret}` &&
      asked?.get('code_challenge') === challenge &&
      asked.get('redirect_uri') === body.get('redirect_uri')
    if (!isRight) return undefined
    return {
      access_token: 'planted-access-token-of-the-issuer',
      token_type: 'Bearer',
      id_token: idToken(asked.get('nonce')),
    }
  }

  async function answer(request: http.IncomingMessage, response: http.ServerResponse) {
    let body = ''
    for await (const piece of request) body += piece
    const { pathname, searchParams: query } = new URL(request.url ?? '/', issuer.url)
    const { authorization } = request.headers
    issuer.requests.push({ method: request.method ?? '', path: pathname, query, body, authorization })
    const send = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return send(200, { ...metadataOf(issuer.url), ...issuer.metadata })
      case '/jwks':
        return send(200, {
          keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid: key.id, use: 'sig', alg: 'ES256' }],
        })
      case '/authorize':
        return response.writeHead(303, { location: authorize(query) }).end()
      case '/token': {
        const granted = exchange(new URLSearchParams(body), authorization)
        const { tokenStatus } = issuer.lies
        if (tokenStatus !== undefined) return send(tokenStatus, { error: 'server_error' })
        return granted ? send(200, granted) : send(400, { error: 'invalid_grant', error_description: 'no such code' })
      }
      case '/userinfo':
        return send(200, { sub: issuer.person.sub, ...issuer.lies.userInfo })
      default:
        return send(404, {})
    }
  }

  let server = http.createServer((request, response) => void answer(request, response))
  const issuer: TestIssuer = {
    url: '',
    lies: {},
    person: { sub: 'ann', name: 'Ann', groups: ['painters'] },
    metadata: {},
    requests: [],
    rotate() {
      key = newKey()
    },
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    async start() {
      server = http.createServer((request, response) => void answer(request, response))
      await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    },
  }
  await issuer.start()
  port = (server.address() as AddressInfo).port
  issuer.url = `http://127.0.0.1:${port}`
  return issuer
}

/** RFC 6749 §2.3.1: both parts are encoded as in forms. */
function readBasic(authorization = '') {
  const text = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString()
  return text.split(':').map(decodeURIComponent).join(':')
}

export function newKey() {
  return { id: randomUUID(), ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
}

function metadataOf(url: string) {
  return {
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/jwks`,
    userinfo_endpoint: `${url}/userinfo`,
    end_session_endpoint: `${url}/logout`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
  }
}

/** The settings of a program whose people log in there: painters may come in, masters administer. */
export function oidcEnvironment({ url }: { url: string }): Record<string, string> {
  return {
    ...{ OIDC_ISSUER: url, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret, OIDC_NAME: 'the Atelier' },
    ...{ OIDC_ROLE_CLAIM: 'groups', OIDC_ADMIN_VALUES: 'masters', OIDC_USER_VALUES: 'painters' },
    ACCESS_TOKEN: 'the-token-of-the-server',
  }
}

interface Page {
  status: number
  url: string
  text: string
  location: string | null
  setCookies: string[]
}

/** Keeps cookies by their path, as browsers do; one host, because ports share cookies. */
export function createVisitor() {
  const jar = new Map<string, { value: string; path: string }>()

  function cookieHeader(path: string) {
    const sent = [...jar].filter(
      ([, cookie]) => path === cookie.path || path.startsWith(cookie.path.replace(/\/?$/, '/')),
    )
    return sent.map(([name, { value }]) => `${name}=${value}`).join('; ')
  }

  function keep(line: string) {
    const [pair = '', ...attributes] = line.split('; ')
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    const path = attributes.find(text => text.startsWith('Path='))?.slice(5) ?? '/'
    const isGone = attributes.some(text => text === 'Max-Age=0' || /^Expires=Thu, 01 Jan 1970/.test(text))
    if (isGone) jar.delete(name)
    else jar.set(name, { value, path })
  }

  async function open(url: string, init: RequestInit = {}): Promise<Page> {
    const cookie = cookieHeader(new URL(url).pathname)
    const headers = { accept: 'text/html', ...(cookie === '' ? {} : { cookie }), ...(init.headers as object) }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    const setCookies = response.headers.getSetCookie()
    for (const line of setCookies) keep(line)
    const location = response.headers.get('location')
    return {
      status: response.status,
      url,
      text: await response.text(),
      location: location === null ? null : new URL(location, url).href,
      setCookies,
    }
  }

  return {
    jar,
    open,
    /** Follows redirects to the end; returns every page on the way. */
    async follow(url: string): Promise<Page[]> {
      const pages = [await open(url)]
      for (let last = pages[0]!; last.location !== null && pages.length < 12; pages.push(last))
        last = await open(last.location)
      return pages
    },
    /** JSON in, JSON out, with the cookies. */
    async call(method: string, url: string, body?: unknown) {
      const cookie = cookieHeader(new URL(url).pathname)
      const response = await fetch(url, {
        method,
        headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
      const text = await response.text()
      // biome-ignore lint/suspicious/noExplicitAny: answers of every route pass here, and tests look at what they expect
      return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as any }
    },
  }
}

export type Visitor = ReturnType<typeof createVisitor>
