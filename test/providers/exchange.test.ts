/** What every adapter does alike in an exchange, over real HTTP. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createHttp } from '../../src/outgoing/client.ts'
import { type ProviderId, providers, shipped } from '../../src/providers/index.ts'
import type { Context, Learned } from '../../src/providers/provider.ts'

const usualModels = { doubao: 'doubao-seedream-4-0-20260415', qwen: 'qwen-image-2.0', openai: 'gpt-image-2' }

async function serve(answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const http = createHttp({ allowedHosts: [], allowedOrigins: [baseUrl] })
  onTestFinished(async () => {
    await http.close()
    server.closeAllConnections()
    server.close()
  })
  return { baseUrl, http }
}

async function send(id: ProviderId, context: Pick<Context, 'baseUrl' | 'http'>, apiKey = 'sk-1') {
  const { model } = shipped.find(usualModels[id], id)!
  const request = { modelId: model.id, prompt: 'a pier', count: 1, parameters: {}, references: [] }
  const [call] = providers[id].plan(request, model).calls
  const learned: Learned[] = []
  const reference = () => Promise.reject(new Error('there is none'))
  const whole = { ...context, apiKey, signal: AbortSignal.timeout(30_000), reference }
  for await (const one of providers[id].send({ id: 'call-1', ...call! }, whole)) learned.push(one)
  return learned.flatMap(one => (one.type === 'answer' ? [one.answer] : []))
}

describe.each(Object.keys(providers) as ProviderId[])('%s', id => {
  test.each([
    ['7', 7000],
    ['1.5', 1500],
    ['Mon, 21 Sep 2026 08:01:30 GMT', 90_000],
    ['soon', undefined],
  ])('takes the pause "%s" of a refusal as %s ms', async (header, pauseMs) => {
    const headers = { 'retry-after': header, date: 'Mon, 21 Sep 2026 08:00:00 GMT' }
    const context = await serve((_, response) => void response.writeHead(429, headers).end('{}'))

    expect(await send(id, context)).toMatchObject([{ status: 429, retryAfterMs: pauseMs }])
  })

  test('sends nothing with a key that cannot stand in a header', async () => {
    let requests = 0
    const context = await serve((_, response) => {
      requests++
      response.end()
    })

    const sent = send(id, context, 'sk-密钥')

    await expect(sent).rejects.toMatchObject({
      failure: { code: 'provider_key_rejected', disposition: 'refused' },
    })
    expect(requests).toBe(0)
  })

  test('takes the spaces and the word around a key for what they are', async () => {
    const seen: (string | undefined)[] = []
    const context = await serve((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(401).end('{}')
    })

    await send(id, context, ' Bearer sk-1 ')

    expect(seen).toEqual(['Bearer sk-1'])
  })

  test('takes a refusal whose text was cut for a refusal', async () => {
    const context = await serve((_, response) => {
      response.writeHead(401, { 'content-length': 1000 })
      response.write('{"error":', () => response.destroy())
    })

    const [answer] = await send(id, context)
    const { error, complete } = providers[id].parse(answer!, { route: 'MM', body: {} })

    expect(answer).toMatchObject({ status: 401, complete: false })
    expect({ ...error, complete }).toMatchObject({
      code: 'provider_key_rejected',
      disposition: 'refused',
      complete: true,
    })
  })
})
