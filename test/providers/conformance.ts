/** The questions that every adapter answers, over HTTP, against a simulator that keeps a ledger. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Generation } from '../../src/api/generations.ts'
import type { Fault } from '../../src/simulators/faults.ts'
import type { Simulator } from '../../src/simulators/server.ts'
import { openApp, startApp, type TestApp } from '../support/app.ts'
import { dataUri, jpeg, png } from '../support/pictures.ts'

export interface Subject {
  name: string
  /** The smallest picture the model makes, to be quick. */
  request: { model: string; parameters: { size?: string } }
  /** The most pictures that one generation may ask for. */
  most: number
  editing: { model: string; parameters: { size?: string } }
  simulator(app: TestApp): Simulator
  /** What has to stand before the first request, such as a stored configuration. */
  prepare?(app: TestApp): Promise<void>
  /** An answer of the service that proves that nothing was made, and one that does not. */
  busy: Fault
  broken: Fault
  /** Answers of the service that prove that nothing was made and that asking again would not help. */
  refusals: Record<'provider_rejected' | 'provider_access_denied' | 'provider_quota_exhausted', Fault>
  /** A prompt that the simulator refuses for its content. */
  blocked: string
  /** The service gives a task id before the picture, and a list of tasks, where a lost one is found. */
  hasTasks: boolean
}

