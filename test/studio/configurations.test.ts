/** Keys and status, as people see them. */
import { expect, test } from 'vitest'
import { DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { QWEN_ARREARS_KEY, QWEN_DEMO_KEY } from '../../src/simulators/qwen/keys.ts'
import { openBrowser, startStudio } from '../support/browser.ts'

const visit = openBrowser()
// Where a key is tested the clock runs as it does, because a test that takes long says nothing about the key.

test('a key is tested before it is saved, and what is wrong is told with the place to mend it', async () => {
  const app = await startStudio({ timeScale: 1, environment: { QWEN_API_KEY: undefined } })
  const { page, word } = await visit(app.url, { path: '/configurations' })

  await page.getByRole('button', { name: /^添加密钥.*Qwen/ }).click()
  const dialog = page.getByRole('dialog', { name: word('configurations.add') })
  const key = dialog.getByLabel(word('configurations.key'), { exact: true })
  const save = dialog.getByRole('button', { name: word('configurations.testAndSave') })
  await save.click()
  await dialog.getByText(word('configurations.keyNeeded')).waitFor()
  expect(await key.evaluate(element => element === document.activeElement)).toBe(true)

  await key.fill(QWEN_ARREARS_KEY)
  await dialog.getByLabel(word('configurations.modelLabel'), { exact: true }).fill('qwen-image-3.0')
  await save.click()
  await dialog.getByText(word('configurations.provider_quota_exhausted')).waitFor()
  const console = dialog.getByRole('alert').getByRole('link', { name: word('configurations.console') })
  expect(await console.getAttribute('href')).toBe('https://bailian.console.aliyun.com/')
  expect(await console.getAttribute('rel')).toContain('noreferrer')

  await key.fill(QWEN_DEMO_KEY)
  await dialog.getByLabel(word('configurations.name'), { exact: true }).fill('工作')
  await save.click()
  await dialog.waitFor({ state: 'detached' })
  const stored = page.getByRole('listitem').filter({ hasText: '工作' })
  await stored.getByText(word('configurations.keyHint', { hint: QWEN_DEMO_KEY.slice(-4) })).waitFor()
  expect(await page.content()).not.toContain(QWEN_DEMO_KEY)

  // On and off, tested where it stands, and gone when that is confirmed.
  await stored.getByRole('switch').click()
  await expect.poll(async () => (await app.call('GET', '/api/config')).body.items[0].is_active).toBe(false)
  await stored.getByText(word('configurations.off'), { exact: true }).waitFor()
  await stored.getByRole('button', { name: word('configurations.testNamed', { name: '工作' }) }).click()
  await stored.getByText(word('configurations.ok')).waitFor()
  await stored.getByRole('button', { name: /^更多/ }).click()
  await page.getByRole('menuitem', { name: word('shell.delete') }).click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: word('shell.delete') })
    .click()
  // While the dialog is open, what stands behind it has no roles: that it is not found says nothing yet.
  await page.getByText(word('configurations.deleted', { name: '工作' })).waitFor()
  await stored.waitFor({ state: 'detached' })
  expect((await app.call('GET', '/api/config')).body.items.map((item: { id: string }) => item.id)).toEqual([
    'env-doubao',
  ])
  expect(app.qwen.billed).toEqual([])
})

test('another address needs the key again, and the known ones can be picked', async () => {
  const app = await startStudio({ timeScale: 1 })
  await app.call('POST', '/api/config', { name: 'Mine', provider: 'doubao', api_key: DOUBAO_DEMO_KEY })
  const { page, word } = await visit(app.url, { path: '/configurations', language: 'en' })

  await page.getByRole('button', { name: word('configurations.editTitle', { name: 'Mine' }) }).click()
  const dialog = page.getByRole('dialog', { name: word('configurations.editTitle', { name: 'Mine' }) })
  await dialog.getByRole('combobox', { name: word('configurations.address') }).click()
  await page.getByRole('option', { name: /BytePlus/ }).click()
  await dialog.getByRole('button', { name: word('shell.save') }).click()
  await dialog.getByText(word('configurations.keyAgain')).waitFor()

  await dialog.getByRole('combobox', { name: word('configurations.address') }).click()
  await page.getByRole('option', { name: word('configurations.addressOther') }).click()
  const base = dialog.getByLabel(word('configurations.addressBase'), { exact: true })
  await dialog.getByLabel(word('configurations.key'), { exact: true }).fill(DOUBAO_DEMO_KEY)
  await base.fill('not an address')
  await dialog.getByRole('button', { name: word('configurations.testAndSave') }).click()
  await dialog.getByText(word('configurations.addressNeeded')).waitFor()
  await base.fill(`${app.doubao.origin}/api/nothing`)
  await dialog.getByRole('button', { name: word('configurations.testAndSave') }).click()
  await dialog.getByText(word('configurations.wrong_address')).waitFor()
  await base.fill(app.doubao.baseUrl)
  await dialog.getByRole('button', { name: word('configurations.testAndSave') }).click()

  await dialog.waitFor({ state: 'detached' })
  const { items } = (await app.call('GET', '/api/config')).body
  expect(items[0]).toMatchObject({ name: 'Mine', base_url: app.doubao.baseUrl, is_active: true })
})

