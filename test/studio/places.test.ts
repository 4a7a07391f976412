/** Where and how the studio is looked at: phone, keyboard alone, a sub-path, a server that wants a token, an old link. */
import { createServer, type Server, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Locator, Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { openBrowser, phone, startStudio } from '../support/browser.ts'
import { cardOf, generate, isDrawn } from './studio.ts'

const visit = openBrowser()
const model = 'doubao-seedream-4-0-20260415'

test('on a phone nothing is cut off, and everything can be hit with a thumb', async () => {
  const app = await startStudio()
  const made = await app.generate({ prompt: '山间小屋', model })
  const { page, word } = await visit(app.url, phone)

  await generate(page, '桥上看雨')
  await isDrawn(cardOf(page, '桥上看雨').getByRole('img'))
  // The prompt stays at hand below the pictures, and the settings are a press away.
  const boxOf = async (locator: Locator) => (await locator.boundingBox())!
  const form = page.getByRole('form', { name: word('shell.create') })
  const [sheet, bar] = [await boxOf(form), await boxOf(page.getByRole('navigation'))]
  expect(Math.abs(sheet.y + sheet.height - bar.y)).toBeLessThan(2)
  expect(sheet.height).toBeLessThan(844 * 0.4)
  const count = page.getByRole('button', { name: word('generate.more'), exact: true })
  expect(await count.isVisible()).toBe(false)
  await page.getByRole('button', { name: new RegExp(`^${word('generate.settings')}`) }).click()
  await count.click()
  expect(await smallTargets(page)).toEqual([])
  await page.setViewportSize({ width: 768, height: 1024 })
  const [beside, card] = [await boxOf(form), await boxOf(cardOf(page, '桥上看雨'))]
  expect(card.x).toBeGreaterThan(beside.x + beside.width)
  await page.setViewportSize(phone.viewport)
  const screens = [
    '/',
    '/gallery',
    '/gallery?view=list',
    `/picture/${made.id}`,
    '/usage',
    '/configurations',
    '/team',
    '/status',
    '/welcome',
  ]
  for (const path of [...screens, '/team?add=token', '/configurations?add=doubao']) {
    await page.goto(app.url + path)
    await page.locator('h1').waitFor({ state: 'attached' })
    await expect.poll(() => page.locator('.animate-breathe').count(), { message: path }).toBe(0)
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(390)
    expect(await smallTargets(page), path).toEqual([])
  }
  await page.getByRole('dialog', { name: word('configurations.add') }).waitFor()
})

/** Buttons and links lower or narrower than a thumb; links within a sentence aside. */
function smallTargets(page: Page) {
  return page.locator('button:visible, a:visible, [role=switch]:visible').evaluateAll(elements =>
    elements.flatMap(element => {
      const { width, height } = element.getBoundingClientRect()
      const isInSentence = getComputedStyle(element).display === 'inline'
      // A line of the list can be hit anywhere: its link covers it.
      const coversMore = getComputedStyle(element, '::after').position === 'absolute'
      const isHidden = element.closest('[aria-hidden=true]') !== null || width <= 1
      if (isInSentence || isHidden || coversMore || (width >= 39.5 && height >= 39.5)) return []
      return [`${element.getAttribute('aria-label') ?? element.textContent} ${Math.round(width)}×${Math.round(height)}`]
    }),
  )
}

test('the keyboard alone makes a picture, finds it, opens it, and tells its own keys', async () => {
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined } })
  const { page, word } = await visit(app.url, { language: 'en' })
  const { keyboard } = page
  await page.getByRole('textbox', { name: word('generate.prompt') }).waitFor()

  await keyboard.press('Tab')
  expect(await focused(page)).toBe(word('shell.skip'))
  await keyboard.press('/')
  expect(await focused(page)).toBe(word('generate.prompt'))
  await keyboard.type('A kite over the harbour')
  await keyboard.press('Control+Enter')
  await isDrawn(cardOf(page, 'A kite over the harbour').getByRole('img'))

  await keyboard.press('Tab')
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
  await keyboard.press('?')
  const sheet = page.getByRole('dialog', { name: word('shell.shortcuts') })
  await sheet.waitFor()
  await keyboard.press('Escape')
  await sheet.waitFor({ state: 'detached' })

  await keyboard.press('g')
  await keyboard.press('g')
  await page.getByRole('gridcell', { name: 'A kite' }).waitFor()
  await keyboard.press('/')
  await keyboard.type('harb')
  await expect.poll(() => page.url()).toContain('q=harb')
  await tabTo(page, 'gridcell')
  await keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'A kite over the harbour' }).waitFor({ state: 'attached' })
  await keyboard.press('Escape')
  await page.getByRole('gridcell', { name: 'A kite' }).waitFor()
  await keyboard.press('g')
  await keyboard.press('k')
  await page.getByRole('heading', { level: 1, name: word('shell.configurations') }).waitFor()
  await keyboard.press('t')
  await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark')
})

function focused(page: Page) {
  return page.evaluate(() => {
    const element = document.activeElement
    return element?.getAttribute('aria-label') ?? element?.textContent ?? ''
  })
}

async function tabTo(page: Page, role: string) {
  for (let tries = 0; tries < 20; tries++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate(role => document.activeElement?.getAttribute('role') === role, role)) return
  }
  throw new Error(`no ${role} can be reached with the Tab key`)
}

