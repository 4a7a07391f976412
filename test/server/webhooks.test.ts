/** Webhooks from end to end: a generation ends, and a receiver that checks signatures with the library of the specification is told. */
import { readFile } from 'node:fs/promises'
import type { LookupFunction } from 'node:net'
import path from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Delivery, type MadeWebhook, WebhookEvent } from '../../src/api/webhooks.ts'
import { openApp, startApp, type TestApp, type TestOptions } from '../support/app.ts'
import { maxWaitMs } from '../support/patience.ts'
import { createDatabase } from '../support/postgres.ts'
import { type Message, openReceiver, type Receiver } from '../support/receiver.ts'

const picture = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
const admin = { authorization: 'Bearer the-token-of-the-server' }

let receiver: Receiver
let app: TestApp
let count = 0
/** An address that no other test uses. */
let address: string

beforeAll(async () => {
  receiver = await openReceiver()
  app = await openApp(closed())
})
afterAll(async () => {
  await app.close()
  receiver.close()
})
beforeEach(() => {
  address = `/hook-${++count}`
})

function closed(options: TestOptions = {}): TestOptions {
  const environment = { ACCESS_TOKEN: 'the-token-of-the-server', ALLOWED_HOSTS: receiver.host, ...options.environment }
  return { ...options, environment }
}

async function make(body: Record<string, unknown>, headers = admin, where = app): Promise<MadeWebhook> {
  const answer = await where.call('POST', '/api/webhooks', body, headers)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body
}

/** A member with a token of its own. */
async function member(name: string) {
  const { body } = await app.call('POST', '/api/tokens', { name }, admin)
  return { id: body.id as string, token: body.token as string, headers: { authorization: `Bearer ${body.token}` } }
}

function verify({ secret }: Pick<MadeWebhook, 'secret'>, { text, headers }: Message) {
  return WebhookEvent.parse(new Webhook(secret).verify(text, headers))
}

async function deliveries({ id }: { id: string }, where = app): Promise<Delivery[]> {
  return (await where.call('GET', `/api/webhooks/${id}/deliveries`, undefined, admin)).body.items
}

function settled(webhook: { id: string }, where = app) {
  return vi.waitUntil(async () => {
    const [first] = await deliveries(webhook, where)
    return first && first.state !== 'pending' && first
  }, maxWaitMs)
}

/** Without the webhook, later tests are told of their own ends alone. */
function removeLater({ id }: { id: string }) {
  onTestFinished(async () => void (await app.call('DELETE', `/api/webhooks/${id}`, undefined, admin)))
}

