/** Nobody stands in another's way: a slow service, a member with much to do, and pictures that drip. */
import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'

const seedream = { model: 'doubao-seedream-5-0-pro-260628', parameters: { size: '1024x1024' } }
const qwen = { model: 'qwen-image-max', parameters: { size: '1328*1328' } }
const async = { prefer: 'respond-async' }

async function statuses(app: TestApp, ids: string[]): Promise<string[]> {
  const answers = await Promise.all(ids.map(id => app.call('GET', `/api/history/${id}`)))
  return answers.map(({ body }) => body.status)
}

/** Tokens of members, by name. */
async function startTeam(names: string[], environment: Record<string, string> = {}) {
  const admin = { authorization: 'Bearer an-access-token-for-the-admin' }
  const app = await startApp({
    timeScale: 1,
    environment: {
      ACCESS_TOKEN: 'an-access-token-for-the-admin',
      REQUESTS_PER_MINUTE: '0',
      DRAIN_SECONDS: '0',
      ...environment,
    },
  })
  const members = await Promise.all(
    names.map(async name => {
      const answer = await app.call('POST', '/api/tokens', { name, role: 'member' }, admin)
      return { authorization: `Bearer ${answer.body.token}` }
    }),
  )
  return { app, admin, members }
}

test('eighty requests to a service that hangs leave another service and another member untouched', async () => {
  const { app, members } = await startTeam(['a', 'b'])
  const [a, b] = members
  app.doubao.misbehave({ kind: 'hang' }, { times: 100 })
  const hanging = await Promise.all(
    Array.from({ length: 80 }, (_, index) =>
      app.call('POST', '/api/generate', { prompt: `boat ${index}`, ...seedream }, { ...async, ...a }),
    ),
  )
  await expect.poll(() => app.doubao.requests.length).toBe(64)

  const ofAnother = await app.call('POST', '/api/generate', { prompt: 'a hill', ...qwen }, b)
  const ofTheSame = await app.call('POST', '/api/generate', { prompt: 'a hill', ...qwen }, a)

  expect(hanging.map(({ status }) => status)).toEqual(Array(80).fill(202))
  expect([ofAnother.status, ofTheSame.status]).toEqual([200, 200])
  expect(app.doubao.requests).toHaveLength(64)
})

test('one request of a member goes before the many that another has waiting', async () => {
  const { app, admin, members } = await startTeam(['a', 'b'], { DOUBAO_API_KEY: '' })
  const [a, b] = members
  const configuration = {
    ...{ name: 'one at a time', provider: 'doubao', api_key: DOUBAO_DEMO_KEY, most_running: 1 },
    base_url: app.doubao.baseUrl,
  }
  expect((await app.call('POST', '/api/config', configuration, admin)).status).toBe(201)
  app.doubao.misbehave({ kind: 'slow', ms: 20 }, { times: 100 })
  const prompts = () => app.doubao.requests.flatMap(({ body }) => (body as { prompt?: string } | null)?.prompt ?? [])
  for (let index = 0; index < 60; index++)
    await app.call('POST', '/api/generate', { prompt: `boat ${index}`, ...seedream }, { ...async, ...a })
  await expect.poll(() => prompts().length).toBeGreaterThan(0)

  const one = await app.call('POST', '/api/generate', { prompt: 'a hill', ...seedream }, { ...async, ...b })
  const sentBefore = prompts().length

  await expect.poll(() => prompts()).toContain('a hill')
  // One that was being chosen just then, at most.
  expect(prompts().indexOf('a hill')).toBeLessThanOrEqual(sentBefore + 1)
  await expect
    .poll(async () => (await app.call('GET', `/api/history/${one.body.id}`, undefined, b)).body.status)
    .toBe('succeeded')
})

async function serve(handle: RequestListener) {
  const server = createServer(handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('pictures that drip hold up neither those of another host nor those of their own, and are kept themselves', async () => {
  const bytes = await png(64, 64)
  const dripping: ServerResponse[] = []
  const timers: NodeJS.Timeout[] = []
  onTestFinished(() => timers.forEach(clearInterval))
  const images: RequestListener = (request, response) => {
    response.writeHead(200, { 'content-type': 'image/png', 'content-length': bytes.length })
    if (!request.url?.startsWith('/drip')) return void response.end(bytes)
    dripping.push(response)
    let sent = 0
    const timer = setInterval(() => void response.write(bytes.subarray(sent, ++sent)), 20)
    timers.push(timer)
    Object.assign(response, {
      finishNow() {
        clearInterval(timer)
        response.end(bytes.subarray(sent))
      },
    })
  }
  const [slowHost, otherHost] = [await serve(images), await serve(images)]
  const ark = await serve(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { prompt } = JSON.parse(Buffer.concat(chunks).toString()) as { prompt: string }
    const url = prompt === 'elsewhere' ? `${otherHost}/good` : `${slowHost}/${prompt}`
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ model: 'm', data: [{ url, size: '64x64' }], usage: { generated_images: 1 } }))
  })
  const app = await startApp({
    environment: {
      DOUBAO_API_URL: ark,
      DRAIN_SECONDS: '0',
      ALLOWED_HOSTS: [slowHost, otherHost].map(origin => new URL(origin).host).join(','),
    },
  })
  const generate = (prompt: string) => app.generate({ prompt, ...seedream }, async)
  const drips: string[] = []
  for (let index = 0; index < 12; index++) drips.push((await generate(`drip-${index}`)).id)
  await expect.poll(() => dripping.length).toBe(12)

  const good = [(await generate('elsewhere')).id, (await generate('good')).id]
  await expect.poll(() => statuses(app, good)).toEqual(['succeeded', 'succeeded'])

  expect(await statuses(app, drips)).toEqual(Array(12).fill('running'))
  for (const response of dripping) (response as ServerResponse & { finishNow(): void }).finishNow()
  await expect.poll(() => statuses(app, drips)).toEqual(Array(12).fill('succeeded'))
  // Each was fetched once, from its first byte to its last.
  expect(dripping).toHaveLength(12)
})
