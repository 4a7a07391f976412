/** Pictures by the client library of OpenAI: a script of theirs works with another address, key and model. */
import type { AddressInfo } from 'node:net'
import OpenAI, { toFile } from 'openai'
import { expect, test } from 'vitest'
import { V1Error } from '../../src/api/v1/errors.ts'
import { V1Images } from '../../src/api/v1/images.ts'
import { addOpenai, call, startApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'
import { clientOf, generationsOf, makeToken, model, serverToken } from './client.ts'

const prompt = 'a boat'

test('a picture comes as address and as base64, and stands in the history', async () => {
  const app = await startApp()

  const { data, response } = await clientOf(app).images.generate({ model, prompt, size: '1024x1024' }).withResponse()

  const [picture] = data.data!
  const [generation] = await generationsOf(app)
  const bytes = Buffer.from(await (await fetch(picture!.url!)).arrayBuffer())
  expect(picture!.url).toBe(app.url + generation.images[0].url)
  expect(Buffer.from(picture!.b64_json!, 'base64').equals(bytes)).toBe(true)
  expect(V1Images.parse(data).usage).toMatchObject({ generated_images: 1, total_tokens: 0, charge: 'charged' })
  expect(data.created).toBe(Math.floor(Date.parse(generation.finished_at) / 1000))
  expect(response.headers.get('x-webimgui-generation')).toBe(generation.id)
  expect(response.headers.get('x-webimgui-size')).toBe('1024x1024')
  expect(app.doubao.billed).toHaveLength(1)
})

test('only what was asked for is in the answer', async () => {
  const { images } = clientOf(await startApp())

  const byAddress = await images.generate({ model, prompt, response_format: 'url' })
  const inline = await images.generate({ model, prompt, response_format: 'b64_json' })

  expect(Object.keys(byAddress.data![0]!)).toEqual(['url'])
  expect(Object.keys(inline.data![0]!)).toEqual(['b64_json'])
})

test('what other models have is left out and named, a size becomes the nearest one, and extras are those of the model', async () => {
  const app = await startApp()
  const body = {
    ...{ model: 'qwen-image', prompt, n: 1, size: '1024x1024', quality: 'high', style: 'vivid' },
    ...{ background: 'auto', moderation: 'auto', output_format: 'png', user: 'someone', watermark: true },
  } as const

  const { response } = await clientOf(app)
    .images.generate(body as never)
    .withResponse()

  const [generation] = await generationsOf(app)
  expect(response.headers.get('x-webimgui-size')).toBe('1328x1328')
  expect(response.headers.get('x-webimgui-ignored')).toBe('quality')
  expect(generation.parameters).toEqual({ n: 1, size: '1328x1328', watermark: true })
  expect(generation.warnings).toContainEqual(
    expect.objectContaining({ code: 'size_fitted', values: { asked: '1024x1024', size: '1328x1328' } }),
  )
  expect(generation.images[0]).toMatchObject({ width: 1328, height: 1328 })
  // What was fitted can be made again as it is.
  expect((await app.call('POST', `/api/history/${generation.id}/retry`, { dry_run: true })).status).toBe(200)
})

test.each([
  ['dall-e-3', '1024x1024', '1024x1024'],
  ['qwen-image', '1024x1024', '1328x1328'],
  ['qwen-image', '1792x1024', '1664x928'],
  ['qwen-image', 'auto', '1664x928'],
  ['doubao-seedream-4-0-20260415', '256x256', '960x960'],
  ['doubao-seedream-4-0-20260415', '16:9', '2848x1600'],
])('%s makes %s in %s', async (model, size, made) => {
  const app = await startApp()
  await addOpenai(app)

  const { response } = await clientOf(app)
    .images.generate({ model, prompt, size: size as 'auto' })
    .withResponse()

  expect(response.headers.get('x-webimgui-size')).toBe(made)
})

test('an edit takes files, and the same pictures in JSON, also by their address here', async () => {
  const app = await startApp()
  const client = clientOf(app)
  const [first, second] = await Promise.all([png(300, 200), png(200, 300)])

  const byForm = await client.images.edit({
    ...{ model, prompt: 'both together', n: 1, size: '1024x1024' },
    image: [await toFile(first, 'a.png', { type: 'image/png' }), await toFile(second, 'b.png', { type: 'image/png' })],
  })
  const own = byForm.data![0]!.url!
  const byJson = await app.call('POST', '/v1/images/edits', {
    ...{ model, prompt: 'three', watermark: false },
    images: [{ image_url: dataUri(first) }, dataUri(second), { image_url: { url: own } }],
  })
  const varied = await client.images.createVariation({ image: await toFile(first, 'a.png'), model })

  const [variation, threeOfThem, two] = await generationsOf(app)
  expect(two.references).toHaveLength(2)
  expect(two.parameters).toEqual({ n: 1, size: '1024x1024' })
  expect(byJson.status).toBe(200)
  expect(threeOfThem.references.map(({ id }: { id: string }) => id)[2]).toBe(two.images[0].id)
  expect(varied.data).toHaveLength(1)
  expect(variation).toMatchObject({ prompt: expect.stringContaining('Another version'), references: [{}] })
})

test('a form is read by what the model takes', async () => {
  const app = await startApp()
  const form = new FormData()
  form.append('image[]', new Blob([new Uint8Array(await png(300, 200))], { type: 'image/png' }), 'a.png')
  form.append('image[]', new Blob([new Uint8Array(await png(200, 300))], { type: 'image/png' }), 'b.png')
  for (const [name, value] of Object.entries({ prompt, model, n: '1', watermark: 'true', response_format: 'url' })) {
    form.append(name, value)
  }

  const answer = await app.call('POST', '/v1/images/edits', form)

  const [generation] = await generationsOf(app)
  expect(answer.status).toBe(200)
  expect(generation).toMatchObject({ parameters: { n: 1, watermark: true }, references: [{}, {}] })
})

test('what cannot be done is refused for nothing, in the words of the API', async () => {
  const app = await startApp()
  const ask = async (body: object, path = 'generations') => {
    const answer = await app.call('POST', `/v1/images/${path}`, { model, prompt, ...body })
    const { error } = V1Error.parse(answer.body)
    return [answer.status, error.type, error.code, error.param]
  }
  const invalid = 'invalid_request_error'

  expect(await ask({ colour: 'red' })).toEqual([400, invalid, 'invalid_request', 'colour'])
  expect(await ask({ n: 99 })).toEqual([400, invalid, 'invalid_request', 'n'])
  expect(await ask({ n: 'two' })).toEqual([400, invalid, 'invalid_request', 'n'])
  expect(await ask({ size: 'huge' })).toEqual([400, invalid, 'invalid_request', 'size'])
  expect(await ask({ prompt: '' })).toEqual([400, invalid, 'invalid_request', 'prompt'])
  expect(await ask({ background: 'transparent' })).toEqual([400, invalid, 'invalid_request', 'background'])
  expect(await ask({ stream: true, partial_images: 9 })).toEqual([400, invalid, 'invalid_request', 'partial_images'])
  expect(await ask({}, 'edits')).toEqual([400, invalid, 'invalid_request', 'image'])
  expect(await ask({ image: 'data:image/png;base64,AAAA' }, 'edits')).toEqual([
    400,
    invalid,
    'invalid_request',
    'image',
  ])
  expect(await ask({ image: dataUri(await png(64, 64)), mask: dataUri(await png(64, 64)) }, 'edits')).toEqual([
    ...[400, invalid, 'invalid_request', 'mask'],
  ])
  expect(await ask({ model: 'qwen-image', image: dataUri(await png(300, 300)) }, 'edits')).toEqual([
    ...[400, invalid, 'invalid_request', 'image'],
  ])
  expect(app.doubao.billed).toEqual([])
  expect(await generationsOf(app)).toEqual([])
})

test('a model that nobody has is told with those that work, and an alias is one of them', async () => {
  const app = await startApp({ environment: { MODEL_ALIASES: `gpt-image-1=${model}` } })
  const client = clientOf(app)

  const error = await client.images.generate({ model: 'sora', prompt }).catch((error: unknown) => error)
  const unserved = await client.images.generate({ model: 'dall-e-3', prompt }).catch((error: unknown) => error)
  const made = await client.images.generate({ model: 'gpt-image-1', prompt })

  expect(error).toBeInstanceOf(OpenAI.NotFoundError)
  expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model', type: 'invalid_request_error' })
  expect(String(error)).toContain(model)
  expect(unserved).toMatchObject({ status: 404, code: 'model_not_found' })
  expect(Object.keys(made.data![0]!)).toEqual(['b64_json'])
  expect((await generationsOf(app))[0].model).toBe(model)
})

test('models are those that would work', async () => {
  const app = await startApp({ environment: { MODEL_ALIASES: `gpt-image-1=${model},nothing=none` } })
  const { models } = clientOf(app)

  const ids = (await models.list()).data.map(({ id }) => id)

  expect(ids).toContain('gpt-image-1')
  expect(ids).toContain(model)
  expect(ids).not.toContain('nothing')
  expect(ids).not.toContain('dall-e-3')
  expect(await models.retrieve(model)).toMatchObject({ id: model, object: 'model', owned_by: 'doubao' })
  await expect(models.retrieve('none')).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
})

test('a token opens it, belongs to what it makes, and its address opens without a header', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: serverToken } })
  const { token } = await makeToken(app, { models: [model] })
  const client = clientOf(app, { apiKey: token })

  const { data } = await client.images.generate({ model, prompt, response_format: 'url' })
  const link = data![0]!.url!

  await expect(clientOf(app, { apiKey: 'wrong' }).models.list()).rejects.toMatchObject({
    ...{ status: 401, code: 'invalid_api_key', type: 'invalid_request_error' },
  })
  expect(link).toMatch(/\/images\/[\w-]+\?expires=\d+&signature=[\w-]{79}$/)
  expect((await fetch(link)).status).toBe(200)
  expect((await fetch(link.split('?')[0]!)).status).toBe(401)
  expect(await generationsOf(app, { authorization: `Bearer ${token}` })).toHaveLength(1)
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual([model])
  await expect(client.images.generate({ model: 'qwen-image', prompt })).rejects.toMatchObject({ status: 403 })
})