describe('a webhook', () => {
  test('is told of a picture with a link that opens it, and of nothing that is secret', async () => {
    const webhook = await make({ url: receiver.url(address), name: 'shop' })
    removeLater(webhook)
    const made = await app.generate(picture, admin)
    const [message] = await receiver.got(address)
    const event = verify(webhook, message!)

    expect(webhook.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(event).toEqual({
      type: 'generation.succeeded',
      timestamp: made.finished_at,
      data: {
        ...{ id: made.id, status: 'succeeded', provider: 'doubao', model: made.model, charge: 'charged' },
        ...{ timestamp: made.timestamp, finished_at: made.finished_at, cost: made.cost, retry_of: null, error: null },
        image_urls: [expect.stringContaining(`${app.url}/images/${made.images[0]!.id}?expires=`)],
        images: [
          expect.objectContaining({ id: made.images[0]!.id, sha256: made.images[0]!.sha256, width: 960, index: 0 }),
        ],
        failures: [],
      },
    })
    const opened = await fetch((event.data as { image_urls: string[] }).image_urls[0]!)
    expect(opened.headers.get('content-type')).toBe(made.images[0]!.mime_type)
    expect(message!.headers['content-type']).toBe('application/json')
    for (const secret of ['the-token-of-the-server', app.environment.DOUBAO_API_KEY!, webhook.secret, 'a boat'])
      expect(message!.text).not.toContain(secret)
    expect(await settled(webhook)).toMatchObject({
      ...{ state: 'delivered', type: 'generation.succeeded', generation_id: made.id, next_try_at: null },
      tries: [{ status: 200, error: null, answer: 'thank you' }],
    })
    for (const file of ['chat_history.db', 'chat_history.db-wal'])
      expect((await readFile(path.join(app.dataDir, file))).includes(webhook.secret)).toBe(false)
  })

  test('is told of every kind of end', async () => {
    const webhook = await make({ url: receiver.url(address) })
    removeLater(webhook)
    const some = { ...picture, parameters: { ...picture.parameters, n: 3 } }
    app.doubao.misbehave({ kind: 'partial', failIndexes: [1] })
    await app.generate(some, admin)
    await app.call('POST', '/api/generate', { ...picture, prompt: '[[output-blocked]]' }, admin)
    app.qwen.holdTasks('PENDING')
    const held = await app.call(
      'POST',
      '/api/generate',
      { prompt: 'x', model: 'wan2.2-t2i-flash' },
      { ...admin, prefer: 'respond-async' },
    )
    await app.call('POST', `/api/history/${held.body.id}/cancel`, {}, admin)
    app.qwen.holdTasks(undefined)
    const events = (await receiver.got(address, 3)).map(message => verify(webhook, message))

    expect(events.map(({ type }) => type).sort()).toEqual([
      'generation.cancelled',
      'generation.failed',
      'generation.partially_succeeded',
    ])
    const partial = events.find(({ type }) => type === 'generation.partially_succeeded')
    expect(partial?.data).toMatchObject({
      status: 'succeeded',
      images: [{ index: 0 }, { index: 2 }],
      failures: [{ index: 1 }],
    })
    const failed = events.find(({ type }) => type === 'generation.failed')
    expect(failed?.data).toMatchObject({ status: 'failed', images: [], error: { code: 'content_rejected' } })
  })

  test('that does not take it gets it again: the same id, a new time, what it answered in the list', async () => {
    const webhook = await make({ url: receiver.url(address) })
    removeLater(webhook)
    receiver.answer(
      { status: 500, body: `no: ${webhook.secret} signature=abcdefgh ${'x'.repeat(5000)}` },
      { status: 302, headers: { location: receiver.url('/elsewhere') } },
      { status: 429, headers: { 'retry-after': '30' } },
    )
    await app.call('POST', `/api/webhooks/${webhook.id}/test`, undefined, admin)
    const messages = await receiver.got(address, 4)
    const delivery = await settled(webhook)

    expect(new Set(messages.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([delivery.id]))
    for (const message of messages) expect(verify(webhook, message)).toMatchObject({ type: 'webhook.test', data: {} })
    expect(delivery).toMatchObject({ state: 'delivered', generation_id: null })
    expect(delivery.tries.map(({ status }) => status)).toEqual([500, 302, 429, 200])
    const [first, second, third, last] = delivery.tries
    expect(first?.answer).toMatch(/^no: whsec_… signature=… x+$/)
    expect(first?.answer).toHaveLength(500)
    expect(second?.error).toMatch(/redirects, which is not followed/)
    expect(receiver.messages.some(({ path }) => path === '/elsewhere')).toBe(false)
    // 30 s, shortened like every pause here.
    expect(Date.parse(last!.at) - Date.parse(third!.at)).toBeGreaterThanOrEqual(300)
  })

  test('that answers 410 is told nothing more, until somebody switches it on or gives another address', async () => {
    const webhook = await make({ url: receiver.url(address) })
    removeLater(webhook)
    receiver.answer({ status: 410 })
    await app.generate(picture, admin)
    await vi.waitUntil(async () => (await state(webhook)) === 'gone', maxWaitMs)
    await app.generate(picture, admin)
    const refused = await app.call('POST', `/api/webhooks/${webhook.id}/test`, undefined, admin)

    expect(await deliveries(webhook)).toMatchObject([{ state: 'failed', tries: [{ status: 410 }] }])
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } })
    const there = `${address}-moved`
    await app.call('PATCH', `/api/webhooks/${webhook.id}`, { url: receiver.url(there) }, admin)
    await app.generate(picture, admin)
    expect(await receiver.got(there)).toHaveLength(1)
  })

  test('gets what it missed when somebody presses for it', async () => {
    const webhook = await make({ url: receiver.url(address) })
    removeLater(webhook)
    await app.call('POST', `/api/webhooks/${webhook.id}/test`, undefined, admin)
    const { id } = await settled(webhook)
    const again = await app.call('POST', `/api/webhooks/${webhook.id}/deliveries/${id}/resend`, undefined, admin)
    const messages = await receiver.got(address, 2)
    const lost = await app.call('POST', `/api/webhooks/${webhook.id}/deliveries/msg_none/resend`, undefined, admin)

    expect(again).toMatchObject({ status: 202, body: { id, state: 'pending' } })
    expect(messages.map(({ headers }) => headers['webhook-id'])).toEqual([id, id])
    expect((await settled(webhook)).tries.map(({ status }) => status)).toEqual([200, 200])
    expect(lost).toMatchObject({ status: 404, body: { code: 'not_found' } })
  })

  test('knows the former secret for a day after it was renewed', async () => {
    const webhook = await make({ url: receiver.url(address) })
    removeLater(webhook)
    const renewed = await app.call('POST', `/api/webhooks/${webhook.id}/secret`, undefined, admin)
    await app.call('POST', `/api/webhooks/${webhook.id}/test`, undefined, admin)
    const [message] = await receiver.got(address)

    expect(renewed.body.secret).not.toBe(webhook.secret)
    expect(Date.parse(renewed.body.former_secret_until)).toBeGreaterThan(Date.now())
    expect([webhook, renewed.body].map(one => verify(one, message!).type)).toEqual(['webhook.test', 'webhook.test'])
  })

  test('that is switched off gets nothing, also of what waited for it', async () => {
    const webhook = await make({ url: receiver.url(address) })
    removeLater(webhook)
    receiver.answer({ status: 503, headers: { 'retry-after': '86400' } })
    await app.call('POST', `/api/webhooks/${webhook.id}/test`, undefined, admin)
    await vi.waitUntil(async () => (await deliveries(webhook))[0]?.tries.length === 1, maxWaitMs)
    const off = await app.call('PATCH', `/api/webhooks/${webhook.id}`, { is_active: false }, admin)
    await app.generate(picture, admin)

    expect(off.body.state).toBe('off')
    expect(await deliveries(webhook)).toMatchObject([{ state: 'dropped', next_try_at: null }])
  })

  test('is remembered with what it was sent for 30 days, and longer with what still waits', async () => {
    const webhook = await make({ url: receiver.url(address) })
    removeLater(webhook)
    const send = () => app.call('POST', `/api/webhooks/${webhook.id}/test`, undefined, admin)
    await send()
    await settled(webhook)
    receiver.answer({ status: 503, headers: { 'retry-after': '86400' } })
    const { body: waiting } = await send()
    await vi.waitUntil(async () => (await deliveries(webhook))[0]?.tries.length === 1, maxWaitMs)
    const { store } = app.app
    await store.deliveries.forget(await store.days.present())
    const before = await deliveries(webhook)
    await store.deliveries.forget((await store.days.present()) + 1)

    expect(before).toHaveLength(2)
    expect(await deliveries(webhook)).toMatchObject([{ id: waiting.id, state: 'pending' }])
  })

  test('of a slow receiver takes two places at most, and leaves the others to the others', async () => {
    const slow = await openReceiver()
    onTestFinished(() => slow.close())
    const other = await startApp(closed({ environment: { ALLOWED_HOSTS: `${receiver.host},${slow.host}` } }))
    const release = Promise.withResolvers<void>()
    slow.answer(...Array.from({ length: 5 }, () => ({ status: 200, after: release.promise })))
    const webhooks = [
      await make({ url: slow.url('/') }, admin, other),
      await make({ url: receiver.url(address) }, admin, other),
    ]
    for (const { id } of [...Array.from({ length: 5 }, () => webhooks[0]!), webhooks[1]!])
      await other.call('POST', `/api/webhooks/${id}/test`, undefined, admin)
    await receiver.got(address)
    await slow.got('/', 2)
    release.resolve()

    expect(await slow.got('/', 5)).toHaveLength(5)
    expect(slow.maxOpen).toBe(2)
  })
})

