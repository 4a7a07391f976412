/** Every screen, by day and by night: nothing that keeps people with other eyes or hands out. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openApp, type TestApp } from '../support/app.ts'
import { openBrowser, phone, startStudio, type Visit } from '../support/browser.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const visit = openBrowser()
const model = 'doubao-seedream-4-0-20260415'
let app: TestApp
let imageId = ''
let failedId = ''

beforeAll(async () => {
  app = await openApp({ studioFolder: inject('studio') })
  const made = await app.generate({ prompt: '水墨山水，远处一叶小舟', model, parameters: { n: 3 } })
  imageId = made.id
  await app.call('PATCH', `/api/history/${made.id}`, { favorite: true, tags: ['山水', 'ink'] })
  const failed = await app.call('POST', '/api/generate', { prompt: '一幅画 [[output-blocked]]', model })
  failedId = failed.body.generation_id
  await app.generate({ prompt: 'four seasons [[partial]]', model, parameters: { n: 4 } })
  await app.call('POST', '/api/tokens', {
    name: '设计组',
    monthly_cap: { amount: 1, currency: 'CNY' },
    monthly_images: 9,
  })
  await app.call('POST', '/api/tokens', { name: 'night script', role: 'admin' })
  await app.call('POST', '/api/config', { name: '工作', provider: 'qwen', api_key: 'sk-of-nobody', is_active: false })
})
afterAll(() => app.close())

interface Screen {
  name: string
  path: string | (() => string)
  /** What is opened before it is looked at. */
  open?(visit: Visit): Promise<void>
}

const screens: Screen[] = [
  { name: 'create', path: '/', open: ({ page }) => page.locator('article').nth(2).waitFor() },
  {
    name: 'models',
    path: '/',
    async open({ page, word }) {
      // On a phone it stands in the drawer of the settings.
      const model = page.getByRole('button', { name: new RegExp(`^${word('gallery.model')}`) })
      const settings = page.getByRole('button', { name: new RegExp(`^${word('generate.settings')}`) })
      await model.or(settings).filter({ visible: true }).first().click()
      if (!(await page.getByRole('dialog').isVisible()) && (await settings.isVisible())) await model.click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'shortcuts',
    path: '/status',
    async open({ page }) {
      await page.getByRole('heading', { level: 2 }).first().waitFor()
      await page.keyboard.press('?')
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'moving', path: '/moving', open: ({ page }) => page.getByRole('heading', { level: 2 }).nth(1).waitFor() },
  { name: 'gallery', path: '/gallery', open: ({ page }) => page.getByRole('gridcell').nth(3).waitFor() },
  {
    name: 'selection and filters',
    path: '/gallery',
    async open({ page, word }) {
      await page.getByRole('button', { name: word('gallery.filters') }).click()
      await page.getByRole('gridcell').nth(1).focus()
      await page.keyboard.press('Space')
      await page.getByRole('toolbar').waitFor()
    },
  },
  { name: 'list', path: '/gallery?view=list', open: ({ page }) => page.getByRole('row').nth(3).waitFor() },
  {
    name: 'nothing found',
    path: '/gallery?q=nowhere',
    open: ({ page }) => page.getByRole('heading', { level: 2 }).waitFor(),
  },
  {
    name: 'picture',
    path: () => `/picture/${imageId}`,
    open: ({ page }) => page.getByRole('complementary').waitFor(),
  },
  {
    name: 'compare',
    path: () => `/compare?ids=${imageId}.0,${imageId}.1,${imageId}.2`,
    open: ({ page }) => page.getByRole('button', { pressed: true }).first().waitFor(),
  },
  {
    name: 'cull',
    path: '/cull',
    open: ({ page }) => page.getByRole('navigation').getByRole('button').nth(2).waitFor(),
  },
  { name: 'failed', path: () => `/picture/${failedId}`, open: ({ page }) => page.getByRole('complementary').waitFor() },
  {
    name: 'usage',
    path: '/usage',
    async open({ page, word }) {
      await page.getByText(word('usage.asTable')).click()
      await page.getByRole('table').nth(1).waitFor()
    },
  },
  { name: 'team', path: '/team', open: ({ page }) => page.getByRole('listitem').nth(1).waitFor() },
  {
    name: 'new token',
    path: '/team?add=token',
    async open({ page, word }) {
      await page.getByRole('dialog').getByText(word('team.modelsSome')).click()
      await page.getByRole('button', { name: word('team.make') }).click()
      await page.getByText(word('team.nameNeeded')).waitFor()
    },
  },
  {
    name: 'made token',
    path: '/team?add=token',
    async open({ page, word }) {
      await page.getByLabel(word('configurations.name'), { exact: true }).fill('one more')
      await page.getByRole('dialog').getByText(word('team.modelsAll'), { exact: true }).click()
      await page.getByRole('button', { name: word('team.make') }).click()
      await page.getByText(word('team.once')).waitFor()
    },
  },
  {
    name: 'new webhook',
    path: '/team',
    async open({ page, word }) {
      await page.getByRole('button', { name: word('webhooks.add') }).click()
      await page.getByRole('button', { name: word('webhooks.make') }).click()
      await page.getByText(word('webhooks.urlFault')).waitFor()
    },
  },
  { name: 'configurations', path: '/configurations', open: ({ page }) => page.getByRole('switch').waitFor() },
  { name: 'new key', path: '/configurations?add=qwen', open: ({ page }) => page.getByRole('dialog').waitFor() },
  { name: 'status', path: '/status', open: ({ page }) => page.getByRole('heading', { level: 2 }).nth(3).waitFor() },
  { name: 'welcome', path: '/welcome', open: ({ page }) => page.getByRole('heading', { level: 2 }).first().waitFor() },
]

test.each([
  { theme: 'light', language: 'zh', device: 'desktop' },
  { theme: 'dark', language: 'en', device: 'phone' },
] as const)('no serious finding on any screen: $theme, $language, $device', async ({ theme, language, device }) => {
  const seen = await visit(app.url, { theme, language, ...(device === 'phone' ? phone : {}) })
  const { page } = seen
  const found: Record<string, string[]> = {}

  for (const { name, path, open } of screens) {
    await page.goto(app.url + (typeof path === 'string' ? path : path()))
    await open?.(seen)
    found[name] = await seriousFindings(page)
  }

  expect(found).toEqual(Object.fromEntries(screens.map(({ name }) => [name, []])))
})

test('nor on the login page, nor where there is no key yet', async () => {
  // It closes after its pages, which keep asking.
  const closed = await startStudio({
    environment: { ACCESS_TOKEN: 'correct-horse', DOUBAO_API_KEY: undefined, QWEN_API_KEY: undefined },
  })
  for (const theme of ['light', 'dark'] as const) {
    const { page, word } = await visit(closed.url, { theme })
    await page.getByRole('button', { name: /Sign in|登录/ }).waitFor()
    expect(await seriousFindings(page)).toEqual([])
    await page.goto(`${closed.url}/login?token=correct-horse`)
    await page.getByRole('link', { name: word('configurations.add') }).waitFor()
    expect(await seriousFindings(page)).toEqual([])
    await page.goto(`${closed.url}/configurations`)
    await page.getByRole('heading', { name: word('configurations.empty') }).waitFor()
    expect(await seriousFindings(page)).toEqual([])
  }
})

/** One line each: the rule, where, and why. */
async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe.run({
      resultTypes: ['violations'],
    }),
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary?.split('\n')[1]?.trim()}`,
      ),
    )
}
