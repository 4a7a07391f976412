/** A member hears neither addresses nor account numbers, however a service or the way to it tells them; planted ones are looked for in every answer. */
import { createServer } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { callsAbout } from '../mcp/clients.ts'
import { startApp } from '../support/app.ts'
import { filled, routesOf } from '../support/routes.ts'

const host = 'gateway.planted.internal'
const bare = 'one-api-planted'
/** Good parts of what is planted, so that half of one is found as well. */
const planted = [
  'gateway.planted',
  bare,
  '10.77.66',
  'fd00::77',
  'bucket-planted',
  '2100123456',
  '1234567890123456',
  'PlantedOrg',
  'ws-planted',
]

const lookup: LookupFunction = (name, options, callback) => {
  const isKnown = name === host || name === bare
  if (!isKnown) return callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

const confession = [
  `Account 2100123456 (account_id=2100123456, org-PlantedOrg1, workspace ws-planted-77a) may not use http://${host}:8443/v1/images`,
  `from 10.77.66.55:8080 or [fd00::77]:443 or fd00::77; see tos://bucket-planted/x, ${host}:8443 and ${bare}.`,
  '您的账号1234567890123456 已欠费。Sizes from 3686400 to 16777216 pixels, input.messages.content, 16:9, v4.5 are fine.',
].join(' ')

/** Behaves as the prompt says. */
async function startGateway() {
  const gateway = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', chunk => (body += chunk))
    request.on('end', () => {
      const answer = (status: number, value: unknown) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      }
      if (body.includes('refuse')) {
        answer(400, { error: { message: confession, type: 'invalid_request_error', code: 'account_2100123456' } })
      } else if (body.includes('break')) request.socket.destroy()
      else answer(200, { created: 1, data: [{ url: 'http://10.77.66.55/bucket-planted.png' }] })
    })
  })
  await new Promise<void>(resolve => gateway.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void gateway.close())
  return (gateway.address() as AddressInfo).port
}

test('no answer, event or stored sentence tells a member where services are and who pays there', async () => {
  const port = await startGateway()
  const app = await startApp({
    lookup,
    environment: { ACCESS_TOKEN: 'correct-horse-battery', ALLOWED_HOSTS: `${host}:${port},${bare}:${port}` },
  })
  const admin = { authorization: 'Bearer correct-horse-battery' }
  const made = await app.call('POST', '/api/tokens', { name: 'member' }, admin)
  const member = { authorization: `Bearer ${made.body.token}` }
  const configure = async (base_url: string) => {
    const body = { provider: 'openai', name: 'Gateway', model: 'x', api_key: 'sk-1234567', base_url }
    return (await app.call('POST', '/api/config', body, admin)).body.id as string
  }
  const ids = [await configure(`http://${host}:${port}/v1`), await configure(`http://${bare}:${port}/v1`)]
  const said: [place: string, text: string][] = []
  const ask = async (method: string, target: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await app.call(method, target, body, { ...member, ...headers })
    said.push([`${method} ${target}`, `${JSON.stringify(answer.body)}\n${JSON.stringify([...answer.headers])}`])
    return answer
  }
  const listening = new AbortController()
  const events = fetch(`${app.url}/api/events`, { headers: member, signal: listening.signal }).then(async response => {
    let text = ''
    try {
      for await (const chunk of response.body!) text += Buffer.from(chunk).toString()
    } catch {
      // The end of the test ends it.
    }
    return text
  })

  const problems = []
  for (const config_id of ids) {
    for (const prompt of ['refuse', 'break']) problems.push(await ask('POST', '/api/generate', { prompt, config_id }))
  }
  for (const prompt of ['refuse', 'break']) {
    const messages = [{ role: 'user', content: prompt }]
    for (const stream of [false, true]) {
      await ask('POST', '/v1/images/generations', { model: 'x', prompt, stream })
      await ask('POST', '/v1/chat/completions', { model: 'x', messages, stream })
    }
  }
  // The address of this result is refused again and again, so it waits.
  const headers = { prefer: 'respond-async' }
  const waiting = (await ask('POST', '/api/generate', { prompt: 'result', config_id: ids[0] }, headers)).body.id
  const asAdmin = async (id: string) => (await app.call('GET', `/api/history/${id}`, undefined, admin)).body
  await expect.poll(async () => JSON.stringify(await asAdmin(waiting))).toContain('10.77.66.55')
  const generations = [...problems.map(({ body }) => body.generation_id as string), waiting as string]
  const askEverywhere = async () => {
    for (const { method, path } of routesOf(app.app.server)) {
      if (path.includes('events') || method === 'DELETE' || path.includes('logout')) continue
      for (const id of /[:*]/.test(path) ? generations : ['']) {
        await ask(
          method,
          filled(path, () => id),
          method === 'GET' ? undefined : {},
        )
      }
    }
    for (const id of generations) {
      await ask('POST', `/api/history/${id}/retry`, { dry_run: true })
      // Of what has not ended the stream does not end.
      if (id !== waiting) await ask('GET', `/api/history/${id}/events`)
      for (const { body, headers } of callsAbout(id)) await ask('POST', '/mcp', body, headers)
    }
  }
  await askEverywhere()
  // Sentences that were stored outlive what they tell of.
  await app.call('DELETE', `/api/config/${ids[0]}`, undefined, admin)
  await ask('GET', '/api/history')
  listening.abort()
  said.push(['events', await events])

  const leaks = said.flatMap(([place, text]) =>
    planted.filter(word => text.includes(word)).map(word => `${word}: ${place}`),
  )
  expect(leaks).toEqual([])
  expect(said.length).toBeGreaterThan(50)
  // What helps is still there, with the name of the service in place of its host.
  const [refused, broken] = problems.map(({ body }) => body)
  expect(refused.provider_message).toContain(
    'Sizes from 3686400 to 16777216 pixels, input.messages.content, 16:9, v4.5 are fine.',
  )
  expect(broken.detail).toMatch(/^OpenAI.* broke the connection/)
  expect(said.at(-1)?.[1]).toMatch(/OpenAI.* broke the connection/)
  // Administrators see all of it.
  const seen = JSON.stringify(await Promise.all(generations.map(asAdmin)))
  expect(planted.filter(word => !seen.includes(word))).toEqual([])
})

test('what members wrote themselves is theirs to read', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: 'correct-horse-battery' } })
  const made = await app.call('POST', '/api/tokens', { name: 'm' }, { authorization: 'Bearer correct-horse-battery' })
  const member = { authorization: `Bearer ${made.body.token}` }
  const prompt = 'a poster for shop.example.com, call 2100123456'

  const refused = await app.call('POST', '/api/generate', { prompt, images: ['http://10.1.2.3/cat.png'] }, member)
  const accepted = await app.call('POST', '/api/generate', { prompt, model: 'doubao-seedream-4-0-20260415' }, member)
  const read = await app.call('GET', `/api/history/${accepted.body.id}`, undefined, member)

  expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining('10.1.2.3')])
  expect([accepted.status, read.body.prompt]).toEqual([200, prompt])
})
