/** Moving in and out, as people do it. */
import { readFileSync } from 'node:fs'
import { strToU8, unzipSync, zipSync } from 'fflate'
import { expect, test } from 'vitest'
import { pngWith, tEXt } from '../moving/pictures.ts'
import { openBrowser, startStudio } from '../support/browser.ts'

const visit = openBrowser()

test('a ZIP that is uploaded becomes pictures of the gallery, with a report; all of them can be taken out again', async () => {
  const app = await startStudio()
  const archive = zipSync({
    'one.png': await pngWith(1, [tEXt('parameters', 'a lighthouse\nSteps: 5, Seed: 7')]),
    'no.png': strToU8('no picture'),
  })
  const { page, word } = await visit(`${app.url}/moving`)
  await page.getByRole('heading', { name: word('moving.none') }).waitFor()

  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'peer.zip', mimeType: 'application/zip', buffer: Buffer.from(archive) })
  const card = page
    .getByRole('list', { name: word('moving.imports') })
    .getByRole('listitem')
    .first()
  await card.getByText(word('moving.done')).waitFor()

  expect(await card.innerText()).toContain('peer.zip')
  expect(await card.innerText()).toContain(word('moving.reason_not_a_picture'))
  const [report] = await Promise.all([
    page.waitForEvent('download'),
    card.getByRole('link', { name: word('moving.report'), exact: true }).click(),
  ])
  expect(readFileSync(await report.path(), 'utf8')).toMatch(/^left_out\tno\.png\tnot_a_picture/m)
  const [exported] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: word('moving.exportAll') }).click(),
  ])
  const files = unzipSync(new Uint8Array(readFileSync(await exported.path())))
  expect(Object.keys(files).filter(name => name.endsWith('.png'))).toHaveLength(1)
  await page
    .getByRole('link', { name: word('shell.gallery') })
    .first()
    .click()
  await page.getByRole('gridcell').first().waitFor()
  // The program that made it is one of the services that can be chosen.
  await page.getByRole('button', { name: word('gallery.filters') }).click()
  await page.getByRole('combobox', { name: word('gallery.provider') }).click()
  await page.getByRole('option', { name: 'AUTOMATIC1111' }).click()
  await page.waitForURL(/provider=a1111/)
  await page.getByRole('gridcell').first().waitFor()
})
