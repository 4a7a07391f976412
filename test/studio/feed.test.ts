/** What became of it: pictures that heal, failures that fold away, and nothing that covers or leaves holes. */
import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { TestApp } from '../support/app.ts'
import { openBrowser, startStudio } from '../support/browser.ts'
import { cardOf, isDrawn } from './studio.ts'

const visit = openBrowser()

async function boxOf(locator: Locator) {
  const box = await locator.boundingBox()
  if (!box) throw new Error('it is not in the page')
  return { ...box, right: box.x + box.width, bottom: box.y + box.height }
}

async function overlaps(one: Locator, other: Locator) {
  const [a, b] = [await boxOf(one), await boxOf(other)]
  return a.x < b.right && b.x < a.right && a.y < b.bottom && b.y < a.bottom
}

test('pictures that could not be loaded come by themselves when the network is back, and are no broken ones until then', async () => {
  const app = await startStudio()
  await app.generate({ prompt: 'a lighthouse' })
  await app.generate({ prompt: 'a paper boat' })
  const { page, context } = await visit(app.url, { path: '/gallery', language: 'en', expected: [/net::ERR_/] })
  await isDrawn(page.getByRole('gridcell', { name: 'a lighthouse' }).getByRole('img'))
  const thumbnails = '**/thumbnail*'
  await context.route(thumbnails, route => route.abort())
  await page.reload()
  await expect.poll(() => page.locator('[role=gridcell] [data-broken]').count()).toBe(2)
  expect(await page.locator('[role=gridcell] img').count()).toBe(0)

  await context.unroute(thumbnails)
  await page.evaluate(() => window.dispatchEvent(new Event('online')))

  for (const name of ['a lighthouse', 'a paper boat']) {
    await isDrawn(page.getByRole('gridcell', { name }).getByRole('img'))
  }
})

test('they come after a while as well where nobody says that the network is back', async () => {
  const app = await startStudio()
  const made = await app.generate({ prompt: 'a lighthouse' })
  const { page, context, word } = await visit(app.url, { path: '/status', expected: [/net::ERR_/] })
  await page.getByRole('heading', { level: 1, name: word('shell.status') }).waitFor()
  let refusals = 0
  await context.route(/\/images\//, route => (++refusals <= 3 ? route.abort() : route.continue()))

  await page.goto(`${app.url}/picture/${made.id}`)

  await isDrawn(page.getByRole('img', { name: 'a lighthouse' }).first())
  expect(refusals).toBeGreaterThan(3)
})

test('a toast covers neither the button nor what is above it, on any width', async () => {
  const app = await startStudio()
  await app.generate({ prompt: '一座灯塔' })
  const { page, word } = await visit(app.url, { viewport: { width: 1440, height: 900 } })
  await cardOf(page, '一座灯塔')
    .getByRole('button', { name: word('live.again') })
    .click()
  const toast = page.getByText(word('generate.taken')).locator('..')

  for (const width of [1024, 1440, 2560, 390]) {
    await page.setViewportSize({ width, height: 900 })
    const press = page.getByRole('button', { name: new RegExp(`^${word('generate.press')}`) })
    const prompt = page.getByRole('textbox', { name: word('generate.prompt') })
    await expect.poll(() => overlaps(toast, press), { message: `${width}` }).toBe(false)
    await expect.poll(() => overlaps(toast, prompt), { message: `${width}` }).toBe(false)
  }
})

test('a toast leaves the bar of what is selected free', async () => {
  const app = await startStudio()
  await app.generate({ prompt: '一座灯塔' })
  const { page, word } = await visit(app.url, { path: '/gallery', viewport: { width: 1024, height: 700 } })
  const tile = page.getByRole('gridcell', { name: '一座灯塔' })
  await tile.focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('Delete')
  const toast = page.getByText(word('picture.deletedMany', { count: 1 })).locator('..')
  await page.getByRole('button', { name: word('shell.undo') }).waitFor()
  await app.generate({ prompt: '一叶小舟' })

  await page.getByRole('gridcell', { name: '一叶小舟' }).focus()
  await page.keyboard.press('Space')

  await expect.poll(() => overlaps(toast, page.getByRole('toolbar'))).toBe(false)
})

test('the button ends where everything above it ends', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url, { viewport: { width: 1440, height: 600 } })
  const press = page.getByRole('button', { name: new RegExp(`^${word('generate.press')}`) })
  const prompt = page.getByRole('region', { name: word('generate.prompt') })
  await press.waitFor()

  expect((await boxOf(press)).right).toBe((await boxOf(prompt)).right)
  expect((await boxOf(press)).x).toBe((await boxOf(prompt)).x)
})

/** How the cards stand in the columns of the feed. */
function columnsOf(page: Page, feed: string) {
  return page.getByRole('region', { name: feed, exact: true }).evaluate(region => {
    const columns = [...region.children].find(child => child.querySelector('article'))!.children
    return [...columns].map(column => {
      const cards = [...column.children].map(card => card.getBoundingClientRect())
      const gaps = cards.slice(1).map((card, index) => card.top - cards[index]!.bottom)
      return { first: cards[0]?.top, gaps, count: cards.length }
    })
  })
}

