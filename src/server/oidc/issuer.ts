/**
 * The issuer of OpenID Connect: its discovery document, the way there and what it answers. `openid-client` speaks the protocol and is loaded
 * only where an issuer is set; requests go out through the client of this program, with its proxy and its rules for addresses.
 */
import type { Configuration, CustomFetch, ServerMetadata } from 'openid-client'
import { type Claims, hasClaim } from '../../members/claims.ts'
import type { OidcSettings } from '../../operator/oidc-settings.ts'
import { createHttp } from '../../outgoing/client.ts'
import { ExchangeError } from '../../outgoing/failure.ts'
import type { Settings } from '../../settings.ts'
import type { Log } from '../../telemetry/log.ts'

/** What one login has to remember, until the browser comes back. */
export interface Challenge {
  state: string
  nonce: string
  /** Of PKCE. */
  verifier: string
  redirectUri: string
}

export interface Issuer {
  /** The last try to reach it failed. Begins another one, for whoever asks next. */
  isDown(): boolean
  /** Where to send the browser. @throws IssuerUnreachable */
  begin(redirectUri: string, language: string): Promise<{ url: string; challenge: Challenge }>
  /**
   * Who came back, with `query`, from a login that `challenge` began. Signature, issuer, audience, nonce, times and state were checked.
   * @throws LoginDenied, IssuerUnreachable, LoginFailed
   */
  finish(
    query: string,
    challenge: Challenge,
  ): Promise<{ claims: Claims & { iss: string; sub: string }; idToken: string }>
  /** Where its own session ends; undefined where it has no such address, or cannot be reached. */
  endSession(idToken: string, returnTo: string): Promise<string | undefined>
  /** Tries to reach it, and tells the log when it cannot be used. Waits for nothing. */
  prepare(): void
  close(): Promise<void>
}

/** It did not answer, or not as an issuer does. */
export class IssuerUnreachable extends Error {
  override name = 'IssuerUnreachable'
}

/** The person, or the issuer, said no. */
export class LoginDenied extends Error {
  override name = 'LoginDenied'
}

/** What came back is not what was begun here, or not what the issuer signed. */
export class LoginFailed extends Error {
  override name = 'LoginFailed'
}

type Client = typeof import('openid-client')

const requestMs = 10_000
const maxAnswerBytes = 1024 * 1024
/** Between the clocks of the issuer and of this machine. */
const clockToleranceSeconds = 60
/** Then its addresses are read again; keys are fetched by themselves when one is missing. */
const discoveryLastsMs = 3600_000
/** Nobody asks an issuer that is down more often. */
const pauseAfterFailureMs = 3_000

