/** Keys that share the work, as people see them: who rests, who was taken out and how it comes back, and what each may do. */
import { expect, onTestFinished, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { setClock } from '../support/clock.ts'
import { cardOf, generate } from './studio.ts'

const visit = openBrowser()
const image = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415' }
const keyOf = (name: string) => `ark-pool-0000-${name}`

/** A server with these stored keys and no other, beside a service that knows those of `good`. */
async function startPool(names: string[], good: string[], environment: Record<string, string> = {}) {
  const rules = Object.fromEntries(good.map(name => [keyOf(name), { name }]))
  const app = await startStudio({
    timeScale: 1,
    doubaoKeys: rules,
    environment: { DOUBAO_API_KEY: undefined, QWEN_API_KEY: undefined, ...environment },
  })
  const headers: Record<string, string> = environment.ACCESS_TOKEN
    ? { authorization: `Bearer ${environment.ACCESS_TOKEN}` }
    : {}
  for (const name of names) {
    const body = { name, provider: 'doubao', api_key: keyOf(name), base_url: app.doubao.baseUrl }
    expect((await app.call('POST', '/api/config', body, headers)).status).toBe(201)
  }
  return { app, rules, headers }
}

test('one that its service refuses is taken out, says why, and is brought back by a test', async () => {
  const { app, rules } = await startPool(['north', 'south'], ['north'])
  const { page, word } = await visit(app.url, { path: '/configurations' })
  const [north, south] = ['north', 'south'].map(name => page.getByRole('listitem').filter({ hasText: name }))

  await page.getByText(word('configurations.sharing', { names: '“south”和“north”' })).waitFor()
  await south!.getByText(word('configurations.ready')).waitFor()
  // The newest is asked first, and the other makes the picture.
  expect((await app.generate(image)).status).toBe('succeeded')
  await south!.getByText(word('configurations.provider_key_rejected')).waitFor()
  await south!.getByText(/^它会自动恢复：\d+:\d\d:\d\d 之后/).waitFor()
  await north!.getByText(word('configurations.ready')).waitFor()
  expect(app.doubao.billed.map(({ key }) => key)).toEqual(['north'])
  const status = await visit(app.url, { path: '/status', language: 'en' })
  await status.page.getByRole('link', { name: status.word('status.keysReady', { ready: 1, count: 2 }) }).waitFor()

  const back = south!.getByRole('button', { name: word('configurations.bringBackNamed', { name: 'south' }) })
  await back.click()
  await south!.getByRole('alert').nth(1).waitFor()
  rules[keyOf('south')] = { name: 'south' }
  await back.click()
  await south!.getByText(word('configurations.ok')).waitFor()
  await south!.getByText(word('configurations.ready'), { exact: true }).waitFor()
  expect(await back.count()).toBe(0)
})

test('one that its service refuses comes back by itself once it is taken again', async () => {
  const { app, rules } = await startPool(['north', 'south'], ['north'])
  expect((await app.generate(image)).status).toBe('succeeded')
  const { page, word } = await visit(app.url, { path: '/configurations', language: 'en' })
  const south = page.getByRole('listitem').filter({ hasText: 'south' })
  await south.getByText(/after \d+:\d\d:\d\d.*, the next request tries it again/).waitFor()

  rules[keyOf('south')] = { name: 'south' }
  // Longer than the longest suspension.
  setClock(15 * 60_000)
  onTestFinished(() => setClock(0))
  for (let count = 0; count < 2; count++) expect((await app.generate(image)).status).toBe('succeeded')

  await page.reload()
  await south.getByText(word('configurations.ready')).waitFor()
  expect(app.doubao.billed.map(({ key }) => key)).toContain('south')
})

test('one that its service slows down rests, and says until when', async () => {
  const { app } = await startPool(['north', 'south'], ['north', 'south'])
  const { page, word } = await visit(app.url, { path: '/configurations', language: 'en' })
  const south = page.getByRole('listitem').filter({ hasText: 'south' })
  await south.getByText(word('configurations.ready')).waitFor()
  const body = { error: { code: 'RequestBurstTooFast' } }
  app.doubao.misbehave({ kind: 'status', status: 429, body, headers: { 'retry-after': '60' } })

  expect((await app.generate(image)).status).toBe('succeeded')

  await south.getByText(/^Paused until \d+:\d\d:\d\d/).waitFor()
})

test('how many are before it is right where keys share the work', async () => {
  const { app } = await startPool(['north', 'south'], ['north', 'south'], { DRAIN_SECONDS: '1' })
  const { items } = (await app.call('GET', '/api/config')).body
  for (const { id } of items) await app.call('PUT', `/api/config/${id}`, { most_running: 1 })
  app.doubao.misbehave({ kind: 'slow', ms: 60_000 }, { times: 2 })
  const { page, word } = await visit(app.url, { language: 'en' })

  for (const prompt of ['one', 'two', 'three', 'four', 'five']) {
    await app.generate({ ...image, prompt }, { prefer: 'respond-async' })
  }

  await cardOf(page, 'two').getByText(word('live.running')).waitFor()
  await cardOf(page, 'five')
    .getByText(word('live.ahead', { count: 2 }))
    .waitFor()
  await cardOf(page, 'four')
    .getByText(word('live.ahead', { count: 1 }))
    .waitFor()
  expect(await cardOf(page, 'three').getByText('before it').count()).toBe(0)
})

test('limits are set in the form, and what the server refuses is told beside the field', async () => {
  const { app } = await startPool(['north', 'south'], [])
  const { page, word } = await visit(app.url, { path: '/configurations', language: 'en', expected: [/status of 422/] })
  const south = page.getByRole('listitem').filter({ hasText: 'south' })

  await page.getByRole('button', { name: word('configurations.editTitle', { name: 'south' }) }).click()
  const dialog = page.getByRole('dialog', { name: word('configurations.editTitle', { name: 'south' }) })
  const field = (key: string) => dialog.getByLabel(word(key), { exact: true })
  const save = dialog.getByRole('button', { name: word('shell.save') })
  expect(await field('configurations.weight').isVisible()).toBe(false)
  await dialog.getByText(word('configurations.limits')).click()
  await field('configurations.maxRunning').fill('two')
  await save.click()
  await dialog.getByText(word('configurations.numberFault')).waitFor()
  await field('configurations.maxRunning').fill('2')
  await field('configurations.perMinute').fill('10')
  await field('team.amount').fill('12.50')
  await field('team.images').fill('300')
  await field('configurations.weight').fill('500')
  await save.click()
  await dialog.getByRole('alert').getByText('from 1 to 100').waitFor()
  await expect
    .poll(() => field('configurations.weight').evaluate(element => element === document.activeElement))
    .toBe(true)
  await field('configurations.weight').fill('3')
  await save.click()
  await dialog.waitFor({ state: 'detached' })

  await south
    .getByText('Ready · weight 3 · 2 at a time · 10 per minute · up to ¥12.50 per month · up to 300 pictures per month')
    .waitFor()
  const [stored] = (await app.call('GET', '/api/config')).body.items
  expect(stored).toMatchObject({
    ...{ weight: 3, most_running: 2, requests_per_minute: 10, monthly_images: 300 },
    monthly_cap: { amount: 12.5, currency: 'CNY' },
  })

  // Open where something is set; alone at its address there is nothing to weigh it against.
  await app.call('DELETE', `/api/config/${(await app.call('GET', '/api/config')).body.items[1].id}`)
  await page.reload()
  await page.getByRole('button', { name: word('configurations.editTitle', { name: 'south' }) }).click()
  for (const name of ['weight', 'maxRunning', 'perMinute']) await field(`configurations.${name}`).fill('')
  await field('team.amount').fill('')
  await save.click()
  await dialog.waitFor({ state: 'detached' })
  expect((await app.call('GET', '/api/config')).body.items[0]).toMatchObject({
    ...{ weight: 1, most_running: null, requests_per_minute: null, monthly_images: 300, monthly_cap: null },
  })
  await page.getByRole('button', { name: word('configurations.editTitle', { name: 'south' }) }).click()
  await field('configurations.maxRunning').waitFor()
  expect(await field('configurations.weight').count()).toBe(0)
})

test('when all were taken out, an administrator is led to the keys and a member told whom to ask', async () => {
  const accessToken = 'correct-horse-battery'
  const { app, headers } = await startPool(['north', 'south'], [], { ACCESS_TOKEN: accessToken })
  const { token } = (await app.call('POST', '/api/tokens', { name: 'Anna' }, headers)).body
  const expected = [/status of 409/]
  const { page, word } = await visit(app.url, { path: `/login?token=${accessToken}`, expected })

  await generate(page, '一叶小舟')
  await cardOf(page, '一叶小舟')
    .getByRole('link', { name: word('live.toKeys') })
    .waitFor()
  await generate(page, '两叶小舟')
  await page.getByText(new RegExp(`：${word('problems.configuration_missing')}$`)).waitFor()
  const member = await visit(app.url, { path: `/login?token=${token}`, language: 'en', expected })
  await generate(member.page, 'a boat')
  await member.page.getByText(new RegExp(`: ${member.word('problems.configuration_missing')}$`)).waitFor()
  expect(await member.page.getByRole('button', { name: member.word('live.toKeys') }).count()).toBe(0)

  await page.getByRole('button', { name: word('live.toKeys') }).click()
  await page.getByRole('button', { name: word('configurations.bringBackNamed', { name: 'south' }) }).waitFor()
})
