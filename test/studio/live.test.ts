/** Work that goes on whatever happens to the page, the server or a single picture. */
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { cardOf, chooseModel, generate, isDrawn } from './studio.ts'

const visit = openBrowser()

test('a group with one failure shows what came, says why, and makes the missing one for its price', async () => {
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined } })
  const { page, word } = await visit(app.url, { language: 'en' })

  await chooseModel(page, 'Seedream 4.5')
  const more = page.getByRole('button', { name: word('generate.more'), exact: true })
  await more.click()
  await more.click()
  await generate(page, 'four seasons [[partial]]')

  const card = cardOf(page, 'four seasons [[partial]]')
  await expect.poll(() => card.getAttribute('data-status')).toBe('succeeded')
  await expect.poll(() => card.getByRole('img').count()).toBe(2)
  await card.getByText(word('problems.content_rejected')).waitFor()
  expect(app.doubao.billed).toHaveLength(2)
  await card.getByRole('button', { name: /^Make the missing one \(¥0\.\d+\)$/ }).click()

  await expect.poll(() => page.locator('article[data-status=succeeded]').count()).toBe(2)
  expect(app.doubao.billed).toHaveLength(3)
})

test('a refused prompt says what to do, and that it was not charged', async () => {
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined } })
  const { page, word } = await visit(app.url)

  await generate(page, '一幅画 [[output-blocked]]')

  const card = page.locator('article[data-status=failed]')
  await card.getByText(word('problems.content_rejected')).waitFor()
  await card.getByText(word('live.chargeNone')).waitFor()
  expect(app.doubao.billed).toEqual([])
})

test('a running card is there again after a reload, and goes on', async () => {
  const app = await startStudio({ environment: { DOUBAO_API_KEY: undefined } })
  app.qwen.holdTasks('RUNNING')
  const { page, word } = await visit(app.url)

  await generate(page, '雪夜归人')
  await page.locator('article[data-status=running]').waitFor()
  await expect.poll(() => app.qwen.tasks()).toHaveLength(1)
  await page.reload()
  const card = cardOf(page, '雪夜归人')
  await expect.poll(() => card.getAttribute('data-status')).toBe('running')
  await card.getByRole('button', { name: word('live.cancel') }).waitFor()
  app.qwen.releaseTasks()

  await isDrawn(card.getByRole('img'))
  expect(app.qwen.tasks()).toHaveLength(1)
})

test('the server restarts while it draws: the card says so, comes back and ends with its picture', async () => {
  const app = await startStudio({ environment: { DOUBAO_API_KEY: undefined, PORT: await freePort() } })
  app.qwen.holdTasks('RUNNING')
  const expected = [/net::ERR_/, /Failed to load resource/]
  const { page, word } = await visit(app.url, { expected })
  await generate(page, '雪夜归人')
  await page.locator('article[data-status=running]').waitFor()
  await expect.poll(() => app.qwen.tasks()).toHaveLength(1)

  await app.restart(() => page.getByRole('status').getByText(word('shell.offline')).waitFor())
  await page.getByText(word('shell.offline')).waitFor({ state: 'detached', timeout: 20_000 })
  app.qwen.releaseTasks()

  const card = cardOf(page, '雪夜归人')
  await isDrawn(card.getByRole('img'))
  expect(app.qwen.tasks()).toHaveLength(1)
  expect(app.qwen.billed).toHaveLength(1)
}, 40_000)

test('two pages see the same, and a cancelled one costs nothing', async () => {
  const app = await startStudio({ environment: { DOUBAO_API_KEY: undefined } })
  app.qwen.holdTasks('PENDING')
  const { page, word } = await visit(app.url, { language: 'en' })
  const other = await visit(app.url, { language: 'en' })

  await generate(page, 'a paper crane')
  await expect.poll(() => app.qwen.tasks()).toHaveLength(1)
  const card = cardOf(other.page, 'a paper crane')
  await card.getByRole('button', { name: word('live.cancel') }).click()

  await expect.poll(() => cardOf(page, 'a paper crane').getAttribute('data-status')).toBe('cancelled')
  expect(app.qwen.billed).toEqual([])
})

/** Named before the start, so that the server is at the same address after a restart. */
function freePort(): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(String(port)))
    })
  })
}

test('what a model did not honour is told in the language of the page', async () => {
  const app = await startStudio()
  const parameters = { prompt_extend: false, enable_thinking: true }
  const made = await app.generate({ prompt: '一叶小舟', model: 'qwen-image-3.0', parameters })
  await app.generate({ prompt: '一个故事', model: 'wan2.6-image' })
  const { page, word } = await visit(app.url)

  expect(made.warnings.map(({ parameter }) => parameter)).toEqual(['enable_thinking'])
  const reason = word('generate.reason_enable_thinking')
  const notSent = word('generate.warningNotSent', { parameter: word('parameters.enable_thinking'), reason })
  await cardOf(page, '一叶小舟').getByText(notSent).waitFor()
  await cardOf(page, '一个故事')
    .getByText(word('generate.warningStory', { model: 'Wan 2.6 Image' }))
    .waitFor()
})
