/** What the tests of `/v1` share. */
import OpenAI from 'openai'
import type { TestApp } from '../support/app.ts'

export const model = 'doubao-seedream-4-0-20260415'
export const serverToken = 'the-token-of-the-server'
export const admin = { authorization: `Bearer ${serverToken}` }

/** Asks once, unless told otherwise. */
export function clientOf(app: TestApp, options: ConstructorParameters<typeof OpenAI>[0] = {}) {
  return new OpenAI({ baseURL: `${app.url}/v1`, apiKey: 'any', maxRetries: 0, ...options })
}

export async function makeToken(app: TestApp, token: Record<string, unknown> = {}) {
  const { body } = await app.call('POST', '/api/tokens', { name: 'a script', ...token }, admin)
  return body as { id: string; token: string }
}

export async function generationsOf(app: TestApp, headers: Record<string, string> = {}) {
  return (await app.call('GET', '/api/history', undefined, headers)).body.items
}
