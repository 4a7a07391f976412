/** Sharing: a token is made, handed on, used, bounded and taken back; and what the page is for whoever has one. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { openBrowser, phone, startStudio } from '../support/browser.ts'
import { cardOf, chooseModel, generate, isDrawn } from './studio.ts'

const visit = openBrowser()
const accessToken = 'correct-horse-battery'
const admin = { authorization: `Bearer ${accessToken}` }
const model = 'doubao-seedream-4-0-20260415'
/** What the console says of an answer that refuses. */
const refusals = [/status of 4\d\d/, /net::ERR_/]

test('a token is made, copied, used, capped and revoked', async () => {
  const app = await startStudio({ environment: { ACCESS_TOKEN: accessToken } })
  const boss = await visit(app.url, { path: `/login?token=${accessToken}`, expected: refusals })
  const { page, word } = boss
  await boss.context.grantPermissions(['clipboard-read', 'clipboard-write'])

  // What is missing or refused is told beside its field, and what is typed outlives a reload.
  await page.getByRole('link', { name: word('shell.team') }).click()
  await page.getByRole('button', { name: word('team.add') }).click()
  const dialog = page.getByRole('dialog', { name: word('team.add') })
  const make = dialog.getByRole('button', { name: word('team.make') })
  const name = dialog.getByLabel(word('configurations.name'), { exact: true })
  const amount = dialog.getByLabel(word('team.amount'), { exact: true })
  await make.click()
  await dialog.getByText(word('team.nameNeeded')).waitFor()
  expect(await name.evaluate(element => element === document.activeElement)).toBe(true)
  await name.fill('设计组')
  await amount.fill('2000000000')
  await make.click()
  await dialog.getByRole('alert').getByText('1000000000').waitFor()
  expect(await amount.evaluate(element => element === document.activeElement)).toBe(true)
  await amount.fill('0.4')
  await dialog.getByLabel(word('team.images'), { exact: true }).fill('9')
  await page.reload()
  await expect.poll(() => amount.inputValue()).toBe('0.4')
  await dialog.getByText(word('team.modelsSome')).click()
  await dialog.getByText('Seedream 4.0 (2026-04)', { exact: true }).click()
  await make.click()

  // It is shown once, ready to be handed on.
  const made = page.getByRole('dialog', { name: word('team.madeTitle', { name: '设计组' }) })
  await made.getByText(word('team.once')).waitFor()
  const copied = async (label: string) => {
    await made.getByRole('button', { name: `${word('shell.copy')}: ${word(label)}` }).click()
    await expect.poll(() => made.getByLabel(word(label), { exact: true }).inputValue()).toBe(await clipboard(page))
    return clipboard(page)
  }
  const [curl, link, token] = [await copied('team.curl'), await copied('team.link'), await copied('team.token')]
  expect(token).toMatch(/^wig_[\w-]{43}$/)
  expect(link).toBe(`${app.url}/login?token=${token}`)
  await made.getByRole('button', { name: word('generate.done') }).click()
  await made.waitFor({ state: 'detached' })
  await page.reload()
  const card = page.getByRole('listitem').filter({ hasText: '设计组' })
  await card.getByText(word('team.neverUsed')).waitFor()
  expect(await page.content()).not.toContain(token)
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain(token)

  // With curl, then in a browser of its own, until the cap is reached; the administrator sees it happen.
  const answer = await promisify(execFile)('sh', ['-c', `${curl} -s --max-time 30`])
  expect(JSON.parse(answer.stdout)).toMatchObject({ status: 'succeeded', model, cost: { amount: 0.2 } })
  const teammate = await visit(link.replace(/\/login.*/, ''), {
    path: link.replace(app.url, ''),
    expected: [...refusals, /EventSource/],
  })
  await teammate.page.getByText(/^本月剩余：.0\.20 · 8 张$/).waitFor()
  await generate(teammate.page, '桥上看雨')
  await isDrawn(cardOf(teammate.page, '桥上看雨').getByRole('img'))
  await teammate.page.getByText(/预算已用完/).waitFor()
  await card.getByText(word('usage.capFull')).waitFor()
  expect(app.doubao.billed).toHaveLength(2)
  const field = teammate.page.getByRole('textbox', { name: word('generate.prompt') })
  await field.fill('再来一张')
  await field.press('Control+Enter')
  expect(await teammate.page.locator('button[type=submit]').getAttribute('aria-disabled')).toBe('true')
  expect(app.doubao.requests.filter(({ method }) => method === 'POST')).toHaveLength(2)

  // Given more, without another token.
  await card.getByRole('button', { name: word('configurations.editTitle', { name: '设计组' }) }).click()
  const form = page.getByRole('dialog', { name: word('configurations.editTitle', { name: '设计组' }) })
  const raised = form.getByLabel(word('team.amount'), { exact: true })
  await expect.poll(() => raised.inputValue()).toBe('0.4')
  await raised.fill('2000000000')
  await form.getByRole('button', { name: word('shell.save') }).click()
  await form.getByRole('alert').getByText('1000000000').waitFor()
  await raised.fill('0.6')
  await form.getByRole('button', { name: word('shell.save') }).click()
  await form.waitFor({ state: 'detached' })
  await card.getByText(word('usage.capLeft', { left: '¥0.20' })).waitFor()
  expect((await app.call('GET', '/api/tokens', undefined, admin)).body.items[0]).toMatchObject({
    ...{ name: '设计组', role: 'member', monthly_images: 9, models: [model] },
    monthly_cap: { amount: 0.6, currency: 'CNY' },
  })
  // The page hears of it with the press.
  await field.press('Control+Enter')
  await isDrawn(cardOf(teammate.page, '再来一张').getByRole('img'))

  // Taken back: the program is refused, and the page says why.
  await card.getByRole('button', { name: word('team.revokeNamed', { name: '设计组' }) }).click()
  const asking = page.getByRole('dialog', { name: word('team.revokeTitle', { name: '设计组' }) })
  await asking.getByText(word('team.revokeHint')).waitFor()
  await asking.getByRole('button', { name: word('team.revoke') }).click()
  await page.getByRole('heading', { name: word('team.empty') }).waitFor()
  expect((await app.call('GET', '/api/me', undefined, { authorization: `Bearer ${token}` })).status).toBe(401)
  await teammate.page.getByRole('alert').getByText('令牌已被撤销').waitFor()
  await teammate.page.getByRole('button', { name: /登录/ }).waitFor()
  expect((await app.call('GET', '/api/history', undefined, admin)).body.items).toHaveLength(3)
})

