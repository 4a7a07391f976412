/** Webhooks on the page of the team: made, shown what they sign with, looked after, sent again, and taken away. */
import { Webhook } from 'standardwebhooks'
import { expect, onTestFinished, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { openReceiver } from '../support/receiver.ts'

const visit = openBrowser()
const accessToken = 'correct-horse-battery'
const admin = { authorization: `Bearer ${accessToken}` }

test('a webhook is made, tested, looked after and deleted', async () => {
  const receiver = await openReceiver()
  onTestFinished(() => receiver.close())
  const app = await startStudio({ environment: { ACCESS_TOKEN: accessToken, ALLOWED_HOSTS: receiver.host } })
  await app.call('POST', '/api/tokens', { name: 'shop' }, admin)
  const { page, context, word } = await visit(app.url, {
    path: `/login?token=${accessToken}`,
    expected: [/status of 422/],
    language: 'en',
  })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])

  // What would be refused is refused beside its field.
  await page.getByRole('link', { name: word('shell.team') }).click()
  const section = page.getByRole('region', { name: word('webhooks.title') })
  await section.getByText(word('webhooks.empty')).waitFor()
  await section.getByRole('button', { name: word('webhooks.add') }).click()
  const form = page.getByRole('dialog', { name: word('webhooks.add') })
  const make = form.getByRole('button', { name: word('webhooks.make') })
  const url = form.getByLabel(word('webhooks.url'), { exact: true })
  await make.click()
  await form.getByText(word('webhooks.urlFault')).waitFor()
  await url.fill('https://192.168.1.10/hook')
  await make.click()
  await form
    .getByRole('alert')
    .getByText(/not a public address/)
    .waitFor()
  await url.fill(receiver.url('/hook'))
  await form.getByLabel(word('webhooks.whose'), { exact: true }).click()
  await page.getByRole('option', { name: 'shop' }).click()
  await make.click()

  // Its secret is shown once, and signs.
  const shown = page.getByRole('dialog', { name: word('webhooks.secretTitle') })
  await shown.getByText(word('webhooks.secretOnce')).waitFor()
  await shown.getByRole('button', { name: `${word('shell.copy')}: ${word('webhooks.secret')}` }).click()
  await page.getByText(word('shell.copied')).first().waitFor()
  const secret = await page.evaluate(() => navigator.clipboard.readText())
  await shown.getByRole('button', { name: word('generate.done') }).click()
  const card = section.getByRole('listitem').filter({ hasText: receiver.url('/hook') })
  await card.getByText(word('webhooks.ofWhom', { name: 'shop' })).waitFor()
  const menu = async (entry: string) => {
    await card.getByRole('button', { name: word('webhooks.more', { name: receiver.host }) }).click()
    await page.getByRole('menuitem', { name: word(entry) }).click()
  }
  receiver.answer({ status: 503, body: 'come back later' })
  await menu('webhooks.sendTest')
  const [first] = await receiver.got('/hook', 2)
  expect(new Webhook(secret).verify(first!.text, first!.headers)).toMatchObject({ type: 'webhook.test' })

  // Every try is there, and a press sends it once more.
  await card.getByRole('button', { name: word('webhooks.sentTitle', { name: receiver.host }) }).click()
  const sent = page.getByRole('dialog', { name: word('webhooks.sentTitle', { name: receiver.host }) })
  await sent.getByText(word('webhooks.delivered')).waitFor()
  await sent.getByText(word('webhooks.tries', { count: 2 })).click()
  await sent.getByText(word('webhooks.answer', { text: 'come back later' })).waitFor()
  await sent.getByRole('button', { name: word('webhooks.resend') }).click()
  await receiver.got('/hook', 3)
  await sent.getByText(word('webhooks.tries', { count: 3 })).waitFor()
  await page.keyboard.press('Escape')

  await menu('webhooks.turnOff')
  await card.getByText(word('webhooks.off'), { exact: true }).waitFor()
  await menu('webhooks.remove')
  const asking = page.getByRole('dialog', { name: word('webhooks.removeTitle') })
  await asking.getByRole('button', { name: word('webhooks.remove') }).click()
  await section.getByText(word('webhooks.empty')).waitFor()
  expect(await page.content()).not.toContain(secret)
  expect((await app.call('GET', '/api/webhooks', undefined, admin)).body.items).toEqual([])
})
