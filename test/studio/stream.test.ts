/** Many tabs, and a server that comes and goes: everything arrives, and nothing is sent twice. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { freePort } from '../support/ports.ts'
import { cardOf, generate, isDrawn, show } from './studio.ts'

const visit = openBrowser()

test('eight tabs are open, each follows, and Generate works in all of them', async () => {
  const app = await startStudio({ environment: { DOUBAO_API_KEY: undefined } })
  app.qwen.holdTasks('RUNNING')
  const { page, context } = await visit(app.url)
  const tabs = [page]
  await generate(page, '第一幅')
  await expect.poll(() => cardOf(page, '第一幅').getAttribute('data-status')).toBe('running')
  while (tabs.length < 8) {
    const tab = await context.newPage()
    await tab.goto(app.url)
    // What is under way is there at once in a tab that comes later.
    await expect.poll(() => cardOf(tab, '第一幅').getAttribute('data-status')).toBe('running')
    tabs.push(tab)
  }

  await generate(tabs.at(-1)!, '第二幅')
  await expect.poll(() => app.qwen.tasks()).toHaveLength(2)
  app.qwen.releaseTasks()

  for (const tab of tabs) {
    await isDrawn(cardOf(tab, '第一幅').getByRole('img'))
    await isDrawn(cardOf(tab, '第二幅').getByRole('img'))
  }
  // One that is closed takes nothing away from the others.
  await page.close()
  await generate(tabs[1]!, '第三幅')
  await isDrawn(cardOf(tabs.at(-1)!, '第三幅').getByRole('img'))
  expect(app.qwen.billed).toHaveLength(3)
})

test('where the browser has no worker for all tabs, a hidden one gives its stream back and catches up', async () => {
  const app = await startStudio()
  const { page, context } = await visit(app.url)
  const tabs: Page[] = []
  await page.close()
  while (tabs.length < 8) {
    for (const tab of tabs) await show(tab, 'hidden')
    const tab = await context.newPage()
    await tab.addInitScript(() => {
      // biome-ignore lint/suspicious/noExplicitAny: it is not there in some browsers
      delete (globalThis as any).SharedWorker
    })
    await tab.goto(app.url)
    await tab.getByRole('textbox').first().waitFor()
    tabs.push(tab)
  }

  await generate(tabs.at(-1)!, '一座灯塔')
  await isDrawn(cardOf(tabs.at(-1)!, '一座灯塔').getByRole('img'))
  expect(await cardOf(tabs[0]!, '一座灯塔').count()).toBe(0)
  await show(tabs.at(-1)!, 'hidden')
  await show(tabs[0]!, 'visible')

  await isDrawn(cardOf(tabs[0]!, '一座灯塔').getByRole('img'))
})

const outage = [/net::ERR_/, /Failed to load resource/]

test('Generate pressed while the server is away is sent once when it is back', async () => {
  const port = String(await freePort())
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined, PORT: port } })
  const { page, word } = await visit(app.url, { expected: outage })
  const button = page.locator('button[type=submit]')
  await page.getByRole('textbox', { name: word('generate.prompt') }).fill('雪夜归人')

  await app.restart(async () => {
    await button.getByText(word('generate.pressLater')).waitFor()
    await button.click()
    await button.getByText(word('generate.waitingForServer')).waitFor()
    // Pressed again, it is still one.
    await button.click()
    await page.keyboard.press('Control+Enter')
  })

  await isDrawn(cardOf(page, '雪夜归人').getByRole('img'))
  await page.getByRole('button', { name: new RegExp(`^${word('generate.press')}`) }).waitFor()
  expect((await app.call('GET', '/api/history')).body.items).toHaveLength(1)
  expect(app.doubao.billed).toHaveLength(1)
})

test('what is told while the list is read again is not taken back by an older answer', async () => {
  const port = await freePort()
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined, PORT: String(port) } })
  await app.generate({ prompt: 'the first', ...seedream })
  const { page, context } = await visit(app.url, { language: 'en', expected: outage })
  await isDrawn(cardOf(page, 'the first').getByRole('img'))
  const read = Promise.withResolvers<void>()
  const letGo = Promise.withResolvers<void>()
  await context.route(/\/api\/history\?limit=/, async route => {
    const response = await route.fetch()
    read.resolve()
    await letGo.promise
    // So that the page shows when it has come.
    await route.fulfill({ response, body: (await response.text()).replace('the first', 'the oldest') })
  })
  await app.restart()
  await read.promise

  await app.generate({ prompt: 'the second', ...seedream })
  await isDrawn(cardOf(page, 'the second').getByRole('img'))
  letGo.resolve()

  await cardOf(page, 'the oldest').waitFor()
  expect(await cardOf(page, 'the second').count()).toBe(1)
})

test('it survives lost answers, several attempts and a reload, and is made once', async () => {
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined } })
  const { page, context, word } = await visit(app.url, { expected: outage })
  const keys = new Set<string | undefined>()
  let attempts = 0
  await context.route('**/api/generate', async route => {
    attempts++
    keys.add(route.request().headers()['idempotency-key'])
    // The first reaches the server, and its answer is lost.
    if (attempts === 1) await route.fetch()
    await route.abort()
  })
  await generate(page, '雪夜归人')
  await page.getByText(word('generate.waitingForServer')).waitFor()
  await expect.poll(() => attempts).toBeGreaterThan(2)
  await page.reload()
  await page.getByText(word('generate.waitingForServer')).waitFor()
  const before = attempts
  await expect.poll(() => attempts).toBeGreaterThan(before)

  await context.unroute('**/api/generate')

  await page.getByText(word('generate.waitingForServer')).waitFor({ state: 'detached' })
  await isDrawn(cardOf(page, '雪夜归人').getByRole('img'))
  expect(keys.size).toBe(1)
  expect((await app.call('GET', '/api/history')).body.items).toHaveLength(1)
  expect(app.doubao.billed).toHaveLength(1)
})