/** One that the service refuses. */
function fail(app: TestApp, prompt: string, parameters = {}) {
  return app.call('POST', '/api/generate', { prompt, model: 'doubao-seedream-4-0-20260415', parameters })
}

test('a comparison stands in one column and leaves no hole, also in a window that was narrow for a while', async () => {
  const app = await startStudio()
  for (const prompt of ['one', 'two', 'three', 'four']) await app.generate({ prompt, model: 'qwen-image-2.0' })
  const models = ['qwen-image-2.0', 'qwen-image-3.0', 'z-image-turbo']
  await Promise.all(models.map(model => app.generate({ prompt: 'side by side', model })))
  await app.generate({ prompt: 'newest', model: 'qwen-image-2.0' })
  const { page, word } = await visit(app.url, { viewport: { width: 1440, height: 900 }, language: 'en' })
  await isDrawn(cardOf(page, 'newest').getByRole('img'))

  await page.setViewportSize({ width: 900, height: 900 })
  await expect.poll(async () => (await columnsOf(page, word('generate.feed'))).length).toBe(1)
  await page.setViewportSize({ width: 1440, height: 900 })
  await expect
    .poll(async () => (await columnsOf(page, word('generate.feed'))).filter(({ count }) => count >= 2).length)
    .toBe(2)

  // Cards come into their places with a movement.
  await expect
    .poll(async () => {
      const columns = await columnsOf(page, word('generate.feed'))
      const gaps = columns.flatMap(column => column.gaps)
      return {
        beginnings: new Set(columns.map(({ first }) => first)).size,
        holes: gaps.filter(gap => gap <= 0 || gap >= 32),
      }
    })
    .toEqual({ beginnings: 1, holes: [] })
  expect(await cardOf(page, 'side by side').count()).toBe(3)
})

test('a failure that was seen folds to one line, opens again, and can be put away', async () => {
  const app = await startStudio()
  await fail(app, 'a refused one [[input-blocked]]')
  const { page, word } = await visit(app.url, { language: 'en' })
  const card = cardOf(page, 'a refused one [[input-blocked]]')
  await card
    .getByRole('alert')
    .or(card.getByText(word('problems.content_rejected')))
    .first()
    .waitFor()
  const whole = await boxOf(card)

  await expect
    .poll(async () => {
      await page.reload()
      await card.waitFor()
      return (await boxOf(card)).height
    })
    .toBeLessThan(Math.min(70, whole.height))
  await card.getByTitle(word('live.unfold')).click()
  await card.getByRole('button', { name: /^Make it again/ }).waitFor()
  await card.getByRole('button', { name: word('live.dismiss') }).click()
  await card.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: word('shell.undo') }).click()
  await card.getByRole('button', { name: word('live.dismiss') }).click()
  await page.reload()
  await page.getByRole('link', { name: word('live.all') }).waitFor()
  expect(await card.count()).toBe(0)

  // It is only out of the way.
  await page.goto(`${app.url}/gallery?status=failed`)
  await page.getByRole('link', { name: 'a refused one [[input-blocked]]' }).waitFor()
})

test('it folds as well when something newer is asked for', async () => {
  const app = await startStudio()
  await fail(app, 'refused [[input-blocked]]')
  const { page, word } = await visit(app.url, { language: 'en' })
  const card = cardOf(page, 'refused [[input-blocked]]')
  await card.getByText(word('problems.content_rejected')).waitFor()
  await expect.poll(() => page.evaluate(() => localStorage.getItem('webimgui.seen'))).not.toBe(null)
  expect(await card.getAttribute('data-folded')).toBe(null)

  await app.generate({ prompt: 'a paper boat' })

  await expect.poll(() => card.getAttribute('data-folded')).not.toBe(null)
})

test('advice that did not come true goes: a whole group, and one that failed for another reason', async () => {
  const app = await startStudio()
  const model = 'doubao-seedream-4-0-20260415'
  await app.generate({ prompt: 'boats', model, parameters: { n: 3 } })
  await fail(app, 'boats [[input-blocked]]', { n: 3 })
  await app.generate({ prompt: 'boats [[partial]]', model, parameters: { n: 3 } })
  const made = (await app.call('GET', '/api/history')).body.items
  const adviceIn = made.map((one: { warnings: { code: string }[] }) => one.warnings.map(({ code }) => code))
  expect(adviceIn).toEqual([['series_number'], ['series_number'], ['series_number']])
  const { page, word } = await visit(app.url, { language: 'en' })
  const [advice = ''] = word('warnings.series_number', { model: 'Seedream 4.0 (2026-04)', images: 3 }).split('. ')

  await cardOf(page, 'boats [[partial]]').getByText(advice).waitFor()
  expect(await cardOf(page, 'boats').getByText(advice).count()).toBe(0)
  expect(await cardOf(page, 'boats [[input-blocked]]').getByText(advice).count()).toBe(0)
})
