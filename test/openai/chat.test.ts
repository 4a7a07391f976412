/** Pictures in chats, as chat programs ask for them. */
import { expect, test } from 'vitest'
import { V1ChatCompletion } from '../../src/api/v1/chat.ts'
import { startApp } from '../support/app.ts'
import { dataUri, png } from '../support/pictures.ts'
import { clientOf, generationsOf, makeToken, model, serverToken } from './client.ts'

test('the last message is drawn, and the answer shows it', async () => {
  const app = await startApp()

  const completion = await clientOf(app).chat.completions.create({
    ...{ model, temperature: 0.7, max_tokens: 100, stream: false },
    messages: [
      { role: 'system', content: 'You are helpful.' },
      { role: 'user', content: 'a boat' },
    ],
  })

  const [generation] = await generationsOf(app)
  expect(generation).toMatchObject({ prompt: 'a boat', parameters: {} })
  expect(completion.choices[0]!.message.content).toBe(`![image](${app.url}${generation.images[0].url})`)
  expect(V1ChatCompletion.parse(completion)).toMatchObject({ model, choices: [{ finish_reason: 'stop' }] })
})

test('pictures come as parts where they are asked for', async () => {
  const app = await startApp()
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'a boat' }] }]

  const { body } = await app.call('POST', '/v1/chat/completions', { model, messages, modalities: ['image', 'text'] })

  const [generation] = await generationsOf(app)
  expect(body.choices[0].message).toEqual({
    ...{ role: 'assistant', content: '' },
    images: [{ type: 'image_url', index: 0, image_url: { url: app.url + generation.images[0].url } }],
  })
})

test('a conversation goes on with the picture of the last answer, also where its address is signed', async () => {
  const app = await startApp({ environment: { ACCESS_TOKEN: serverToken } })
  const { token } = await makeToken(app)
  const client = clientOf(app, { apiKey: token })
  const first = await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'a boat' }] })
  const drawn = first.choices[0]!.message.content

  await client.chat.completions.create({
    model,
    messages: [
      { role: 'user', content: 'a boat' },
      { role: 'assistant', content: drawn },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'with this sail' },
          { type: 'image_url', image_url: { url: dataUri(await png(300, 300)) } },
        ],
      },
    ],
  })

  const [second, boat] = await generationsOf(app, { authorization: `Bearer ${token}` })
  expect(drawn).toMatch(/\?expires=\d+&signature=/)
  expect(second.prompt).toBe('with this sail')
  expect(second.references.map(({ id }: { id: string }) => id)).toEqual([boat.images[0].id, expect.any(String)])
})

test('a stream begins with the role and ends with a reason', async () => {
  const app = await startApp()

  const stream = await clientOf(app).chat.completions.create({
    ...{ model, n: 2, stream: true, stream_options: { include_usage: true } },
    messages: [{ role: 'user', content: 'two boats' }],
  })
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)

  const [generation] = await generationsOf(app)
  expect(chunks[0]!.choices[0]!.delta).toEqual({ role: 'assistant', content: '' })
  const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')
  expect(new Set(text.split('\n\n'))).toEqual(
    new Set(generation.images.map(({ url }: { url: string }) => `![image](${app.url}${url})`)),
  )
  expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe('stop')
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 0 } })
})

test('the housekeeping of a chat program is never paid for', async () => {
  const app = await startApp()
  const content = '### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.'

  const answer = await app.call('POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content }] })
  const empty = await app.call('POST', '/v1/chat/completions', { model, messages: [{ role: 'system', content: 'x' }] })

  expect([answer.status, answer.body.error.param]).toEqual([400, 'messages'])
  expect([empty.status, empty.body.error.param]).toEqual([400, 'messages'])
  expect(await generationsOf(app)).toEqual([])
})

test('an error in a stream is told in it', async () => {
  const app = await startApp()
  const messages = [{ role: 'user' as const, content: '[[input-blocked]]' }]

  const stream = await clientOf(app).chat.completions.create({ model, messages, stream: true })

  await expect(async () => {
    for await (const _ of stream);
  }).rejects.toMatchObject({ error: { code: 'content_policy_violation' } })
})