test('PUBLIC_URL is where the addresses are', async () => {
  const app = await startApp({ environment: { PUBLIC_URL: 'https://pictures.example/app' } })
  const { port } = app.app.server.server.address() as AddressInfo
  const ask = (path: string, body: object) =>
    call(`http://127.0.0.1:${port}${path}`, 'POST', { model, prompt, ...body })

  const answer = await ask('/v1/images/generations', { response_format: 'url' })
  const task = await ask('/app/v1/images/generations', { async: true })

  expect(answer.body.data[0].url).toMatch(/^https:\/\/pictures\.example\/app\/images\//)
  expect(task.headers.get('location')).toBe(`/app/v1/images/tasks/${task.body.id}`)
})

test.each([
  ['refused by its content', '[[input-blocked]]', 400, 'content_policy_violation', null],
  ['lost on the way', '[[cut]]', 504, 'outcome_unknown', 'false'],
])('a picture that was %s is an error that no client repeats in vain', async (_, fault, status, code, shouldRetry) => {
  const app = await startApp()

  const error = await clientOf(app, { maxRetries: 2 })
    .images.generate({ model, prompt: `${prompt} ${fault}` })
    .then(
      () => undefined,
      (error: InstanceType<typeof OpenAI.APIError>) => error,
    )

  expect(error).toMatchObject({ status, code })
  expect(error?.headers?.get('x-should-retry') ?? null).toBe(shouldRetry)
  expect(error?.error).toMatchObject({ generation_id: (await generationsOf(app))[0].id })
  expect(app.doubao.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
})
