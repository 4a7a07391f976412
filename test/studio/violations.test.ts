/** What is wrong with a request as people read it: before it is sent, and after the server refused it. */
import { expect, test } from 'vitest'
import { doubaoKeys } from '../../src/simulators/doubao/keys.ts'
import { openBrowser, startStudio } from '../support/browser.ts'

const visit = openBrowser()

test('rules that join several settings are told in the language of the page, and nothing is sent', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url, { language: 'zh', expected: [/422/] })
  await page.evaluate(draft => sessionStorage.setItem('webimgui.draft', JSON.stringify(draft)), {
    prompt: '一座灯塔',
    models: ['doubao-seedream-5-5-261028'],
    values: { background: 'transparent', output_format: 'jpeg' },
  })
  await page.reload()

  await page.getByRole('button', { name: new RegExp(`^${word('generate.press')}`) }).click()

  const reason = word('violations.transparent_format', { allowed: 'png', got: 'jpeg' })
  await page.getByText(word('generate.failed', { model: 'Seedream 5.5', reason })).waitFor()
  expect(app.doubao.requests).toEqual([])
})

test('a model that the address of the key does not serve says so where it is chosen', async () => {
  const app = await startStudio({ environment: { DOUBAO_API_KEY: undefined, QWEN_API_KEY: undefined } })
  const { planBaseUrl } = app.doubao
  await app.call('POST', '/api/config', {
    ...{ name: 'plan', provider: 'doubao', base_url: planBaseUrl, api_key: doubaoKeys.plan },
  })
  const { page, word } = await visit(app.url, { language: 'en' })

  await page.getByRole('button', { name: new RegExp(word('generate.change')) }).click()
  const picker = page.getByRole('dialog', { name: word('generate.chooseModels') })
  const flash = picker.getByRole('listitem').filter({ hasText: 'Seedream 5.0 flash' })
  await flash.getByText(word('life.notServedShort')).waitFor()
  const pro = picker.getByRole('listitem').filter({ hasText: 'Seedream 5.0 pro' })
  expect(await pro.getByText(word('life.notServedShort')).count()).toBe(0)
  await flash.getByRole('button').first().click()

  const form = page.getByRole('form', { name: word('shell.create') })
  await form.getByText(word('life.notServed', { model: 'Seedream 5.0 flash' })).waitFor()
})
