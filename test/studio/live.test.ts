/** Work that goes on whatever happens to the page, the server or a single picture. */
import { expect, test } from 'vitest'
import type { WarningCode } from '../../src/catalogue/model.ts'
import type { WaitingCode } from '../../src/coordination/waiting.ts'
import * as en from '../../src/studio/text/en.ts'
import { openBrowser, startStudio } from '../support/browser.ts'
import { freePort } from '../support/ports.ts'
import { cardOf, chooseModel, generate, isDrawn } from './studio.ts'

const visit = openBrowser()

test('a group with one failure shows what came, says why, and makes the missing one for its price', async () => {
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined } })
  const { page, word } = await visit(app.url, { language: 'en' })

  await chooseModel(page, 'Seedream 4.0 (2026-04)')
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
  await card.getByRole('button', { name: word('live.cancel_perhaps') }).waitFor()
  app.qwen.releaseTasks()

  await isDrawn(card.getByRole('img'))
  expect(app.qwen.tasks()).toHaveLength(1)
})

test('the server restarts while it draws: the card says so, comes back and ends with its picture', async () => {
  const app = await startStudio({ environment: { DOUBAO_API_KEY: undefined, PORT: String(await freePort()) } })
  app.qwen.holdTasks('RUNNING')
  const expected = [/net::ERR_/, /Failed to load resource/]
  const { page, word } = await visit(app.url, { expected })
  await generate(page, '雪夜归人')
  await page.locator('article[data-status=running]').waitFor()
  await expect.poll(() => app.qwen.tasks()).toHaveLength(1)

  await app.restart(() => page.getByRole('status').getByText(word('shell.offline')).waitFor())
  await page.getByText(word('shell.offline')).waitFor({ state: 'detached' })
  app.qwen.releaseTasks()

  const card = cardOf(page, '雪夜归人')
  await isDrawn(card.getByRole('img'))
  expect(app.qwen.tasks()).toHaveLength(1)
  expect(app.qwen.billed).toHaveLength(1)
})

test('two pages see the same, and a cancelled one costs nothing', async () => {
  const app = await startStudio({ environment: { DOUBAO_API_KEY: undefined } })
  app.qwen.holdTasks('PENDING')
  const { page, word } = await visit(app.url, { language: 'en' })
  const other = await visit(app.url, { language: 'en' })

  await generate(page, 'a paper crane')
  await expect.poll(() => app.qwen.tasks()).toHaveLength(1)
  const card = cardOf(other.page, 'a paper crane')
  await card.getByRole('button', { name: word('live.cancel_perhaps') }).click()

  await expect.poll(() => cardOf(page, 'a paper crane').getAttribute('data-status')).toBe('cancelled')
  expect(app.qwen.billed).toEqual([])
})

test('cancel says before the press what it can save, and what came after it is marked', async () => {
  const app = await startStudio({ timeScale: 1, environment: { QWEN_API_KEY: undefined, DRAIN_SECONDS: '0' } })
  const { page, word } = await visit(app.url, { language: 'en' })
  const model = 'doubao-seedream-4-0-20260415'
  const prefer = { prefer: 'respond-async' }

  // Its service has it: nothing can be saved, so there is nothing to press.
  app.doubao.misbehave({ kind: 'hang' })
  await app.call('POST', '/api/generate', { prompt: 'sent', model }, prefer)
  await cardOf(page, 'sent').getByText(word('live.cannotCancel')).waitFor()
  expect(
    await cardOf(page, 'sent')
      .getByRole('button', { name: /Cancel|stop/i })
      .count(),
  ).toBe(0)

  // It is to be sent again later: leaving the line costs nothing.
  const body = { error: { code: 'RequestBurstTooFast' } }
  app.doubao.misbehave({ kind: 'status', status: 429, body, headers: { 'retry-after': '60' } })
  await app.call('POST', '/api/generate', { prompt: 'waits', model }, prefer)
  await cardOf(page, 'waits')
    .getByText(/^Waiting:/)
    .waitFor()
  await cardOf(page, 'waits')
    .getByRole('button', { name: word('live.cancel_all') })
    .click()
  await expect.poll(() => cardOf(page, 'waits').getAttribute('data-status')).toBe('cancelled')
  expect(app.doubao.billed).toEqual([])
})

