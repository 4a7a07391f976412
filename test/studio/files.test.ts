/** Files that cannot be shown: results that came as such, and what the chooser of references offers. */
import { expect, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { cardOf, chooseModel, generate } from './studio.ts'

const visit = openBrowser()

test('a result that cannot be shown is a tile with its type, and a download', async () => {
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined } })
  const { page, word } = await visit(app.url, { language: 'en' })
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'
  const body = JSON.stringify({ data: [{ url: `data:image/svg+xml,${encodeURIComponent(svg)}` }] })
  app.doubao.misbehave({ kind: 'garbage', body, billed: true })

  await generate(page, 'a drawing')

  const card = cardOf(page, 'a drawing')
  await card.getByRole('img', { name: /\(SVG\)$/ }).waitFor()
  expect(await card.textContent()).toContain(word('warnings.picture_not_shown', { number: 1, type: 'image/svg+xml' }))

  await card.getByRole('link', { name: word('live.open', { number: 1 }) }).click()
  await page.getByText(word('picture.notShown', { type: 'SVG' })).waitFor()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: word('shell.download'), exact: true }).click(),
  ])
  expect(download.suggestedFilename()).toMatch(/^webimgui-.*-1\.svg$/)

  await page.goto(`${app.url}/gallery`)
  await page.getByRole('img', { name: /\(SVG\)$/ }).waitFor()
})

test('the chooser of references offers what the model takes', async () => {
  const app = await startStudio()
  const { page } = await visit(app.url, { language: 'en' })
  const accepted = () => page.locator('input[type=file]').getAttribute('accept')

  await chooseModel(page, 'Seedream 5.0 pro')
  await expect.poll(accepted).toMatch(/image\/bmp.*image\/heic,\.heic$/)
  await chooseModel(page, 'Qwen-Image 2.0')
  await expect.poll(accepted).not.toContain('heic')
  expect(await accepted()).not.toContain('*')
})
