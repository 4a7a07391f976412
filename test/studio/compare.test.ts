/** Comparing pictures, and choosing one of them. */
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { isDrawn } from './studio.ts'

const visit = openBrowser()
const model = 'doubao-seedream-4-0-20260415'

test('two pictures of the gallery are compared at an address of their own, and one of them is chosen', async () => {
  const app = await startStudio()
  const boat = await app.generate({ prompt: 'a red paper boat', model })
  const other = await app.generate({ prompt: 'a blue paper boat', model: 'qwen-image-2.0' })
  const { page, word } = await visit(app.url, {
    ...{ path: '/gallery', language: 'en' },
    expected: [/status of 404/],
  })
  const { keyboard } = page
  const stored = async (id: string) => (await app.call('GET', `/api/history/${id}`)).body
  const scales = () =>
    page
      .locator('[data-pane] > div')
      .evaluateAll(elements => elements.map(element => new DOMMatrix(getComputedStyle(element).transform).a))

  // From a selection, by keyboard alone.
  await page.getByRole('gridcell', { name: 'a blue paper boat' }).focus()
  await keyboard.press('Space')
  await keyboard.press('ArrowRight')
  await keyboard.press('Space')
  await page
    .getByRole('toolbar')
    .getByRole('link', { name: word('look.compare') })
    .click()
  await page.getByRole('heading', { level: 1, name: word('look.compareTitle', { count: 2 }) }).waitFor()
  const address = page.url()
  for (const alt of [/^A: a blue/, /^B: a red/]) await isDrawn(page.getByRole('img', { name: alt }))
  const table = page.getByRole('table')
  await table.locator('del', { hasText: 'blue' }).waitFor()
  await table.getByRole('rowheader', { name: word('gallery.model') }).waitFor()

  // Both zoom together, by key and by wheel.
  await keyboard.press('+')
  await expect.poll(scales).toEqual([1.4, 1.4])
  const pane = (await page.locator('[data-pane]').first().boundingBox())!
  await page.mouse.move(pane.x + 20, pane.y + 20)
  await page.mouse.wheel(0, -300)
  await expect.poll(async () => new Set(await scales()).size === 1 && (await scales())[0]! > 1.8).toBe(true)

  // One key flips, and the edge is moved by keys.
  await keyboard.press('Space')
  await page.getByRole('img', { name: /^B: / }).waitFor()
  expect(await page.getByRole('img', { name: /^A: / }).count()).toBe(0)
  await keyboard.press('s')
  const edge = page.getByRole('slider', { name: word('look.edge') })
  await edge.press('End')
  expect(await edge.getAttribute('aria-valuenow')).toBe('100')

  // The chosen one is a favourite, the other rejected; undone by a key, done again by another.
  await keyboard.press('v')
  await keyboard.press('b')
  await keyboard.press('Enter')
  const marks = async () => {
    const [won, lost] = [await stored(boat.id), await stored(other.id)]
    return [won.favorite, won.images[0].rejected, lost.favorite, lost.images[0].rejected]
  }
  await expect.poll(marks).toEqual([true, false, false, true])
  await keyboard.press('u')
  await expect.poll(marks).toEqual([false, false, false, false])
  await keyboard.press('4')
  await expect.poll(async () => (await stored(boat.id)).images[0].stars).toBe(4)

  // The address alone shows the same; back leads to where one came from.
  await page.reload()
  await isDrawn(page.getByRole('img', { name: /^B: a red/ }))
  expect(page.url()).toBe(address)
  await keyboard.press('Escape')
  await page.getByRole('gridcell').first().waitFor()
  await page.goto(`${app.url}/compare?ids=nothing.0,${boat.id}.0`)
  await page.getByRole('heading', { name: word('look.nothingToCompare') }).waitFor()
}, 60_000)

test('a reference stands beside its result, and zooming pictures of 4096 pixels keeps the pace of an empty page', async () => {
  const app = await startStudio()
  const background = { r: 90, g: 140, b: 120 }
  const large = await sharp({ create: { width: 4096, height: 4096, channels: 3, background } })
    .jpeg()
    .toBuffer()
  const made = await app.generate({
    prompt: 'the same at night',
    model,
    parameters: { size: '4096x4096' },
    images: [`data:image/jpeg;base64,${large.toString('base64')}`],
  })
  const { page, context, word } = await visit(app.url, { path: `/picture/${made.id}`, language: 'en' })
  const devtools = await context.newCDPSession(page)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 })

  await page.getByRole('link', { name: word('look.compareReference') }).click()
  for (const alt of [/^A: /, /^B: /]) await isDrawn(page.getByRole('img', { name: alt }))
  await page.getByText(word('picture.referenceNumber', { number: 1 })).waitFor()
  const [zooming, layouts] = await framesOf(page)
  await page.goto(`${app.url}/health`)
  const [empty] = await framesOf(page)

  expect(layouts).toBe(0)
  // The middle one of sixty frames: where the machine is busy, both are slow.
  expect(zooming! / empty!).toBeLessThan(3)
}, 120_000)

/** Milliseconds of the middle one of sixty frames with a turn of the wheel in each, and how often the page was laid out anew. */
function framesOf(page: Page): Promise<[number, number]> {
  return page.evaluate(async () => {
    const pane = document.querySelector('[data-pane] img') ?? document.body
    const box = pane.getBoundingClientRect()
    const nextFrame = () => new Promise<number>(resolve => requestAnimationFrame(resolve))
    let shifts = 0
    const observer = new PerformanceObserver(list => (shifts += list.getEntries().length))
    observer.observe({ type: 'layout-shift' })
    const times: number[] = []
    let before = await nextFrame()
    for (let count = 0; count < 60; count++) {
      const at = { clientX: box.left + box.width / 3, clientY: box.top + box.height / 3 }
      pane.dispatchEvent(
        new WheelEvent('wheel', { ...at, deltaY: count < 30 ? -60 : 60, bubbles: true, cancelable: true }),
      )
      const now = await nextFrame()
      times.push(now - before)
      before = now
    }
    observer.disconnect()
    return [times.sort((a, b) => a - b)[30]!, shifts]
  })
}
