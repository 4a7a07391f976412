/** The page of the usage says what `GET /api/usage` says. */
import { readFile } from 'node:fs/promises'
import type { Locator } from 'playwright-core'
import { expect, test } from 'vitest'
import type { UsageList } from '../../src/api/usage.ts'
import type { TestApp } from '../support/app.ts'
import { openBrowser, startStudio } from '../support/browser.ts'
import { generate } from './studio.ts'

const visit = openBrowser()
const accessToken = 'correct-horse-battery'
const admin = { authorization: `Bearer ${accessToken}` }
const seedream = 'doubao-seedream-4-0-20260415'
const month = new Date().toISOString().slice(0, 7)

async function usageOf(app: TestApp, group: string, headers: Record<string, string> = admin) {
  const answer = await app.call('GET', `/api/usage?group=${group}`, undefined, headers)
  return (answer.body as UsageList).items
}

/** The cells of each line below the head. */
function cellsOf(table: Locator) {
  return table
    .locator('tbody tr')
    .evaluateAll(rows => rows.map(row => [...row.children].map(cell => (cell as HTMLElement).innerText.trim())))
}

test('totals, days, and lines by model, key and token are those of the API, and so is the file', async () => {
  const caps = { MONTHLY_CAP: '10 CNY', MONTHLY_CAP_IMAGES: '20' }
  const app = await startStudio({ environment: { ACCESS_TOKEN: accessToken, ...caps } })
  const made = await app.call('POST', '/api/tokens', { name: 'Anna', monthly_images: 4 }, admin)
  const member = { authorization: `Bearer ${made.body.token}` }
  await app.generate({ prompt: 'two boats', model: seedream, parameters: { n: 2 } }, member)
  await app.generate({ prompt: 'a boat', model: seedream }, admin)
  await app.generate({ prompt: 'a kite', model: 'qwen-image-3.0' }, admin)
  await app.call('POST', '/api/generate', { prompt: 'lost [[cut]]', model: seedream }, admin)
  const { page, word } = await visit(app.url, { path: `/login?token=${accessToken}`, language: 'en' })

  await page.getByRole('link', { name: word('shell.usage') }).click()
  await page.getByRole('heading', { name: word('usage.byDay') }).waitFor()
  const [day] = await usageOf(app, 'day')
  expect(day).toMatchObject({ images: 5, amount: 0.98, currency: 'CNY', unknown: 1 })
  const figures = page.getByRole('definition')
  expect(await figures.allInnerTexts()).toEqual(['¥0.98', String(day!.images), String(day!.calls)])
  await page.getByText(word('usage.unknown', { count: 1 })).waitFor()
  await page.getByText(word('usage.asTable')).click()
  const table = page.getByRole('table', { name: new RegExp(`^${word('usage.byDay')}`) })
  expect(await cellsOf(table)).toEqual([
    [expect.any(String), String(day!.images), String(day!.calls), expect.stringMatching(/^¥0\.98\s+1 uncertain$/)],
  ])

  for (const [group, choice, title] of [
    ['model', 'gallery.model', 'usage.byModel'],
    ['configuration', 'usage.configuration', 'usage.byConfiguration'],
    ['token', 'team.token', 'usage.byToken'],
  ] as const) {
    await page
      .locator('label')
      .filter({ hasText: new RegExp(`^${word(choice)}$`) })
      .click()
    const lines = page.getByRole('region', { name: word(title) })
    const expected = (await usageOf(app, group))
      .toSorted((a, b) => b.amount - a.amount)
      .map(({ key, name, images, calls, amount, unknown }) => [
        [key === 'admin' ? word('usage.noToken') : name, ...(unknown > 0 ? [`${unknown} uncertain`] : [])].join('\n'),
        ...[String(images), String(calls), `¥${amount.toFixed(2)}`],
      ])
    expect(expected.length).toBe(2)
    await expect.poll(() => cellsOf(lines.getByRole('table'))).toEqual(expected)
  }
  const region = page.getByRole('region', { name: word('usage.caps') })
  await region.getByText(word('usage.capUsed', { used: 2, cap: '4 pictures' })).waitFor()
  const together = region.getByRole('listitem').filter({ hasText: word('usage.all') })
  await together.getByText(word('usage.capUsed', { used: '¥0.98', cap: '¥10.00' })).waitFor()
  await together.getByText(word('usage.capUsed', { used: 5, cap: '20 pictures' })).waitFor()

  await page.getByRole('button', { name: word('usage.csvBy') }).click()
  const download = page.waitForEvent('download')
  await page.getByRole('menuitem', { name: word('usage.byToken') }).click()
  const file = await (await download).path()
  const csv = await app.call('GET', '/api/usage?group=token&format=csv', undefined, admin)
  expect(await readFile(file, 'utf8')).toBe(`\uFEFF${String(csv.body).replace(/^\uFEFF/, '')}`)

  // What is made meanwhile is there without asking.
  await app.generate({ prompt: 'one more', model: seedream }, member)
  await region.getByText(word('usage.capUsed', { used: 3, cap: '4 pictures' })).waitFor()
  await together.getByText(word('usage.capUsed', { used: 6, cap: '20 pictures' })).waitFor()
  await expect.poll(() => figures.nth(1).innerText()).toBe('6')
})