export function describeProvider(subject: Subject) {
  describe(`${subject.name} keeps what every provider promises`, () => {
    let app: TestApp
    let simulator: Simulator

    async function begin(opening: Promise<TestApp>) {
      app = await opening
      simulator = subject.simulator(app)
      await subject.prepare?.(app)
      simulator.reset()
    }

    const ask = (more: object = {}) => ({ prompt: 'a paper boat on a grey lake', ...subject.request, ...more })
    const asks = () => simulator.requests.filter(({ method, path }) => method === 'POST' && !/cancel/.test(path))

    describe('to one request after another', () => {
      beforeAll(() => begin(openApp()))
      afterAll(() => app.close())
      beforeEach(() => simulator.reset())

      test('the advertised maximum of pictures is made, all different, none twice', async () => {
        const generation = await app.generate(ask({ parameters: { ...subject.request.parameters, n: subject.most } }))

        expect(generation.status).toBe('succeeded')
        expect(generation.images.map(image => image.index)).toEqual(
          Array.from({ length: subject.most }, (_, index) => index),
        )
        expect(new Set(generation.images.map(image => image.sha256)).size).toBe(subject.most)
        expect(simulator.billed).toHaveLength(subject.most)
      })

      test('one and several references arrive as pictures that can be decoded', async () => {
        const { mime_type, ...one } = { mime_type: 'image/jpeg', ...subject.editing }
        const first = await app.generate({ prompt: 'make it night', ...one, images: [dataUri(await png(800, 600))] })
        const images = [dataUri(await png(800, 600)), dataUri(await jpeg(640, 640), mime_type)]
        const second = await app.generate({ prompt: 'put the first into the second', ...one, images })

        expect([first.status, second.status]).toEqual(['succeeded', 'succeeded'])
        expect([first.references.length, second.references.length]).toEqual([1, 2])
      })

      test('the advertised maximum of references is sent, and one more is refused here', async () => {
        const { items } = (await app.call('GET', '/api/models')).body
        const { references } = items.find((model: { id: string }) => model.id === subject.editing.model)
        const most: number = references.max
        const one = dataUri(await png(512, 512))
        const edit = { prompt: 'put all of them on one table', ...subject.editing }

        const made = await app.generate({ ...edit, images: Array.from({ length: most }, () => one) })
        const sent = asks().length
        const more = await app.call('POST', '/api/generate', {
          ...edit,
          images: Array.from({ length: most + 1 }, () => one),
        })

        expect(made).toMatchObject({ status: 'succeeded', charge: 'charged' })
        expect(made.references).toHaveLength(most)
        expect(more).toMatchObject({ status: 422, body: { code: 'invalid_request' } })
        expect(more.body.detail).toContain(String(most))
        expect(asks()).toHaveLength(sent)
      })

      test('a parameter of another model is left out and named, and one that no model has is refused', async () => {
        // Ark ignores what it does not know, and bills; others refuse it.
        const parameters = { ...subject.request.parameters, layer_decomposition: true }
        const made = await app.generate(ask({ parameters }))
        const sent = asks().map(({ body }) => JSON.stringify(body))
        const unknown = await app.call('POST', '/api/generate', ask({ parameters: { novelty: 1 } }))

        expect(made.warnings).toMatchObject([{ parameter: 'layer_decomposition' }])
        expect(sent.join()).not.toContain('layer_decomposition')
        expect(unknown).toMatchObject({
          status: 422,
          body: { code: 'invalid_request', errors: [{ path: 'parameters.novelty' }] },
        })
        expect(asks()).toHaveLength(sent.length)
      })

      test('a stored picture can be a reference again', async () => {
        const made = await app.generate(ask())

        const edited = await app.generate({
          prompt: 'again, at dusk',
          ...subject.editing,
          images: [made.images[0]?.id],
        })

        expect(edited).toMatchObject({ status: 'succeeded', references: [{ id: made.images[0]?.id }] })
      })

      test('refused content says so, with the words of the service, and costs nothing', async () => {
        const answer = await app.call('POST', '/api/generate', ask({ prompt: subject.blocked }))

        expect(answer).toMatchObject({ status: 422, body: { code: 'content_rejected' } })
        const generation = await record(answer.body.generation_id)
        expect(generation).toMatchObject({ status: 'failed', charge: 'none', cost: null })
        expect(generation.error).toMatchObject({
          provider_code: expect.any(String),
          provider_message: expect.any(String),
          provider_request_id: expect.any(String),
        })
        expect(simulator.billed).toEqual([])
      })

      test.each<[string, string, string | undefined]>([
        ['an HTML page', '<html><body>It works</body></html>', 'text/html'],
        ['nothing', '', undefined],
        ['half an answer', '{"data":[{"url":"http', undefined],
        ['an empty object', '{}', undefined],
        ['a list', '[]', undefined],
      ])('%s in place of an answer is a failed generation', async (_, body, contentType) => {
        simulator.misbehave({ kind: 'garbage', body, contentType })

        const answer = await app.call('POST', '/api/generate', ask())

        expect(answer.status).toBeGreaterThanOrEqual(422)
        expect(['provider_rejected', 'outcome_unknown', 'provider_unavailable']).toContain(answer.body.code)
        expect(asks()).toHaveLength(1)
        expect((await record(answer.body.generation_id)).status).toBe('failed')
      })

      test('a slow answer is waited for', async () => {
        simulator.misbehave({ kind: 'slow', ms: 400 })

        expect((await app.generate(ask())).status).toBe('succeeded')
      })

      test('the check of a configuration tells right from wrong, and never makes a picture', async () => {
        const { provider } = await record((await app.generate(ask())).id)
        simulator.reset()
        const known = (await app.call('GET', '/api/config')).body.items.find(
          (one: { provider: string }) => one.provider === provider,
        )

        const good = await app.call('POST', '/api/config/test', { id: known.id })
        const bad = await app.call('POST', '/api/config/test', {
          provider,
          api_key: 'sk-wrong',
          base_url: simulator.baseUrl,
        })
        const elsewhere = await app.call('POST', '/api/config/test', {
          provider,
          api_key: 'sk-wrong',
          base_url: `${simulator.origin}/nothing/here`,
        })

        expect(good).toMatchObject({ status: 200, body: { ok: true, code: 'ok', latency_ms: expect.any(Number) } })
        expect(bad).toMatchObject({ status: 200, body: { ok: false, code: 'provider_key_rejected' } })
        expect(elsewhere).toMatchObject({
          status: 200,
          body: { ok: false, code: expect.stringMatching(/wrong_address|provider_key_rejected/) },
        })
        expect(simulator.billed).toEqual([])
      })

      test.each([
        ['is cut once', [{ kind: 'download', how: 'cut' }]],
        [
          'fails with 500 twice',
          [
            { kind: 'download', how: '500' },
            { kind: 'download', how: '500' },
          ],
        ],
        ['is of another type than announced', [{ kind: 'download', how: 'other-type' }]],
      ] satisfies [string, Fault[]][])('a result that %s is stored all the same', async (_, faults) => {
        for (const fault of faults) simulator.misbehave(fault)

        // A picture that comes late does not keep its client waiting: the answer may be there before it.
        const { id } = await app.generate(ask())

        expect(await end(id)).toMatchObject({ status: 'succeeded', images: [{ sha256: expect.any(String) }] })
        expect(asks()).toHaveLength(1)
      })
    })

    // What shakes the trust in a key, or loses a request, would be remembered.
    describe('each with a server of its own', () => {
      beforeEach(() => begin(startApp()))

      test('a prompt becomes a stored picture, byte for byte, that outlives the service', async () => {
        const generation = await app.generate(ask())
        const [image] = generation.images
        await simulator.close()

        const stored = await fetch(`${app.url}${image?.url}`)
        const bytes = Buffer.from(await stored.arrayBuffer())

        expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged', error: null, failures: [] })
        expect(stored.headers.get('content-type')).toBe(image?.mime_type)
        expect(bytes.length).toBe(image?.bytes)
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(image?.sha256)
        expect(simulator.billed).toHaveLength(1)
        expect({ width: image?.width, height: image?.height }).toEqual(sizeOf(simulator.billed[0]))
        expect((await fetch(`${app.url}${image?.thumbnail_url}`)).headers.get('content-type')).toBe('image/webp')
      })

      test.each([
        ['provider_rejected', 422],
        ['provider_access_denied', 502],
        ['provider_quota_exhausted', 402],
      ] as const)('%s is told as %i, is not asked again, and costs nothing', async (code, status) => {
        simulator.misbehave(subject.refusals[code])

        const answer = await app.call('POST', '/api/generate', ask())

        expect(answer).toMatchObject({ status, body: { code } })
        expect(asks()).toHaveLength(1)
        const generation = await record(answer.body.generation_id)
        expect(generation).toMatchObject({ status: 'failed', charge: 'none', cost: null })
        expect(generation.error?.provider_code).toEqual(expect.any(String))
      })

      test('a gateway that gives up is a timeout that may have been billed', async () => {
        const page = { body: '<html>504 Gateway Time-out</html>', headers: { 'content-type': 'text/html' } }
        simulator.misbehave({ kind: 'status', status: 504, ...page })

        const answer = await app.call('POST', '/api/generate', ask())

        expect(answer).toMatchObject({ status: 504, body: { code: 'provider_timeout' } })
        expect(asks()).toHaveLength(1)
        expect(await record(answer.body.generation_id)).toMatchObject({ status: 'failed', charge: 'unknown' })
      })

      test('a busy service is asked again, and nothing is paid twice', async () => {
        simulator.misbehave(subject.busy, { times: 2 })

        const generation = await app.generate(ask())

        expect(generation).toMatchObject({ status: 'succeeded', charge: 'charged' })
        expect(asks()).toHaveLength(3)
        expect(simulator.billed).toHaveLength(1)
      })

      test('a service that stays busy is given up after a few tries', async () => {
        simulator.misbehave(subject.busy, { times: 50 })

        const answer = await app.call('POST', '/api/generate', ask())

        // Nobody waits as long as the pauses take: the record tells the end.
        expect(answer).toMatchObject({ status: 202, body: { status: 'running' } })
        expect(await end(answer.body.id)).toMatchObject({
          status: 'failed',
          charge: 'none',
          error: { code: 'rate_limited' },
        })
        expect(asks()).toHaveLength(4)
      })

      test('an answer that may have been billed is never asked for again', async () => {
        simulator.misbehave(subject.broken)

        const answer = await app.call('POST', '/api/generate', ask())

        expect(answer.status).toBeGreaterThanOrEqual(502)
        expect(asks()).toHaveLength(1)
        expect(await record(answer.body.generation_id)).toMatchObject({ status: 'failed', charge: 'unknown' })
      })

      test('a wrong key is 502 and never 401', async () => {
        const { provider } = await record((await app.generate(ask())).id)
        const configuration = {
          name: 'wrong',
          provider,
          api_key: 'sk-not-a-key-of-this-service',
          base_url: subject.simulator(app).baseUrl,
        }
        const stored = await app.call('POST', '/api/config', configuration)

        const answer = await app.call('POST', '/api/generate', ask({ config_id: stored.body.id }))

        expect(answer).toMatchObject({ status: 502, body: { code: 'provider_key_rejected' } })
        expect(JSON.stringify(answer.body)).not.toContain(configuration.api_key)
      })

      test('a connection cut before the answer is never repeated', async () => {
        simulator.misbehave({ kind: 'cut', after: 'request' })

        const answer = await app.call('POST', '/api/generate', ask())

        expect(asks()).toHaveLength(1)
        if (subject.hasTasks) {
          // The task was made and can be found again, so nothing is lost; it does not tell that it is ours, so nobody says what it cost.
          expect(answer).toMatchObject({ status: 200, body: { status: 'succeeded', charge: 'unknown' } })
        } else {
          expect(answer).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } })
          expect(await record(answer.body.generation_id)).toMatchObject({ status: 'failed', charge: 'unknown' })
        }
      })

      test.each(['headers', 'half-body'] as const)('an answer that is cut after %s is never repeated', async after => {
        simulator.misbehave({ kind: 'cut', after })

        const answer = await app.call('POST', '/api/generate', ask())

        expect(asks()).toHaveLength(1)
        expect(simulator.billed).toHaveLength(1)
        const generation = await record(answer.body.id ?? answer.body.generation_id)
        // What was made is on the bill: nobody says that it was free.
        expect(generation.charge).toBe('unknown')
        if (subject.hasTasks) expect(generation.status).toBe('succeeded')
      })

      test('a service that never answers is given up, and not asked again', async () => {
        simulator.misbehave({ kind: 'hang' })

        const answer = await app.call('POST', '/api/generate', ask())

        expect(answer).toMatchObject({
          status: 504,
          body: { code: expect.stringMatching(/provider_timeout|outcome_unknown/) },
        })
        expect(asks()).toHaveLength(1)
        expect(await record(answer.body.generation_id)).toMatchObject({ charge: 'unknown' })
      })

      test('an unreachable service costs nothing', async () => {
        await simulator.close()

        const started = await app.generate(ask(), { prefer: 'respond-async' })

        const ended = await end(started.id)
        expect(ended).toMatchObject({ status: 'failed', charge: 'none', error: { code: 'provider_unavailable' } })
      })

      test('what waits for its turn can be cancelled, and is never sent', async () => {
        simulator.misbehave(subject.busy, { times: 50 })
        const started = await app.generate(ask(), { prefer: 'respond-async' })

        const cancelled = await app.call('POST', `/api/history/${started.id}/cancel`)

        expect(cancelled.status).toBe(202)
        const ended = await end(started.id)
        expect(ended).toMatchObject({ charge: 'none' })
        expect(['cancelled', 'failed']).toContain(ended.status)
        expect(simulator.billed).toEqual([])
      })

      test('what was sent cannot be unsent: its picture is kept, or its task was dropped before it began', async () => {
        simulator.misbehave({ kind: 'slow', ms: 300 })
        const started = await app.generate(ask(), { prefer: 'respond-async' })
        await expect.poll(asks).toHaveLength(1)

        const cancelled = await app.call('POST', `/api/history/${started.id}/cancel`)

        expect(cancelled.status).toBe(202)
        const ended = await end(started.id)
        expect(asks()).toHaveLength(1)
        if (simulator.billed.length === 0) {
          expect(subject.hasTasks).toBe(true)
          expect(ended).toMatchObject({ status: 'cancelled', charge: 'none' })
        } else {
          expect(ended).toMatchObject({ status: 'succeeded', charge: 'charged', images: [{ index: 0 }] })
        }
      })
    })

    async function record(id: string): Promise<Generation> {
      return (await app.call('GET', `/api/history/${id}`)).body
    }

    async function end(id: string): Promise<Generation> {
      const response = await fetch(`${app.url}/api/history/${id}/events`)
      const text = await response.text()
      const last = text
        .trim()
        .split('\n\n')
        .filter(block => block.includes('event: generation'))
        .at(-1)
      return JSON.parse(last?.match(/^data: (.*)$/m)?.[1] ?? 'null')
    }
  })
}

function sizeOf(billed: { width: number; height: number } | undefined) {
  return { width: billed?.width, height: billed?.height }
}
