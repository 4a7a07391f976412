/** Finding, marking and looking at what was made. */
import { expect, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'

const visit = openBrowser()
const model = 'doubao-seedream-4-0-20260415'

test('the keyboard alone selects, marks and tags, and the tag is a filter', async () => {
  const app = await startStudio()
  const boat = await app.generate({ prompt: 'a paper boat', model })
  await app.generate({ prompt: 'a lighthouse', model })
  const { page, word } = await visit(app.url, { path: '/gallery', language: 'en' })
  const { keyboard } = page
  const tile = (prompt: string) => page.getByRole('gridcell', { name: prompt })

  await tile('a lighthouse').focus()
  await keyboard.press('ArrowRight')
  await keyboard.press('Space')
  await page
    .getByRole('toolbar')
    .getByText(word('gallery.selected', { count: 1 }))
    .waitFor()
  await keyboard.press('f')
  await keyboard.press('l')
  const dialog = page.getByRole('dialog', { name: word('gallery.tags') })
  await dialog.getByRole('textbox', { name: word('gallery.addTag') }).fill('harbour')
  await keyboard.press('Enter')
  await dialog.getByRole('button', { name: word('gallery.removeTag', { tag: 'harbour' }) }).waitFor()
  await keyboard.press('Escape')
  await expect
    .poll(async () => (await app.call('GET', `/api/history/${boat.id}`)).body)
    .toMatchObject({ favorite: true, tags: ['harbour'] })

  await page.getByRole('button', { name: word('gallery.filters') }).click()
  await page.getByRole('combobox', { name: word('gallery.tag') }).click()
  await page.getByRole('option', { name: 'harbour' }).click()
  await tile('a lighthouse').waitFor({ state: 'detached' })
  await tile('a paper boat').waitFor()
  expect(new URL(page.url()).searchParams.get('tag')).toBe('harbour')
})

test('a frame drawn with the mouse and a click with Shift select what lies between', async () => {
  const app = await startStudio()
  for (const prompt of ['one', 'two', 'three']) await app.generate({ prompt, model })
  const { page, word } = await visit(app.url, { path: '/gallery', language: 'en' })
  const tile = (prompt: string) => page.getByRole('gridcell', { name: prompt })
  const selected = (count: number) => page.getByRole('toolbar').getByText(word('gallery.selected', { count })).waitFor()

  await tile('three').click({ modifiers: ['Control'] })
  await tile('one').click({ modifiers: ['Shift'] })
  await selected(3)
  await page.keyboard.press('Escape')
  const [from, to] = [await tile('three').boundingBox(), await tile('two').boundingBox()]
  if (!from || !to) throw new Error('a picture is not in sight')
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2)
  await page.mouse.down()
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 4 })
  await page.mouse.up()
  await selected(2)

  expect(new URL(page.url()).pathname).toBe('/gallery')
})

test('a picture tells how the service calls its request, and warnings in the language of the page', async () => {
  const app = await startStudio()
  const made = await app.generate({ prompt: '灯塔 [[partial]]', model, parameters: { n: 3 } })
  const { page, word } = await visit(app.url, { path: `/picture/${made.id}` })
  const details = page.getByRole('complementary')

  const [requestId] = made.provider_request_ids
  await details.getByText(requestId!, { exact: true }).waitFor()
  await details.getByText(word('warnings.series_number', { model: 'Seedream 4.0 (2026-04)', images: 3 })).waitFor()
  // What has no seed has none to change.
  expect(await page.getByRole('link', { name: word('picture.varySeed') }).count()).toBe(0)
})

test('limits of a size of one’s own stand beside its fields before anything is sent', async () => {
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined } })
  const { page, word } = await visit(app.url, { language: 'en' })

  await page.getByText(word('generate.shapeCustom'), { exact: true }).click()
  const width = page.getByRole('textbox', { name: word('generate.width') })
  await width.fill('90000')

  await expect.poll(() => width.getAttribute('aria-invalid')).toBe('true')
  const hint = page.locator(`[id="${await width.getAttribute('aria-describedby')}"]`)
  expect(await hint.innerText()).toMatch(/ to [\d,:]+/)
  await page.getByRole('textbox', { name: word('generate.prompt') }).fill('a lighthouse')
  await page.getByRole('button', { name: new RegExp(`^${word('generate.press')}`) }).click()
  await page.getByRole('textbox', { name: word('generate.prompt') }).waitFor()
  expect((await app.call('GET', '/api/history')).body.items).toEqual([])
})

