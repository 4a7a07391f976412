/** Who may do what over MCP, and for how much. */
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { createDatabase } from '../support/postgres.ts'
import { connect, connectOlder, generationOf, textOf } from './clients.ts'

const picture = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', size: '960x960' }
const secret = 'correct-horse-battery-staple'

test('a session spends no more than its cap, and is told what is left', async () => {
  const app = await startApp({ environment: { MCP_SESSION_CAP: '0.5 CNY' } })
  for (const connected of [await connect(app.url), (await connectOlder(app.url)).client]) {
    const ask = (n: number, prompt: string) =>
      connected.callTool({ name: 'generate_image', arguments: { ...picture, prompt, n } })
    const billed = app.doubao.billed.length

    const large = await ask(3, 'too many')
    const first = await ask(2, 'two boats')
    const second = await ask(1, 'one more')

    expect(textOf(large)).toMatch(
      /^\[budget_exceeded\] This session may spend 0\.5 CNY; 0\.5 CNY are left, .* up to 0\.6/,
    )
    expect(generationOf(first)).toMatchObject({ images: [{}, {}], session_left: { amount: 0.1, currency: 'CNY' } })
    expect(textOf(second)).toMatch(/0\.1 CNY are left.*Nothing was sent\./s)
    expect(app.doubao.billed.length - billed).toBe(2)
  }
})

test.each(['sqlite', 'postgresql'])('on %s the cap of a session holds after a restart', async kind => {
  const database = kind === 'postgresql' ? { DATABASE_URL: await createDatabase() } : {}
  const app = await startApp({ environment: { ...database, MCP_SESSION_CAP: '0.5 CNY' } })
  const ask = async (n: number, name = 'mine', prompt = `${n} boats`) =>
    (await connect(app.url, { headers: { 'x-session': name } })).callTool({
      name: 'generate_image',
      arguments: { ...picture, prompt, n },
    })

  expect(generationOf(await ask(1))).toMatchObject({ session_left: { amount: 0.3, currency: 'CNY' } })
  await app.restart()
  expect(textOf(await ask(2))).toMatch(/^\[budget_exceeded\] This session may spend 0\.5 CNY; 0\.3 CNY are left/)
  // Several at once do not take the same rest.
  const answers = await Promise.all(['one', 'two', 'three'].map(words => ask(2, 'another', words)))
  expect(answers.filter(({ isError }) => isError)).toHaveLength(2)
})

test('a session of the API is named by its client, and capped for its token alone', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: secret } })
  const admin = { authorization: `Bearer ${secret}` }
  const { body: other } = await app.call('POST', '/api/tokens', { name: 'other' }, admin)
  const body = { prompt: 'a boat', model: picture.model, parameters: { size: picture.size } }
  const session = { 'x-session': 'a', 'x-spending-cap': '0.3 CNY' }
  const ask = (more: Record<string, string>) => app.call('POST', '/api/generate', body, { ...session, ...more })

  const [first, second] = [await ask(admin), await ask(admin)]
  const left = await app.call('GET', '/api/me', undefined, { ...session, ...admin })
  const nameless = await app.call('POST', '/api/generate', body, { ...admin, 'x-spending-cap': '1 CNY' })

  expect([first.status, second.status, nameless.status]).toEqual([200, 402, 400])
  expect(second.body).toMatchObject({ code: 'budget_exceeded', budget: { scope: 'session', left: { amount: 0.1 } } })
  expect(left.body.session_left).toEqual({ amount: 0.1, currency: 'CNY' })
  expect((await ask({ authorization: `Bearer ${other.token}` })).status).toBe(200)
})

test('a client may ask for a lower cap, not for a higher one, and in the same currency', async () => {
  const app = await startApp({ environment: { MCP_SESSION_CAP: '0.5 CNY' } })
  const ask = async (cap: string, n: number) =>
    (await connect(app.url, { headers: { 'x-spending-cap': cap } })).callTool({
      name: 'generate_image',
      arguments: { ...picture, prompt: `a boat for ${cap}`, n },
    })

  expect(textOf(await ask('0.1 CNY', 1))).toMatch(/^\[budget_exceeded\] This session may spend 0\.1 CNY/)
  expect(textOf(await ask('100 CNY', 3))).toMatch(/^\[budget_exceeded\] This session may spend 0\.5 CNY/)
  await expect(ask('1 USD', 1)).rejects.toThrow(/capped in CNY/)
  await expect(ask('much', 1)).rejects.toThrow(/amount with its currency/)
  expect(app.doubao.billed).toHaveLength(0)
})