async function state({ id }: { id: string }) {
  const { body } = await app.call('GET', '/api/webhooks', undefined, admin)
  return body.items.find((item: { id: string }) => item.id === id)?.state
}

test('what nobody takes is given up after eleven tries, and counted', async () => {
  const hasty = await startApp(closed({ timeScale: 1e-6 }))
  receiver.answer(...Array.from({ length: 11 }, () => ({ status: 404 })))
  const webhook = await make({ url: receiver.url(address) }, admin, hasty)
  await hasty.call('POST', `/api/webhooks/${webhook.id}/test`, undefined, admin)
  const delivery = await settled(webhook, hasty)
  const metrics = await (await fetch(`${hasty.url}/metrics`, { headers: admin })).text()

  expect(delivery).toMatchObject({ state: 'failed', next_try_at: null })
  expect(delivery.tries).toHaveLength(11)
  expect(metrics).toMatch(/webimgui_webhook_tries_total\{outcome="repeated"\} 10/)
  expect(metrics).toMatch(/webimgui_webhook_tries_total\{outcome="given_up"\} 1/)
})

describe('a request with a callback', () => {
  test('is told where it said, signed by the webhook for callbacks', async () => {
    const { headers } = await member('with callbacks')
    const named = { ...picture, callback_url: receiver.url(address) }
    const before = await app.call('POST', '/api/generate', named, headers)
    const webhook = await make({ url: null }, headers)
    const form = new FormData()
    for (const [name, value] of Object.entries(named))
      form.set(name, typeof value === 'string' ? value : JSON.stringify(value))
    const { body: made } = await app.call('POST', '/api/generate', form, headers)
    const task = await app.call(
      'POST',
      '/v1/images/generations',
      { ...named, parameters: undefined, size: '960x960', async: true },
      headers,
    )
    const events = (await receiver.got(address, 2)).map(message => verify(webhook, message))
    await app.generate(picture, headers)

    expect(before).toMatchObject({ status: 422, body: { errors: [{ path: 'callback_url' }] } })
    expect(before.body.detail).toContain('{"url": null}')
    expect(events.map(({ data }) => (data as { id: string }).id)).toEqual([made.id, task.body.id])
    expect(await deliveries(webhook)).toHaveLength(2)
    expect(await app.call('POST', '/api/webhooks', { url: null }, headers)).toMatchObject({ status: 409 })
  })

  test.each([
    ['https://127.0.0.1/hook', /not a public address/],
    ['https://169.254.169.254/latest', /not a public address/],
    ['https://[::1]/hook', /not a public address/],
    ['http://example.org/hook', /Use https/],
    ['ftp://example.org/hook', /Give a whole address/],
    ['/hook', /Give a whole address/],
    ['https://user:password@example.org/', /user name or password/],
    ['https:', /Give a whole address/],
  ])('to %s is refused before anything is sent', async (url, reason) => {
    const { headers } = await member('refused')
    await make({ url: null }, headers)
    const sent = app.doubao.requests.length
    const answers = [
      await app.call('POST', '/api/generate', { ...picture, callback_url: url }, headers),
      await app.call('POST', '/api/estimate', { ...picture, callback_url: url }, headers),
      await app.call('POST', '/api/webhooks', { url }, headers),
    ]

    for (const { status, body } of answers) {
      expect([status, body.code]).toEqual([422, 'invalid_request'])
      expect(body.errors[0].message).toMatch(reason)
    }
    expect(app.doubao.requests).toHaveLength(sent)
  })
})

