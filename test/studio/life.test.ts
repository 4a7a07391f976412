/** The end of a model as people see it: announced, retiring, ended, and the one that does the same. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { openBrowser, startStudio } from '../support/browser.ts'
import { cardOf } from './studio.ts'

const visit = openBrowser()
const model = 'doubao-seedream-4-0-20260415'
const heir = 'doubao-seedream-5-0-pro-260628'

test('a model ends: it is said before money moves, and one press takes the other over', async () => {
  const life = {
    ...{ announced_at: '2026-11-01', ends_at: '2031-03-14T12:00Z', successors: [heir], source: 'a notice' },
  }
  const app = await startStudio({
    timeScale: 1,
    environment: { MODELS_FILE: 'models.json', QWEN_API_KEY: undefined },
    beforeStart: dataDir => {
      const items = [{ id: model, name: 'Old build', life }]
      writeFileSync(path.join(dataDir, 'models.json'), JSON.stringify({ items }))
    },
  })
  await app.call('POST', '/api/config', { name: 'mine', provider: 'doubao', api_key: DOUBAO_DEMO_KEY, model })
  const { page, word } = await visit(app.url, { language: 'en' })
  const press = page.getByRole('button', { name: new RegExp(`^${word('generate.press')}`) })
  const prompt = page.getByRole('textbox', { name: word('generate.prompt') })
  const form = page.getByRole('form', { name: word('shell.create') })
  const replace = word('life.use', { successor: 'Seedream 5.0 pro' })
  const endsOn = /^Old build will be retired on this host on 14 March 2031\..* Seedream 5\.0 pro replaces it\.$/
  const go = (name: string) =>
    page
      .getByRole('link', { name: word(name) })
      .first()
      .click()

  // Announced: in the form, in the picker, at the key and on the page of the state.
  await form.getByText(endsOn).waitFor()
  await form.getByRole('button', { name: /Old build/ }).click()
  const picker = page.getByRole('dialog', { name: word('generate.chooseModels') })
  await picker.getByText(word('life.endsShort', { day: '14 Mar 2031' })).waitFor()
  await picker.getByText(endsOn).waitFor()
  await picker
    .getByRole('button', { name: /^Old build/ })
    .first()
    .click()
  await go('shell.configurations')
  await page.getByRole('listitem').filter({ hasText: 'mine' }).getByText(endsOn).waitFor()
  await go('shell.status')
  await page.getByText(endsOn).waitFor()
  await go('shell.create')
  await prompt.fill('a boat')
  await press.click()
  await page.locator('article[data-status=succeeded]').waitFor()

  // Retiring: the test of the key reads the list of the service.
  app.doubao.retire(model, 'Retiring')
  await go('shell.configurations')
  const key = page.getByRole('listitem').filter({ hasText: 'mine' })
  await key.getByRole('button', { name: word('configurations.testNamed', { name: 'mine' }) }).click()
  await key.getByText(word('life.closed')).waitFor()
  await go('shell.create')
  await form.getByText(word('life.closed')).waitFor()

  // Ended, before anybody here heard of it: the refusal is free, says so, and offers the other.
  app.doubao.retire(model, 'Shutdown')
  await prompt.fill('a lighthouse')
  await press.click()
  const card = cardOf(page, 'a lighthouse')
  await card
    .getByText(/^Old build was retired on this host on .*\. Seedream 5\.0 pro replaces it\. Nothing was charged\.$/)
    .waitFor()
  expect(app.doubao.billed).toHaveLength(1)
  await form.getByText(word('life.endedShort'), { exact: true }).waitFor()
  await card.getByRole('button', { name: replace }).click()
  await page.getByText(word('life.used', { successor: 'Seedream 5.0 pro' })).waitFor()
  await expect.poll(() => prompt.inputValue()).toBe('a lighthouse')
  await press.click()
  await page.locator('article[data-status=succeeded][aria-label="a lighthouse"]').waitFor()
  const { items } = (await app.call('GET', '/api/history')).body
  expect(items.map((item: { model: string }) => item.model)).toEqual([heir, model, model])
  expect(app.doubao.billed).toHaveLength(2)

  // It is shown where it was used, and offered nowhere.
  await cardOf(page, 'a boat').getByText(word('life.endedShort'), { exact: true }).waitFor()
  await form.getByRole('button', { name: /Seedream 5\.0 pro/ }).click()
  await picker.getByLabel(word('generate.searchModels')).fill('Old build')
  await picker.getByText(word('generate.noModelFound')).waitFor()
  await picker.getByRole('button', { name: word('generate.done') }).click()
  await page.goto(`${app.url}/picture/${items[1].id}`)
  await page.getByRole('link', { name: replace }).waitFor()
  await page.getByText(word('life.endedShort'), { exact: true }).waitFor()

  // The key takes the other over as well.
  await page.goto(`${app.url}/configurations`)
  await key.getByRole('button', { name: replace }).click()
  await expect.poll(async () => (await app.call('GET', '/api/config')).body.items[0].model).toBe(heir)
  await key.getByRole('button', { name: replace }).waitFor({ state: 'detached' })
})

test('a model that came out today is offered as new, and a retired one in the form is replaced by one press', async () => {
  const app = await startStudio({ timeScale: 1, environment: { QWEN_API_KEY: undefined } })
  app.doubao.offer('doubao-seedream-6-0-270101')
  await app.call('POST', '/api/config/test', { id: 'env-doubao' })
  const { page, word } = await visit(app.url)
  const form = page.getByRole('form', { name: word('shell.create') })
  const picker = page.getByRole('dialog', { name: word('generate.chooseModels') })

  await form.getByRole('button', { name: word('generate.change') }).click()
  const fresh = picker.getByRole('button', { name: /doubao-seedream-6-0-270101/ }).first()
  await fresh.getByText(word('life.new'), { exact: true }).waitFor()
  await fresh.click()
  await form.getByText('doubao-seedream-6-0-270101').first().waitFor()
  await page.getByRole('textbox', { name: word('generate.prompt') }).fill('一只鹤')
  await page.getByRole('button', { name: new RegExp(`^${word('generate.press')}`) }).click()
  await page.locator('article[data-status=succeeded]').waitFor()

  // Somebody takes the settings of a picture that 4.5 can make no more.
  await app.call('POST', '/api/generate', { prompt: '一只猫', model: 'doubao-seedream-4-5-251128' })
  const card = cardOf(page, '一只猫')
  await card.getByText(/^Seedream 4\.5 已于2026年11月24日在此平台下线。可改用 .*。没有产生费用。$/).waitFor()
  await card.getByRole('button', { name: word('live.again') }).click()
  await form.getByText(/^Seedream 4\.5 已于2026年11月24日在此平台下线。可改用 /).waitFor()
  await form.getByRole('button', { name: /^改用 / }).click()
  await form.getByText(/已于2026年11月24日/).waitFor({ state: 'detached' })
})