test('a picture that came although it was cancelled says so, and that it was paid for', async () => {
  const app = await startStudio({ environment: { DOUBAO_API_KEY: undefined } })
  app.qwen.holdTasks('RUNNING')
  const { page, word } = await visit(app.url, { language: 'en' })
  await generate(page, 'too late')
  await expect.poll(() => app.qwen.tasks()).toHaveLength(1)
  const card = cardOf(page, 'too late')
  await expect.poll(() => card.getAttribute('data-status')).toBe('running')
  await card.getByRole('button', { name: word('live.cancel_perhaps') }).click()
  await card.getByText(word('live.cancelling')).waitFor()
  app.qwen.releaseTasks()

  await card.getByText(word('live.afterCancel')).waitFor()
  await isDrawn(card.getByRole('img'))
  await card.getByRole('link').first().click()
  await page.getByRole('complementary').getByText(word('live.afterCancel')).waitFor()
})

/** Fails to compile where something that the server tells has no text; Chinese has the names of English. */
// How a model ends depends on what is known of it: `lifeWarningText` puts that together.
en.warnings satisfies Record<Exclude<WarningCode, 'model_retired' | 'model_ending'>, string>
en.waiting satisfies Record<WaitingCode, string>

test('what a model or a cap did not honour is told in the language of the page', async () => {
  const app = await startStudio({ environment: { MONTHLY_CAP: '1 USD', MONTHLY_CAP_IMAGES: '9' } })
  const parameters = { prompt_extend: false, enable_thinking: true }
  const made = await app.generate({ prompt: '一叶小舟', model: 'qwen-image-3.0', parameters })
  await app.generate({ prompt: '一个故事', model: 'wan2.6-image' })
  await app.generate({
    ...{ prompt: '一座灯塔', model: 'qwen-image-plus' },
    parameters: { negative_prompt: '糊'.repeat(501), web_search: true },
  })
  const { page, word } = await visit(app.url)

  expect(made.warnings.map(({ code }) => code)).toEqual(['needs_rewriting', 'cap_in_other_currency'])
  const parameter = word('parameters.enable_thinking')
  await cardOf(page, '一叶小舟').getByText(word('warnings.needs_rewriting', { parameter })).waitFor()
  const cap = { of: word('warnings.of_all'), currency: 'CNY', cap_currency: 'USD' }
  await cardOf(page, '一叶小舟')
    .getByText(word('warnings.cap_in_other_currency', { model: 'Qwen-Image 3.0', ...cap }))
    .waitFor()
  await cardOf(page, '一个故事')
    .getByText(word('warnings.story_without_reference', { model: 'Wan 2.6 Image' }))
    .waitFor()
  const cut = { model: 'Qwen-Image Plus', most: 500, length: 501 }
  await cardOf(page, '一座灯塔').getByText(word('warnings.negative_prompt_cut', cut)).waitFor()
  const leftOut = { model: 'Qwen-Image Plus', parameter: word('parameters.web_search') }
  await cardOf(page, '一座灯塔').getByText(word('warnings.left_out', leftOut)).waitFor()
})

test('why a picture does not go on is told in the language of the page, and in the words of the cause', async () => {
  const app = await startStudio({
    ...{ timeScale: 1, environment: { QWEN_API_KEY: undefined, DRAIN_SECONDS: '0' } },
  })
  const body = { error: { code: 'RequestBurstTooFast' } }
  app.doubao.misbehave({ kind: 'status', status: 429, body, headers: { 'retry-after': '60' } })
  const { page, word } = await visit(app.url)
  await generate(page, '雪夜归人')

  const [told = ''] = word('waiting.sent_again', { time: '|' }).split('|')
  const card = cardOf(page, '雪夜归人')
  await card.getByText(told).waitFor()
  const { items } = (await app.call('GET', '/api/history')).body
  expect(items).toMatchObject([{ waiting_code: 'sent_again', waiting_values: { at: expect.any(String) } }])
  await card.getByText(items[0].waiting_values.detail, { exact: true }).waitFor()
  await page.goto(`${app.url}/status`)
  await page.getByText(word('status.stuck', { count: 1 })).waitFor()
  await page.getByText(told).waitFor()
  await page.getByText(items[0].waiting_values.detail, { exact: true }).waitFor()
})