function clipboard(page: Page) {
  return page.evaluate(() => navigator.clipboard.readText())
}

test('a member is offered nothing that it may not do', async () => {
  const app = await startStudio({ environment: { ACCESS_TOKEN: accessToken } })
  const made = await app.call('POST', '/api/tokens', { name: 'Anna', models: [model] }, admin)
  const { page, word } = await visit(app.url, { path: `/login?token=${made.body.token}`, language: 'en' })
  const refused: string[] = []
  page.on('response', answer => void (answer.status() >= 400 && refused.push(answer.url())))
  const ways = page.getByRole('navigation').getByRole('link')

  await page.getByRole('textbox', { name: word('generate.prompt') }).waitFor()
  await page.getByText(word('shell.simulators')).waitFor()
  const names = ['webimgui', word('shell.create'), word('shell.gallery'), word('shell.usage')]
  await expect
    .poll(() => ways.evaluateAll(links => links.map(link => link.ariaLabel ?? link.textContent)))
    .toEqual(names)
  await page.getByRole('button', { name: new RegExp(`^${word('gallery.model')}`) }).click()
  const picker = page.getByRole('dialog', { name: word('generate.chooseModels') })
  await picker.getByRole('button', { name: /^Seedream 4\.0 \(2026-04\) / }).waitFor()
  expect(await picker.getByRole('listitem').count()).toBe(1)
  expect(await picker.getByRole('link').count()).toBe(0)
  await page.keyboard.press('Escape')
  await picker.waitFor({ state: 'detached' })

  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
  await page.keyboard.press('?')
  const sheet = page.getByRole('dialog', { name: word('shell.shortcuts') })
  await sheet.getByText(word('shell.usage'), { exact: true }).waitFor()
  expect(await sheet.getByText(word('shell.team'), { exact: true }).count()).toBe(0)
  for (const path of ['/configurations', '/team', '/team?add=token', '/status', '/welcome']) {
    await page.goto(app.url + path)
    await page.getByRole('heading', { level: 1, name: word('shell.forAdmins') }).waitFor()
  }
  await page.goto(`${app.url}/usage`)
  await page.getByRole('heading', { name: /^Nothing in/ }).waitFor()
  expect(refused).toEqual([])

  await page.getByRole('button', { name: word('shell.signOut') }).click()
  await page.getByRole('button', { name: /Sign in/ }).waitFor()
})