test('an address that leads elsewhere by the time of delivery is not connected to', async () => {
  let isAsked = false
  const lookup: LookupFunction = (_host, options, callback) => {
    const found = isAsked ? '127.0.0.1' : '93.184.215.14'
    isAsked = true
    if (options.all) callback(null, [{ address: found, family: 4 }])
    else callback(null, found, 4)
  }
  const other = await startApp(closed({ lookup, timeScale: 1e-6 }))
  const { port } = new URL(`http://${receiver.host}`)
  const webhook = await make({ url: `https://rebinding.test:${port}${address}` }, admin, other)
  await other.call('POST', `/api/webhooks/${webhook.id}/test`, undefined, admin)
  const { tries, state } = await settled(webhook, other)

  expect(state).toBe('failed')
  expect(tries[0]).toMatchObject({ status: null, answer: null, error: expect.stringMatching(/not a public address/) })
  expect(receiver.messages.some(({ path }) => path === address)).toBe(false)
})

describe('the webhooks of a token', () => {
  test('are its own: others do not see them, and are not told', async () => {
    const [mine, other] = [await member('mine'), await member('other')]
    const webhook = await make({ url: receiver.url(address) }, mine.headers)
    const made = await app.generate(picture, mine.headers)
    await app.generate(picture, other.headers)
    await receiver.got(address)
    const [delivery] = await deliveries(webhook)
    const list = async (headers: typeof admin) =>
      (await app.call('GET', '/api/webhooks', undefined, headers)).body.items.map(({ id }: Delivery) => id)
    const at = `/api/webhooks/${webhook.id}`
    const attempts = [
      await app.call('PATCH', at, { name: 'x' }, other.headers),
      await app.call('DELETE', at, undefined, other.headers),
      await app.call('POST', `${at}/secret`, undefined, other.headers),
      await app.call('POST', `${at}/test`, undefined, other.headers),
      await app.call('GET', `${at}/deliveries`, undefined, other.headers),
      await app.call('POST', `${at}/deliveries/${delivery!.id}/resend`, undefined, other.headers),
    ]

    expect(attempts.map(({ status }) => status)).toEqual(attempts.map(() => 404))
    expect(await list(mine.headers)).toEqual([webhook.id])
    expect(await list(other.headers)).toEqual([])
    expect(await list(admin)).toContain(webhook.id)
    expect(await deliveries(webhook)).toMatchObject([{ generation_id: made.id }])
    // The answer came from inside the operator's network.
    const seen = await app.call('GET', `${at}/deliveries`, undefined, mine.headers)
    expect(seen.body.items[0].tries[0]).toMatchObject({ status: 200, answer: null })
    // A delivery is looked for under its own webhook alone.
    const theirs = await make({ url: receiver.url(address) }, other.headers)
    const strange = `/api/webhooks/${theirs.id}/deliveries/${delivery!.id}/resend`
    expect((await app.call('POST', strange, undefined, other.headers)).status).toBe(404)
  })

  test('are made for it by an administrator, and go when it is revoked', async () => {
    const { id, headers } = await member('served')
    const webhook = await make({ url: receiver.url(address), token_id: id })
    const own = await app.call('POST', '/api/webhooks', { url: receiver.url(address), token_id: 'another' }, headers)
    const nobody = await app.call('POST', '/api/webhooks', { url: receiver.url(address), token_id: 'nobody' }, admin)
    await app.generate(picture, headers)
    await receiver.got(address)
    await app.call('DELETE', `/api/tokens/${id}`, undefined, admin)

    expect(webhook.token_id).toBe(id)
    expect(own).toMatchObject({ status: 403, body: { code: 'not_allowed' } })
    expect(nobody).toMatchObject({ status: 422, body: { errors: [{ path: 'token_id' }] } })
    expect(await state(webhook)).toBeUndefined()
  })

  test('are listed page by page, and twenty at most', async () => {
    const { headers } = await member('many')
    const webhooks = []
    for (let made = 0; made < 20; made++) webhooks.push(await make({ url: receiver.url(address) }, headers))
    const at = `/api/webhooks/${webhooks[0]!.id}`
    for (let sent = 0; sent < 3; sent++) await app.call('POST', `${at}/test`, undefined, headers)
    const first = await app.call('GET', `${at}/deliveries?limit=2`, undefined, headers)
    const rest = await app.call('GET', `${at}/deliveries?limit=2&cursor=${first.body.next_cursor}`, undefined, headers)

    expect(await app.call('POST', '/api/webhooks', { url: receiver.url(address) }, headers)).toMatchObject({
      status: 409,
    })
    expect(new Set([...first.body.items, ...rest.body.items].map(({ id }) => id)).size).toBe(3)
    expect(rest.body.next_cursor).toBeNull()
    expect(await app.call('GET', `${at}/deliveries?cursor=x`, undefined, headers)).toMatchObject({ status: 422 })
  })
})

