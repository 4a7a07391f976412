/** Pictures by the AI SDK, with its provider for OpenAI and the one for whatever is compatible. */
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateImage } from 'ai'
import { expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { png } from '../support/pictures.ts'
import { generationsOf, model } from './client.ts'

const providers = {
  '@ai-sdk/openai': ({ url }: TestApp, id: string) => createOpenAI({ baseURL: `${url}/v1`, apiKey: 'any' }).image(id),
  '@ai-sdk/openai-compatible': ({ url }: TestApp, id: string) =>
    createOpenAICompatible({ name: 'webimgui', baseURL: `${url}/v1`, apiKey: 'any' }).imageModel(id),
}

test.each(Object.entries(providers))('%s draws, and gets the bytes', async (_, imageModel) => {
  const app = await startApp()

  const { image } = await generateImage({ model: imageModel(app, model), prompt: 'a boat', size: '1024x1024' })

  const [generation] = await generationsOf(app)
  const bytes = Buffer.from(await (await fetch(app.url + generation.images[0].url)).arrayBuffer())
  expect(Buffer.from(image.uint8Array).equals(bytes)).toBe(true)
})

test('a name that the SDK takes for one of OpenAI works as an alias', async () => {
  const app = await startApp({ environment: { MODEL_ALIASES: `gpt-image-1=${model}` } })

  const { image } = await generateImage({ model: providers['@ai-sdk/openai'](app, 'gpt-image-1'), prompt: 'a boat' })

  expect(image.uint8Array.length).toBeGreaterThan(0)
})

test('n pictures in calls side by side are different ones', async () => {
  const app = await startApp()

  const { images } = await generateImage({
    ...{ model: providers['@ai-sdk/openai-compatible'](app, model), prompt: 'a boat', n: 2, maxImagesPerCall: 1 },
  })

  expect(images).toHaveLength(2)
  expect(app.doubao.billed).toHaveLength(2)
})

test('an edit gets its picture as a file', async () => {
  const app = await startApp()

  const { images } = await generateImage({
    model: providers['@ai-sdk/openai-compatible'](app, model),
    prompt: { text: 'at night', images: [await png(300, 300)] },
  })

  expect(images).toHaveLength(1)
  expect((await generationsOf(app))[0]).toMatchObject({ prompt: 'at night', references: [{}] })
})

test('a lost answer that the SDK asks for again without a word is not paid for again', async () => {
  const app = await startApp()
  app.doubao.misbehave({ kind: 'cut', after: 'request' })

  const asked = generateImage({ model: providers['@ai-sdk/openai'](app, model), prompt: 'a boat', maxRetries: 1 })

  await expect(asked).rejects.toThrow(/may have been done/)
  expect(await generationsOf(app)).toHaveLength(1)
  expect(app.doubao.billed).toHaveLength(1)
})
