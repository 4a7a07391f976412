/** The studio as an app of the device: under a path of its own, with a login, with and without its server. */
import { expect, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { png } from '../support/pictures.ts'
import { freePort } from '../support/ports.ts'
import { isDrawn } from './studio.ts'

const visit = openBrowser()

test('it can be installed, takes a shared photo also through a login, and opens without its server', async () => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/images-app/`
  const token = 'correct-horse-battery'
  const app = await startStudio({ environment: { PORT: String(port), PUBLIC_URL: url, ACCESS_TOKEN: token } })
  const expected = [/net::ERR_/, /Failed to load resource/]
  const { page, context, word } = await visit(url, { path: 'login', language: 'en', expected })
  const logIn = async () => {
    await page.locator('input[type=password]').fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('textbox', { name: word('generate.prompt') }).waitFor()
  }
  await logIn()
  const devtools = await context.newCDPSession(page)
  const { url: manifestUrl, errors, data } = await devtools.send('Page.getAppManifest')
  expect([manifestUrl, errors]).toEqual([`${url}manifest.webmanifest`, []])
  for (const { src } of JSON.parse(data ?? '').icons) expect((await fetch(new URL(src, manifestUrl))).status).toBe(200)
  const registrations = () =>
    page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope))
  expect(await registrations()).toEqual([])

  // As the browser says it when somebody has installed it.
  await page.evaluate(() => dispatchEvent(new Event('appinstalled')))
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state)).toBe('activated')
  expect(await registrations()).toEqual([url])

  // A phone sends what is shared as a form, and the session may be over.
  await context.clearCookies()
  const photo = (await png(512, 512)).toString('base64')
  await page.evaluate(photo => {
    const bytes = Uint8Array.from(atob(photo), character => character.charCodeAt(0))
    const transfer = new DataTransfer()
    transfer.items.add(new File([bytes], '猫.png', { type: 'image/png' }))
    const form = document.createElement('form')
    Object.assign(form, { method: 'post', action: './share', enctype: 'multipart/form-data' })
    const field = Object.assign(document.createElement('input'), { type: 'file', name: 'pictures' })
    field.files = transfer.files
    form.append(field)
    document.body.append(form)
    form.submit()
  }, photo)
  await page.waitForURL(`${url}login`)
  await logIn()
  const references = page.getByRole('list', { name: word('generate.references') })
  await isDrawn(references.getByRole('img'))
  await page.reload()
  await expect.poll(() => references.getByRole('img').count()).toBe(1)

  await app.restart(async () => {
    await page.reload()
    await page.getByText(word('shell.offline')).waitFor()
    await page.getByRole('link', { name: word('shell.gallery') }).click()
    await page.waitForURL(`${url}gallery`)
  })
  await page.getByText(word('shell.offline')).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: word('shell.create') }).click()
  await isDrawn(references.getByRole('img'))
  // Nothing of the server but the page and its own files.
  const stored = await page.evaluate(async () => {
    const keys = await Promise.all((await caches.keys()).map(async name => (await caches.open(name)).keys()))
    return keys.flat().map(request => request.url)
  })
  expect(stored.filter(address => !address.startsWith(`${url}assets/`))).toEqual([url])
})