test.each(['sqlite', 'postgresql'])(
  'on %s what waits is sent after a restart, and one process alone has it',
  async kind => {
    const database = kind === 'postgresql' ? { DATABASE_URL: await createDatabase() } : {}
    const other = await startApp(closed({ environment: database }))
    const webhook = await make({ url: receiver.url(address) }, admin, other)
    receiver.answer({ status: 503, headers: { 'retry-after': '86400' } })
    const made = await other.generate(picture, admin)
    await vi.waitUntil(async () => (await deliveries(webhook, other))[0]?.tries.length === 1, maxWaitMs)
    const [waiting] = await deliveries(webhook, other)
    const { deliveries: rows } = other.app.store
    const due = { id: waiting!.id, host: receiver.host, dueAt: waiting!.next_try_at! }
    const soon = new Date(Date.now() + 200).toISOString()
    const claims = await Promise.all(['a', 'b', 'c'].map(lease => rows.claim(due, lease, soon)))
    await other.restart()
    const messages = await receiver.got(address, 2)

    // Whoever claimed it never tried it, as a process that was killed.
    expect(claims.filter(claim => claim !== undefined)).toHaveLength(1)
    expect(messages.map(message => verify(webhook, message))).toMatchObject([
      { data: { id: made.id } },
      { data: { id: made.id } },
    ])
    expect(await settled(webhook, other)).toMatchObject({
      state: 'delivered',
      tries: [{ status: 503 }, { status: 200 }],
    })
  },
)
