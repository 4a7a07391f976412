/** Requests as programs send them that cannot run here, written after their public sources. */
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'
import { admin, generationsOf, makeToken, model, serverToken } from './client.ts'

/** What a program sends beside its key, and the member of the answer that it reads. */
const requests: [program: string, path: string, body: object, reads: 'url' | 'b64_json'][] = [
  [
    'Open WebUI',
    '/v1/images/generations?api-version=2024-02-01',
    { model, prompt: 'a boat', n: 1, size: '512x512', response_format: 'b64_json' },
    'b64_json',
  ],
  [
    'Open WebUI with a model of that name',
    '/v1/images/generations',
    { model: 'gpt-image-1', prompt: 'a boat', n: 1 },
    'b64_json',
  ],
  [
    'litellm',
    '/v1/images/generations',
    { model, prompt: 'a boat', n: 1, quality: 'standard', response_format: 'url', style: null, user: 'someone' },
    'url',
  ],
  [
    'a script for DALL·E',
    '/v1/images/generations',
    { model: 'dall-e-3', prompt: 'a boat', size: '1792x1024', quality: 'hd', style: 'natural' },
    'url',
  ],
]

test.each(requests)('%s gets its picture', async (_, path, body, reads) => {
  const app = await startApp({
    environment: { ACCESS_TOKEN: serverToken, MODEL_ALIASES: `gpt-image-1=${model},dall-e-3=${model}` },
  })
  const { token } = await makeToken(app)

  const answer = await app.call('POST', path, body, { authorization: `Bearer ${token}` })

  expect(answer.status).toBe(200)
  expect(answer.body.data[0][reads].length).toBeGreaterThan(20)
  if (reads === 'b64_json' && 'response_format' in body) expect(answer.body.data[0].url).toBeUndefined()
  const [generation] = await generationsOf(app, admin)
  expect(generation).toMatchObject({ model, prompt: 'a boat', status: 'succeeded' })
})

test('Open WebUI edits with a form, fetches the address with its key, and is spared the naming of its chats', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: serverToken } })
  const { token } = await makeToken(app)
  const headers = { authorization: `Bearer ${token}` }
  const form = new FormData()
  for (const [name, value] of Object.entries({ model, prompt: 'at night', n: '1', size: '1024x1024' })) {
    form.append(name, value)
  }
  form.append('image', new Blob([new Uint8Array(await png(300, 300))], { type: 'image/png' }), 'a.png')

  const { body } = await app.call('POST', '/v1/images/edits', form, headers)
  const fetched = await fetch(body.data[0].url, { headers })
  const title = await app.call(
    'POST',
    '/v1/chat/completions',
    { model, stream: false, messages: [{ role: 'user', content: '### Task:\nGenerate 1-3 broad tags' }] },
    headers,
  )

  expect(fetched.headers.get('content-type')).toMatch(/^image\//)
  expect(title.status).toBe(400)
  expect(app.doubao.billed).toHaveLength(1)
})