test('a key of the environment can be tested but not changed, and shows its caps', async () => {
  const caps = { DOUBAO_MONTHLY_CAP: '12.5 CNY', DOUBAO_MONTHLY_CAP_IMAGES: '300' }
  const app = await startStudio({ timeScale: 1, environment: caps })
  const { page, word } = await visit(app.url, { path: '/configurations', language: 'en' })
  const own = page.getByRole('listitem').filter({ hasText: 'DOUBAO_API_KEY on the server' })

  await own.getByText(word('configurations.environment'), { exact: true }).waitFor()
  await own.getByText('Ready · up to ¥12.50 per month · up to 300 pictures per month').waitFor()
  await own.getByText(/DOUBAO_MONTHLY_CAP and DOUBAO_MONTHLY_CAP_IMAGES can/).waitFor()
  expect(await own.getByRole('switch').count()).toBe(0)
  expect(await own.getByRole('button', { name: /^Edit/ }).count()).toBe(0)
  await own.getByRole('button', { name: /^Test/ }).click()

  await own.getByRole('status').getByText(word('configurations.ok')).waitFor()
})

test('the status follows the queue, and shows the last errors', async () => {
  const app = await startStudio({ environment: { DOUBAO_API_KEY: undefined } })
  app.qwen.holdTasks('PENDING')
  const { page, word } = await visit(app.url, { path: '/status', language: 'en' })

  await page.getByText(word('status.ok'), { exact: true }).waitFor()
  await page.getByText(word('status.idle')).waitFor()
  await page.getByText(word('status.noErrors')).waitFor()
  await app.call('POST', '/api/generate', { prompt: 'a slow one' }, { prefer: 'respond-async' })
  await page.getByText(word('status.running'), { exact: true }).waitFor()
  app.qwen.releaseTasks()
  await page.getByText(word('status.idle')).waitFor()
  await app.call('POST', '/api/generate', { prompt: 'a bad one [[input-blocked]]' })
  await page.getByRole('button', { name: word('status.refresh') }).click()

  const errors = page.getByRole('region', { name: word('status.errors') })
  await errors.getByText(word('status.notMade')).waitFor()
  await errors.getByText(word('problems.content_rejected')).waitFor()
  expect(await errors.innerText()).not.toContain('a bad one')
  await errors.getByRole('link', { name: word('status.generation') }).click()
  await page.getByRole('heading', { level: 1, name: 'a bad one' }).waitFor({ state: 'attached' })
})

test('what was shown stays when the network goes, with its age, and is fresh again when it is back', async () => {
  const app = await startStudio()
  const expected = [/net::ERR/, /Failed to load/]
  const { page, context, word } = await visit(app.url, { path: '/status', language: 'en', expected })
  await page.getByText(word('status.ok'), { exact: true }).waitFor()

  await context.setOffline(true)
  await page.getByRole('button', { name: word('status.refresh') }).click()
  await page.getByText(/As of .*2\d{3}/).waitFor()
  await page.getByText(word('status.ok'), { exact: true }).waitFor()
  await context.setOffline(false)
  await page.getByRole('button', { name: word('status.refresh') }).click()

  await page.getByText(/As of/).waitFor({ state: 'detached' })
})

test('what could not be loaded says so, and how to try again', async () => {
  const app = await startStudio()
  const expected = [/net::ERR/, /Failed to load/]
  const { page, context, word } = await visit(app.url, { language: 'en', expected })

  for (const [path, address, failed, there] of [
    ['/configurations', '**/api/config', 'configurations.failed', 'Doubao Seedream (DOUBAO_API_KEY)'],
    ['/status', '**/api/status*', 'status.failed', word('status.ok')],
  ] as const) {
    await context.route(address, route => route.abort())
    await page.goto(app.url + path)
    const trouble = page.getByRole('alert').filter({ hasText: word(failed) })
    await trouble.getByText(word('problems.offline')).waitFor()
    await context.unroute(address)
    await trouble.getByRole('button', { name: word('shell.retry') }).click()
    await page.getByText(there, { exact: true }).waitFor()
  }
})