export function createIssuer(oidc: OidcSettings, settings: Settings, log: Log): Issuer {
  // The operator names the issuer, so it may be on the own network; what its discovery document names is held to the usual rules.
  const http = createHttp({
    allowedHosts: settings.allowedHosts,
    allowedOrigins: [new URL(oidc.issuer).origin],
    proxy: settings.proxy,
  })
  let client: Client | undefined
  let found: { configuration: Configuration; at: number } | undefined
  let failed: { error: IssuerUnreachable; at: number } | undefined
  let finding: Promise<Configuration> | undefined

  const fetchThrough: CustomFetch = async (url, { method, headers, body, signal }) => {
    const response = await http.request({
      method: method as 'GET' | 'POST',
      url,
      headers: { ...headers },
      body: body === undefined || body === null ? undefined : String(body),
      signal: signal ?? undefined,
      headersTimeoutMs: requestMs,
      idleTimeoutMs: requestMs,
      timeoutMs: 2 * requestMs,
    })
    const text = await response.text(maxAnswerBytes)
    const { 'content-encoding': _, 'content-length': __, 'transfer-encoding': ___, ...rest } = response.headers
    const hasBody = ![101, 204, 205, 304].includes(response.status)
    return new Response(hasBody ? text : null, { status: response.status, headers: rest })
  }

  async function find(): Promise<Configuration> {
    const now = performance.now()
    if (found && now - found.at < discoveryLastsMs) return found.configuration
    if (failed && now - failed.at < pauseAfterFailureMs) throw failed.error
    finding ??= discover()
      .then(
        configuration => {
          found = { configuration, at: performance.now() }
          if (failed) log.info({ issuer: oidc.issuer }, 'the issuer of OpenID Connect answers again')
          failed = undefined
          return configuration
        },
        cause => {
          const error = new IssuerUnreachable(describe(cause), { cause })
          if (!failed)
            log.warn({ issuer: oidc.issuer, reason: error.message }, 'the issuer of OpenID Connect cannot be used')
          failed = { error, at: performance.now() }
          throw error
        },
      )
      .finally(() => {
        finding = undefined
      })
    return finding
  }

  async function discover() {
    client ??= await import('openid-client')
    const isPlain = new URL(oidc.issuer).protocol === 'http:'
    const options = {
      [client.customFetch]: fetchThrough,
      timeout: (2 * requestMs) / 1000,
      execute: isPlain ? [client.allowInsecureRequests] : [],
    }
    const metadata = await readMetadata(client, options)
    const configuration = new client.Configuration(
      metadata,
      oidc.clientId,
      { [client.clockTolerance]: clockToleranceSeconds },
      authenticate(client, metadata),
    )
    configuration[client.customFetch] = fetchThrough
    configuration.timeout = (2 * requestMs) / 1000
    if (isPlain) client.allowInsecureRequests(configuration)
    // Without this the library trusts the connection alone, and does not look at the signature.
    client.enableNonRepudiationChecks(configuration)
    return configuration
  }

  /** Many issuers end with a slash and many do not; whoever copies the address from a browser cannot know. */
  async function readMetadata(client: Client, options: object): Promise<ServerMetadata> {
    const read = async (issuer: string) =>
      (await client.discovery(new URL(issuer), oidc.clientId, undefined, client.None(), options)).serverMetadata()
    return read(oidc.issuer).catch(async error => {
      const other = oidc.issuer.endsWith('/') ? oidc.issuer.slice(0, -1) : `${oidc.issuer}/`
      const { body } = (error instanceof Error && (error.cause as { body?: { issuer?: unknown } })) || {}
      if (body?.issuer !== other) throw error
      return read(other)
    })
  }

  /** As the specification has it: basic, where neither the operator nor the issuer says otherwise. */
  function authenticate(client: Client, { token_endpoint_auth_methods_supported: supported }: ServerMetadata) {
    if (oidc.clientSecret === undefined) return client.None()
    const isBasic = supported === undefined || supported.includes('client_secret_basic')
    const isPost = oidc.clientAuth === 'post' || (oidc.clientAuth === undefined && !isBasic)
    return isPost ? client.ClientSecretPost(oidc.clientSecret) : client.ClientSecretBasic(oidc.clientSecret)
  }

  /** Some issuers give what is asked for only here, and not in the token. */
  async function addUserInfo(
    client: Client,
    configuration: Configuration,
    claims: Claims & { sub: string },
    key: string,
  ) {
    const wanted = [oidc.roleClaim, oidc.nameClaim ?? 'name'].filter(name => name !== undefined)
    const isWhole = wanted.every(name => hasClaim(claims, name))
    if (isWhole || configuration.serverMetadata().userinfo_endpoint === undefined) return claims
    return { ...(await client.fetchUserInfo(configuration, key, claims.sub)), ...claims }
  }

  return {
    isDown() {
      if (failed) this.prepare()
      return failed !== undefined
    },

    async begin(redirectUri, language) {
      const configuration = await find()
      const { buildAuthorizationUrl, calculatePKCECodeChallenge, ...random } = client!
      const challenge = {
        state: random.randomState(),
        nonce: random.randomNonce(),
        verifier: random.randomPKCECodeVerifier(),
        redirectUri,
      }
      const url = buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: oidc.scopes.join(' '),
        state: challenge.state,
        nonce: challenge.nonce,
        code_challenge: await calculatePKCECodeChallenge(challenge.verifier),
        code_challenge_method: 'S256',
        ui_locales: language === 'zh' ? 'zh-CN zh en' : 'en',
      })
      return { url: url.href, challenge }
    },

    async finish(query, { state, nonce, verifier, redirectUri }) {
      const configuration = await find()
      try {
        const tokens = await client!.authorizationCodeGrant(configuration, new URL(redirectUri + query), {
          pkceCodeVerifier: verifier,
          expectedState: state,
          expectedNonce: nonce,
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        if (!claims || !tokens.id_token) throw new LoginFailed('there is no ID token')
        const whole = await addUserInfo(client!, configuration, claims, tokens.access_token)
        return { claims: { ...whole, iss: claims.iss, sub: claims.sub }, idToken: tokens.id_token }
      } catch (error) {
        throw classify(error, client!)
      }
    },

    async endSession(idToken, returnTo) {
      const configuration = await find().catch(() => undefined)
      if (configuration?.serverMetadata().end_session_endpoint === undefined) return undefined
      return client!.buildEndSessionUrl(configuration, { id_token_hint: idToken, post_logout_redirect_uri: returnTo })
        .href
    },

    prepare: () => void find().catch(() => {}),

    close: () => http.close(),
  }
}

function classify(error: unknown, { AuthorizationResponseError, ResponseBodyError }: Client) {
  const options = { cause: error }
  if (error instanceof AuthorizationResponseError) {
    const isDenied = error.error === 'access_denied'
    return isDenied ? new LoginDenied(describe(error), options) : new LoginFailed(describe(error), options)
  }
  if (error instanceof ResponseBodyError) return new LoginFailed(describe(error), options)
  const isUnreachable = causesOf(error).some(
    cause => cause instanceof ExchangeError || nameOf(cause) === 'TimeoutError',
  )
  return isUnreachable ? new IssuerUnreachable(describe(error), options) : new LoginFailed(describe(error), options)
}

/** For the log: messages and the issuer's own words. The errors themselves hold tokens, and are not written. */
function describe(error: unknown): string {
  const said = error as { error?: unknown; error_description?: unknown }
  const words = [said.error, said.error_description].filter(word => typeof word === 'string')
  const messages = causesOf(error).flatMap(cause => (cause instanceof Error ? [cause.message] : []))
  return [...new Set([...messages, ...words])]
    .join(': ')
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, 500)
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = []
  for (let next = error; next !== undefined && causes.length < 5; next = next instanceof Error ? next.cause : undefined)
    causes.push(next)
  return causes
}

function nameOf(error: unknown) {
  return error instanceof Error ? error.name : ''
}