test('below a path, behind a proxy that keeps it and one that takes it off', async () => {
  for (const keepsPath of [true, false]) {
    const proxy = createServer()
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const app = await startStudio({ environment: { PUBLIC_URL: `${origin}/images-app/` } })
    lead(proxy, app.app.server.server.address() as AddressInfo, keepsPath)
    onTestFinished(() => {
      proxy.closeAllConnections()
      proxy.close()
    })
    const { page, word } = await visit(origin, { path: '/images-app/', language: 'en', expected: [/404/] })

    await generate(page, 'a paper boat')
    await isDrawn(cardOf(page, 'a paper boat').getByRole('img'))
    await page.getByRole('link', { name: word('shell.gallery') }).click()
    await isDrawn(page.getByRole('gridcell').getByRole('img'))
    expect(new URL(page.url()).pathname).toBe('/images-app/gallery')
    await page.reload()
    await page.getByRole('gridcell', { name: 'a paper boat' }).click()
    await page.getByRole('heading', { level: 1, name: 'a paper boat' }).waitFor({ state: 'attached' })
    expect(new URL(page.url()).pathname).toMatch(/^\/images-app\/picture\/[\w-]+$/)
    // An address of nothing is told in words, with the way on.
    const answer = await page.goto(`${origin}/images-app/nothing-here`)
    expect(answer?.status()).toBe(404)
    await page.getByRole('heading', { name: word('shell.notFound') }).waitFor()
    await page
      .getByRole('main')
      .getByRole('link', { name: word('shell.gallery') })
      .click()
    await page.getByRole('gridcell', { name: 'a paper boat' }).waitFor()
  }
})

function lead(proxy: Server, { port }: AddressInfo, keepsPath: boolean) {
  proxy.on('request', (request, response) => {
    const target = keepsPath ? request.url! : request.url!.replace(/^\/images-app/, '')
    const forwarded = send(
      { host: '127.0.0.1', port, path: target, method: request.method, headers: request.headers },
      answer => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    forwarded.on('error', () => response.destroy())
    response.on('close', () => forwarded.destroy())
    request.pipe(forwarded)
  })
}

test('a server that wants a token leads to its login page, and back there when the session ends', async () => {
  const app = await startStudio({ environment: { ACCESS_TOKEN: 'correct-horse-battery' } })
  const { page, context, word } = await visit(app.url, { language: 'en', expected: [/401/, /net::ERR/] })

  await page.getByLabel(/Access token/).fill('wrong')
  await page.getByRole('button', { name: /Sign in/ }).click()
  await page.getByRole('alert').waitFor()
  // Loaded again, the page asks for nothing and sends no form.
  expect(new URL(page.url()).pathname).toBe('/login')
  await page.reload()
  await page.getByRole('alert').waitFor()
  await page.getByRole('link', { name: '中文' }).click()
  await page.getByRole('button', { name: '登录' }).waitFor()
  await page.getByRole('alert').getByText('令牌').waitFor()
  await page.getByRole('link', { name: 'English' }).click()
  await page.getByLabel(/Access token/).fill('correct-horse-battery')
  await page.getByRole('button', { name: /Sign in/ }).click()
  await page.getByRole('textbox', { name: word('generate.prompt') }).waitFor()
  await generate(page, 'a lantern')
  await isDrawn(cardOf(page, 'a lantern').getByRole('img'))
  await context.clearCookies()
  await page.getByRole('link', { name: word('shell.gallery') }).click()

  await page.getByRole('button', { name: /Sign in/ }).waitFor()
})

test('language and theme follow the browser, can be changed, and stay so', async () => {
  const app = await startStudio()
  const { page } = await visit(app.url, { language: 'zh', theme: 'dark' })
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)

  await page.getByRole('heading', { level: 1, name: '创作' }).waitFor()
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-CN')
  const dark = await paper()
  await page.getByRole('button', { name: 'Switch to English' }).click()
  await page.getByRole('heading', { level: 1, name: 'Create' }).waitFor()
  await page.getByRole('button', { name: 'Light theme' }).click()
  await expect.poll(paper).not.toBe(dark)
  const light = await paper()
  await page.reload()

  await page.getByRole('heading', { level: 1, name: 'Create' }).waitFor()
  expect(await paper()).toBe(light)
})

test('what was typed is there after a reload', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url)
  const prompt = page.getByRole('textbox', { name: word('generate.prompt') })

  await prompt.fill('还没写完的一句')
  await page.reload()
  await expect.poll(() => prompt.inputValue()).toBe('还没写完的一句')

  await page.goto(`${app.url}/configurations?add=qwen`)
  await page.getByLabel(word('configurations.name'), { exact: true }).fill('周末用')
  await page.getByLabel(word('configurations.key'), { exact: true }).fill('sk-half-a-key')
  await page.reload()
  await expect.poll(() => page.getByLabel(word('configurations.name'), { exact: true }).inputValue()).toBe('周末用')
  expect(await page.getByLabel(word('configurations.key'), { exact: true }).inputValue()).toBe('')
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain('half-a-key')
})

test('an old link says that there is nothing, and where to go', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url, { path: '/picture/gone', expected: [/404/] })

  await page.getByRole('heading', { name: word('picture.notFound') }).waitFor()
  await page.getByRole('main').getByRole('link').first().waitFor()
})

test('a screen that cannot be loaded leaves the page, says why, and comes when it can', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url, { path: '/gallery', expected: [/net::ERR_/, /cannot be reached/] })
  // The server is gone before this screen was ever there.
  await page.route(/assets\/status-|api\/status/, route => route.abort())
  await page.reload()
  await page.getByRole('heading', { level: 1, name: word('shell.gallery') }).waitFor({ state: 'attached' })

  await page.getByRole('link', { name: word('shell.status') }).click()
  await page.getByRole('heading', { name: word('shell.unreached') }).waitFor()
  await page.getByRole('link', { name: word('shell.gallery') }).waitFor()
  await page.unrouteAll()
  await page.getByRole('button', { name: word('shell.retry') }).click()

  await page.getByRole('heading', { level: 1, name: word('shell.status') }).waitFor()
})
