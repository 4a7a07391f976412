/** A selection that is too large for the page is posted as a form, which a browser sends in its own way. */
import { expect, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'

const visit = openBrowser()
const token = 'correct-horse-battery'

test('the form of a large archive counts as one of the own page', async () => {
  const app = await startStudio({ environment: { ACCESS_TOKEN: token } })
  const image = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }
  const made = await app.generate(image, { authorization: `Bearer ${token}` })
  const { page } = await visit(app.url, { path: `/login?token=${token}` })

  const download = page.waitForEvent('download')
  await page.evaluate(id => {
    const form = document.createElement('form')
    form.method = 'post'
    form.action = 'api/images/archive'
    const field = document.createElement('input')
    field.name = 'ids'
    field.value = id
    form.append(field)
    document.body.append(form)
    form.submit()
  }, made.images[0]?.id ?? '')

  expect((await download).suggestedFilename()).toMatch(/^webimgui-.*\.zip$/)
})
