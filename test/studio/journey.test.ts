/** What a person does who never saw it: from no key at all to a picture that is found again. */
import { expect, test } from 'vitest'
import { DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { openBrowser, startStudio } from '../support/browser.ts'
import { cardOf, generate, isDrawn } from './studio.ts'

const visit = openBrowser()
const prompt = '水墨山水，远处一叶小舟'

test('first run: a key, a picture, and the picture again by a Chinese word', async () => {
  const app = await startStudio({ timeScale: 1, environment: { DOUBAO_API_KEY: undefined, QWEN_API_KEY: undefined } })
  const { page, word } = await visit(app.url)

  // Without a key there is one thing to do: it comes first, and prompts that lead nowhere are not offered.
  const noKey = await page.getByRole('heading', { name: word('gallery.emptyAction') }).boundingBox()
  const field = await page.getByRole('textbox', { name: word('generate.prompt') }).boundingBox()
  expect(noKey!.y).toBeLessThan(field!.y)
  expect(await page.getByText(word('live.idea1')).count()).toBe(0)
  await page.getByRole('link', { name: word('configurations.add') }).click()
  await page.getByRole('heading', { name: word('welcome.title') }).waitFor()
  const key = page.getByLabel(word('configurations.key'), { exact: true })
  await key.fill('ark-not-a-good-one')
  await page.getByRole('button', { name: word('configurations.testAndSave') }).click()
  await page.getByRole('alert').getByText(word('welcome.test_provider_key_rejected')).waitFor()
  await key.fill(` ${DOUBAO_DEMO_KEY} `)
  await page.getByRole('button', { name: word('configurations.testAndSave') }).click()

  // The form is there, and says what a press costs.
  await page.getByText(word('live.idea1')).waitFor()
  await page.getByText(word('welcome.saved')).waitFor()
  await page.getByRole('textbox', { name: word('generate.prompt') }).fill(prompt)
  const press = page.getByRole('button', { name: new RegExp(`^${word('generate.press')}.*[¥￥]0\\.\\d\\d`) })
  await press.click()
  const card = cardOf(page, prompt)
  await isDrawn(card.getByRole('img').first())
  await page.locator('article[data-status=succeeded]').waitFor()
  expect(app.doubao.billed).toHaveLength(1)
  const before = await app.call('GET', '/api/history')
  expect(before.body.items).toHaveLength(1)

  // It is found by a word of two characters, and not by another.
  await page.getByRole('link', { name: word('shell.gallery') }).click()
  const tile = page.getByRole('gridcell', { name: prompt })
  await isDrawn(tile.getByRole('img'))
  const search = page.getByLabel(word('gallery.search'))
  await search.fill('飞机')
  await page.getByRole('heading', { name: word('gallery.nothingFoundTitle') }).waitFor()
  await search.fill('小舟')
  await tile.waitFor()

  // Its settings go back into the form.
  await tile.click()
  await page.getByRole('heading', { level: 1, name: prompt }).waitFor()
  await page.getByRole('link', { name: word('live.again') }).click()
  await page.getByText(word('generate.taken')).waitFor()
  await expect.poll(() => page.getByRole('textbox', { name: word('generate.prompt') }).inputValue()).toBe(prompt)

  // Deleted by mistake, it comes back; and nobody paid again for any of this.
  await page.getByRole('link', { name: word('shell.gallery') }).click()
  await tile.focus()
  await page.keyboard.press('Space')
  await page
    .getByRole('toolbar')
    .getByRole('button', { name: word('shell.delete') })
    .click()
  await page.getByRole('heading', { name: word('gallery.emptyTitle') }).waitFor()
  await page.getByRole('button', { name: word('shell.undo') }).click()
  await isDrawn(tile.getByRole('img'))
  expect((await app.call('GET', '/api/history')).body.items).toHaveLength(1)
  expect(app.doubao.billed).toHaveLength(1)
})

test('what is deleted is gone from the server when the page is left', async () => {
  const app = await startStudio()
  await app.generate({ prompt: 'a lighthouse', model: 'doubao-seedream-4-0-20260415' })
  const { page, word } = await visit(app.url, { path: '/gallery', language: 'en' })

  await page.getByRole('gridcell', { name: 'a lighthouse' }).focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('Delete')
  await page.getByText(word('picture.deletedMany', { count: 1 })).waitFor()
  expect((await app.call('GET', '/api/history')).body.items).toHaveLength(1)
  await page.reload()

  await page.getByRole('heading', { name: word('gallery.emptyTitle') }).waitFor()
  await expect.poll(async () => (await app.call('GET', '/api/history')).body.items).toEqual([])
})

test('several models draw the same prompt side by side', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url, { language: 'en' })

  await page.getByRole('button', { name: new RegExp(`^${word('gallery.model')}`) }).click()
  const dialog = page.getByRole('dialog', { name: word('generate.chooseModels') })
  await dialog.getByRole('searchbox').fill('qwen-image-3.0')
  await dialog
    .getByRole('button', { name: /^Compare with .*Qwen/ })
    .first()
    .click()
  await dialog.getByRole('button', { name: word('generate.done') }).click()
  await generate(page, 'a paper boat', word('generate.pressMany', { count: 2 }))

  await expect.poll(() => page.locator('article[data-status=succeeded]').count()).toBe(2)
  expect(app.doubao.billed).toHaveLength(1)
  expect(app.qwen.billed).toHaveLength(1)
})