test('the arrows reach the pictures from the first press, from the search, and where somebody was', async () => {
  const app = await startStudio()
  for (const prompt of ['one', 'two', 'three']) await app.generate({ prompt, model: 'qwen-image-2.0' })
  const { page, word } = await visit(app.url, { path: '/gallery', language: 'en' })
  const tile = (name: string) => page.getByRole('gridcell', { name })
  const focused = () => page.evaluate(() => document.activeElement?.querySelector('img')?.getAttribute('alt'))
  await tile('three').waitFor()

  await page.keyboard.press('ArrowRight')
  expect(await focused()).toBe('three')
  await page.keyboard.press('ArrowRight')
  expect(await focused()).toBe('two')

  // Into the search and back, and back from a button as well.
  await page.keyboard.press('/')
  await page.keyboard.type('o')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await expect.poll(focused).toBe('two')
  await page.getByRole('button', { name: word('gallery.onlyFavorites') }).focus()
  await page.keyboard.press('ArrowDown')
  expect(await focused()).toBe('two')

  // One walks on in the picture, and the gallery goes on from there.
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'two' }).waitFor({ state: 'attached' })
  await page.keyboard.press('ArrowRight')
  await page.getByRole('heading', { level: 1, name: 'one' }).waitFor({ state: 'attached' })
  await page
    .getByRole('link', { name: word('shell.gallery'), exact: true })
    .or(page.getByRole('link', { name: word('picture.back') }))
    .first()
    .click()
  await tile('one').waitFor()
  await page.keyboard.press('ArrowLeft')
  expect(await focused()).toBe('one')
})

test('in the list the arrows move from line to line, and space selects', async () => {
  const app = await startStudio()
  for (const prompt of ['one', 'two', 'three']) await app.generate({ prompt, model })
  const { page, word } = await visit(app.url, { path: '/gallery?view=list', language: 'en' })
  const line = (prompt: string) => page.getByRole('link', { name: prompt, exact: true })
  const isFocused = (prompt: string) =>
    expect.poll(() => line(prompt).evaluate(link => link === document.activeElement)).toBe(true)
  await line('one').waitFor()

  await page.getByRole('textbox', { name: word('gallery.search') }).press('ArrowDown')
  await isFocused('three')
  await page.keyboard.press('ArrowDown')
  await isFocused('two')
  await page.keyboard.press('Space')
  await page
    .getByRole('toolbar')
    .getByText(word('gallery.selected', { count: 1 }))
    .waitFor()
  await page.keyboard.press('Escape')

  // A row is marked by keys and by its buttons, and turned round by the head of its column.
  const row = (name: string) => page.getByRole('row').filter({ has: line(name) })
  await page.keyboard.press('4')
  await row('two')
    .getByRole('img', { name: word('look.stars', { count: 4 }) })
    .waitFor()
  await row('three').hover()
  await row('three')
    .getByRole('button', { name: word('gallery.favorite') })
    .click()
  await row('three')
    .getByRole('img', { name: word('gallery.favorite') })
    .waitFor()
  await row('three')
    .getByRole('button', { name: word('shell.delete') })
    .click()
  await line('three').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: word('shell.undo') }).click()
  await line('three').waitFor()
  expect((await row('three').boundingBox())!.height).toBeLessThanOrEqual(64)
  await page.getByRole('button', { name: word('gallery.stars') }).click()
  await expect.poll(() => page.getByRole('row').nth(1).textContent()).toContain('two')
  await page.getByRole('button', { name: word('gallery.time') }).click()
  await page.getByRole('button', { name: word('gallery.time') }).click()
  await expect
    .poll(() => page.getByRole('columnheader', { name: word('gallery.time') }).getAttribute('aria-sort'))
    .toBe('ascending')
  await expect.poll(() => page.getByRole('row').nth(1).textContent()).toContain('one')
  await row('one').getByRole('link', { name: 'one', exact: true }).press('Enter')

  await page.getByRole('heading', { level: 1, name: 'one' }).waitFor({ state: 'attached' })
})