test('a press that waits can be taken back, and is not sent', async () => {
  const app = await startStudio()
  const { page, context, word } = await visit(app.url, { expected: outage })
  await context.route('**/api/generate', route => route.abort())
  await generate(page, '雪夜归人')

  await page.getByRole('button', { name: word('generate.doNotSend') }).click()
  await page.getByText(word('generate.waitingForServer')).waitFor({ state: 'detached' })
  await context.unroute('**/api/generate')
  await page.reload()
  // What is sent afterwards is the first that the server hears of.
  await generate(page, '一座灯塔')
  await isDrawn(cardOf(page, '一座灯塔').getByRole('img'))

  const { items } = (await app.call('GET', '/api/history')).body
  expect(items.map(({ prompt }: { prompt: string }) => prompt)).toEqual(['一座灯塔'])
})

test('"make it again" waits for the server as well, and costs once', async () => {
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined } })
  await app.call('POST', '/api/generate', { prompt: 'four seasons [[partial]]', parameters: { n: 3 }, ...seedream })
  const { page, context, word } = await visit(app.url, { language: 'en', expected: outage })
  let attempts = 0
  await context.route(/\/retry$/, async route => {
    if (route.request().postData()?.includes('dry_run')) return route.continue()
    attempts++
    if (attempts > 2) return route.continue()
    // Both reach the server, and their answers are lost.
    await route.fetch()
    return route.abort()
  })

  await cardOf(page, 'four seasons [[partial]]')
    .getByRole('button', { name: /^Make the missing one/ })
    .click()
  await page.getByText(word('live.retryWaits')).waitFor()
  await page.getByText(word('live.retried')).waitFor()

  await expect.poll(() => page.locator('article[data-status=succeeded]').count()).toBe(2)
  expect((await app.call('GET', '/api/history')).body.items).toHaveLength(2)
  expect(app.doubao.billed).toHaveLength(3)
})

const seedream = { model: 'doubao-seedream-4-0-20260415' }