test('without any key a member is told whom to ask', async () => {
  const app = await startStudio({
    environment: { ACCESS_TOKEN: accessToken, DOUBAO_API_KEY: undefined, QWEN_API_KEY: undefined },
  })
  const made = await app.call('POST', '/api/tokens', { name: 'Anna' }, admin)
  const { page, word } = await visit(app.url, { path: `/login?token=${made.body.token}` })

  await page.getByText(word('generate.noKeyMember')).waitFor()

  expect(await page.getByRole('link', { name: word('configurations.add') }).count()).toBe(0)
})

test('where no token is needed the page says so, and an uncopied token is not lost by a slip', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url, { path: '/usage', language: 'en', ...phone })

  await page.getByRole('button', { name: word('shell.more') }).click()
  await page.getByRole('link', { name: word('shell.team') }).click()
  await page.getByText(word('team.open')).waitFor()
  await page.getByRole('heading', { name: word('team.empty') }).waitFor()
  await page.getByRole('button', { name: word('team.add') }).click()
  await page.getByLabel(word('configurations.name'), { exact: true }).fill('script')
  await page.keyboard.press('Enter')
  const made = page.getByRole('dialog', { name: word('team.madeTitle', { name: 'script' }) })
  await made.getByText(word('team.linkOpen')).waitFor()
  await page.keyboard.press('Escape')
  await made.getByText(word('team.notCopied')).waitFor()
  await made.getByRole('button', { name: word('team.closeAnyway') }).click()

  await made.waitFor({ state: 'detached' })
  await page.getByRole('listitem').filter({ hasText: 'script' }).waitFor()
})

test('texts are copied where the browser gives pages no clipboard, as on a plain network', async () => {
  const app = await startStudio()
  const made = await app.generate({ prompt: 'a boat on a misty lake', model })
  const { page, word } = await visit(app.url, { path: '/usage', language: 'en' })
  await page.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }))
  const isPasted = async (text: string) => {
    await page.getByText(word('shell.copied')).first().waitFor()
    await page.goto(app.url)
    const prompt = page.getByRole('textbox', { name: word('generate.prompt') })
    await prompt.fill('')
    await page.keyboard.press('ControlOrMeta+v')
    await expect.poll(() => prompt.inputValue()).toBe(text)
  }

  await page.goto(`${app.url}/picture/${made.id}`)
  await page.getByRole('button', { name: word('picture.copyPrompt') }).click()
  await isPasted('a boat on a misty lake')
  await page.goto(`${app.url}/team?add=token`)
  await page.getByLabel(word('configurations.name'), { exact: true }).fill('script')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: `${word('shell.copy')}: ${word('team.token')}` }).click()
  await isPasted(await page.getByLabel(word('team.token'), { exact: true }).inputValue())
})

test('over the cap the button does not send, says why, and offers as many as fit', async () => {
  const app = await startStudio({ environment: { ACCESS_TOKEN: accessToken } })
  const cap = { monthly_cap: { amount: 1, currency: 'CNY' } }
  const made = await app.call('POST', '/api/tokens', { name: 'Lin', role: 'member', ...cap }, admin)
  const { page, word } = await visit(`${app.url}/login?token=${made.body.token}`, { path: '', language: 'en' })
  const sent: string[] = []
  page.on('request', request => request.method() === 'POST' && sent.push(request.url()))
  await chooseModel(page, 'Seedream 4.0 (2026-04)')
  for (let count = 1; count < 6; count++) await page.getByRole('button', { name: word('generate.more') }).click()
  await page.getByRole('textbox', { name: word('generate.prompt') }).fill('boats')
  const press = page.locator('button[type=submit]')

  await expect.poll(() => press.getAttribute('aria-disabled')).toBe('true')
  await press.click({ force: true })
  await page.getByRole('textbox', { name: word('generate.prompt') }).press('Control+Enter')
  const offer = page.getByRole('button', { name: new RegExp(`^${word('generate.pressFewer', { count: 5 })}`) })
  await offer.waitFor()
  expect(sent).toEqual([])
  await offer.click()

  await page.locator('article[data-status=succeeded]').waitFor()
  const { items } = (await app.call('GET', '/api/history', undefined, admin)).body
  expect(items.map(({ parameters }: { parameters: { n: number } }) => parameters.n)).toEqual([5])
})