test('a cap of a key of the environment is shown, and a refusal names the variable that holds it', async () => {
  const environment = { QWEN_API_KEY: undefined, DOUBAO_MONTHLY_CAP_IMAGES: '1' }
  const app = await startStudio({ environment })
  await app.generate({ prompt: 'a boat', model: seedream })
  const expected = [/status of 402/]
  const { page, word } = await visit(app.url, { path: '/usage', language: 'en', expected })

  const caps = page.getByRole('region', { name: word('usage.caps') })
  const own = caps.getByRole('listitem').filter({ hasText: 'DOUBAO_API_KEY' })
  await own.getByText(word('usage.capUsed', { used: 1, cap: '1 picture' })).waitFor()
  await page.goto(app.url)
  await generate(page, 'a second boat')

  await page
    .getByText(/of the key has 0 pictures left.* have whoever runs the server raise DOUBAO_MONTHLY_CAP_IMAGES\./)
    .waitFor()
})

test('a member sees its own numbers and what is left, and reads the days with the keyboard', async () => {
  const app = await startStudio({ environment: { ACCESS_TOKEN: accessToken } })
  const cap = { monthly_cap: { amount: 1, currency: 'CNY' } }
  const made = await app.call('POST', '/api/tokens', { name: '设计组', ...cap }, admin)
  const member = { authorization: `Bearer ${made.body.token}` }
  await app.generate({ prompt: 'a boat', model: seedream }, member)
  await app.generate({ prompt: 'of others', model: 'qwen-image-3.0' }, admin)
  const { page, word } = await visit(app.url, { path: `/login?token=${made.body.token}` })

  await page.getByRole('link', { name: word('shell.usage') }).click()
  await page.getByText(word('usage.leadOwn', { name: '设计组' })).waitFor()
  const lines = page.getByRole('region', { name: word('usage.byModel') })
  const [own] = await usageOf(app, 'model', member)
  await expect.poll(() => cellsOf(lines.getByRole('table'))).toEqual([[own!.name, '1', '1', '¥0.20']])
  expect(await page.getByText(word('usage.configuration'), { exact: true }).count()).toBe(0)
  const caps = page.getByRole('region', { name: word('usage.caps') })
  await caps.getByText(word('usage.capLeft', { left: '¥0.80' })).waitFor()

  const days = page.getByRole('slider')
  await days.focus()
  await page.keyboard.press('End')
  await page.keyboard.press('Home')
  await expect.poll(() => days.getAttribute('aria-valuetext')).toMatch(/^\d+月1日：/)
  for (let day = 1; day < new Date().getUTCDate(); day++) await page.keyboard.press('ArrowRight')
  await expect.poll(() => days.getAttribute('aria-valuetext')).toMatch(/：¥0\.20 · 1 张$/)
})

test('a month without anything says so, and a server that is away says what to do', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url, {
    path: '/usage?month=2020-02',
    language: 'en',
    expected: [/net::ERR_/, /Failed to load resource/],
  })

  await page.getByRole('heading', { name: word('usage.empty', { month: 'February 2020' }) }).waitFor()
  await page.getByRole('combobox', { name: word('usage.month') }).click()
  await page.getByRole('option', { name: /so far$/ }).click()
  await page.getByText(word('usage.emptyHint')).waitFor()
  expect(page.url()).not.toContain('month=')

  await page.route('**/api/usage*', route => route.abort())
  await page.goto(`${app.url}/usage?month=${month}`)
  await page.getByRole('heading', { name: word('usage.failed') }).waitFor()
  await page.getByText(word('problems.offline')).waitFor()
  await page.unroute('**/api/usage*')
  await page.getByRole('button', { name: word('shell.retry') }).click()
  await page.getByText(word('usage.emptyHint')).waitFor()
})