test('a member sees and cancels only its own, its cap holds, and a revoked token is out', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: secret } })
  const admin = { authorization: `Bearer ${secret}` }
  const make = async (name: string, more = {}) =>
    (await app.call('POST', '/api/tokens', { name, ...more }, admin)).body as { id: string; token: string }
  const [one, other] = [await make('one', { monthly_images: 1 }), await make('other')]
  const mine = await connect(app.url, { token: one.token })
  const others = await connect(app.url, { token: other.token })

  const made = generationOf(await mine.callTool({ name: 'generate_image', arguments: picture }))
  const capped = await mine.callTool({ name: 'generate_image', arguments: { ...picture, prompt: 'two' } })
  const { generation_id } = made
  const reach = (name: string, given: object) => others.callTool({ name, arguments: { ...given } })
  const strange = [
    await reach('get_generation', { generation_id }),
    await reach('cancel_generation', { generation_id }),
    await reach('retry_missing', { generation_id }),
    await reach('edit_image', { prompt: 'night', image: made.images[0]!.id }),
  ]

  expect(textOf(capped)).toMatch(/^\[budget_exceeded\] The monthly cap of the token "one"/)
  for (const answer of strange) expect(textOf(answer)).toMatch(/^\[(not_found|invalid_request)\]/)
  expect((await reach('search_history', {})).structuredContent).toMatchObject({ generations: [] })
  await expect(others.readResource({ uri: made.images[0]!.resource })).rejects.toThrow(/There is no image/)
  // The link opens without a token.
  expect((await fetch(made.images[0]!.url)).status).toBe(200)
  await app.call('DELETE', `/api/tokens/${other.id}`, undefined, admin)
  await expect(reach('list_models', {})).rejects.toThrow()
})

test('a session belongs to the token that began it', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: secret } })
  const admin = { authorization: `Bearer ${secret}` }
  const made = await app.call('POST', '/api/tokens', { name: 'member' }, admin)
  const { transport } = await connectOlder(app.url, { token: secret })
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  const headers = { accept: 'application/json, text/event-stream', 'mcp-session-id': transport.sessionId ?? '' }

  const own = await app.call('POST', '/mcp', list, { ...headers, ...admin })
  const foreign = await app.call('POST', '/mcp', list, { ...headers, authorization: `Bearer ${made.body.token}` })

  expect([own.status, foreign.status]).toEqual([200, 404])
})

test('without a token the answer names where the kind of access is described, and that tells of no authorization server', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: secret } })

  const answer = await app.call('POST', '/mcp', {})
  const address = /resource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate') ?? '')?.[1] ?? ''
  const metadata = await (await fetch(address)).json()

  expect(answer.status).toBe(401)
  expect(address).toBe(`${app.url}/.well-known/oauth-protected-resource/mcp`)
  expect(metadata).toMatchObject({ resource: `${app.url}/mcp`, bearer_methods_supported: ['header'] })
  expect(metadata).not.toHaveProperty('authorization_servers')
})

test('wrong calls that models make are answered with what to do instead, for free', async () => {
  const app = await startApp()
  const client = await connect(app.url)
  const wrong: [tool: string, given: object, says: RegExp][] = [
    [
      'generate_image',
      { prompt: 'a', width: 1024, height: 1024 },
      /no argument "width"; use size, such as "1024x1536"/,
    ],
    ['generate_image', { prompt: 'a', size: 'large' }, /\[invalid_request\][\s\S]*size: .*1K/],
    ['generate_image', { prompt: 'a', size: '100x100' }, /size: .*960x960 would work/],
    ['generate_image', { prompt: 'a', n: 50 }, /n: .*10/],
    ['generate_image', { text: 'a' }, /prompt/],
    ['generate_image', { prompt: 'a', parameters: { n: 2 }, n: 3 }, /Give "n" as an argument of its own/],
    ['generate_image', { prompt: 'a', parameters: { sharpness: 3 } }, /parameters\.sharpness/],
    ['generate_image', { prompt: 'a', references: ['/home/me/cat.png'] }, /file of your machine/],
    ['edit_image', { prompt: 'a', image: 'webimgui://generations/1' }, /is no picture\. Use an id of images\[\]/],
    ['edit_image', { prompt: 'a' }, /image/],
    ['get_generation', { id: 'x' }, /no argument "id"; use generation_id/],
    ['get_generation', { generation_id: 'x' }, /\[not_found\][\s\S]*search_history/],
    ['retry_missing', { generation_id: 'x' }, /\[not_found\]/],
    ['search_history', { from: 'yesterday' }, /from: Use a date such as 2026-11-23/],
    ['list_models', { model: 'midjourney' }, /no model "midjourney"/],
  ]

  for (const [name, given, says] of wrong) {
    const answer = await client.callTool({ name, arguments: { ...given } })
    expect(textOf(answer), `${name} ${JSON.stringify(given)}`).toMatch(says)
  }
  // Null stands for what was left out.
  const nulls = { prompt: 'a boat', model: null, size: null, seed: null, references: null }
  expect(generationOf(await client.callTool({ name: 'generate_image', arguments: nulls }))).toMatchObject({
    images: [{}],
  })
  expect(app.doubao.billed).toHaveLength(1)
  expect(app.qwen.billed).toHaveLength(0)
})

test('a refusal by the service, and an answer that was lost, say what was charged', async () => {
  const app = await startApp()
  const client = await connect(app.url)
  const ask = (prompt: string) => client.callTool({ name: 'generate_image', arguments: { ...picture, prompt } })

  app.doubao.misbehave({ kind: 'all-refused' })
  const refused = await ask('refused')
  app.doubao.misbehave({ kind: 'cut', after: 'headers', billed: true })
  const lost = await ask('lost')
  const repeated = await ask('lost')

  expect(textOf(refused)).toMatch(/^\[content_rejected\][\s\S]*Nothing was charged/)
  expect(textOf(lost)).toMatch(/^\[outcome_unknown\][\s\S]*may have been billed[\s\S]*usage page/)
  // A repeat of what may have been paid is told the same, and sends nothing.
  expect(textOf(repeated)).toBe(textOf(lost))
  expect(app.doubao.billed).toHaveLength(1)
})
