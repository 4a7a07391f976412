/** Going through pictures by keys, and what the gallery makes of it. */
import { expect, test } from 'vitest'
import { openBrowser, phone, startStudio } from '../support/browser.ts'

const visit = openBrowser()
const model = 'doubao-seedream-4-0-20260415'

test('pictures are starred and rejected as fast as the keys come, and the gallery counts, sorts and filters by it', async () => {
  const app = await startStudio()
  const group = await app.generate({ prompt: 'four paper boats', model, parameters: { n: 4 } })
  const single = await app.generate({ prompt: 'a lighthouse', model })
  const { page, word } = await visit(app.url, { path: '/gallery', language: 'en' })
  const { keyboard } = page
  const marks = async (id: string) =>
    (await app.call('GET', `/api/history/${id}`)).body.images.map(
      ({ stars, rejected }: { stars: number; rejected: boolean }) => (rejected ? 'x' : stars),
    )
  await page.getByText(word('gallery.count', { count: 5 }), { exact: true }).waitFor()

  // The first letter focuses the first picture; one in the middle of a row is told apart by its number.
  await keyboard.press('j')
  await keyboard.press('3')
  await expect.poll(() => marks(single.id)).toEqual([3])

  await page.getByRole('link', { name: word('look.cull') }).click()
  await page.getByText('1 / 5').waitFor()
  // All in one turn of the page: nothing is drawn in between.
  const press = (keys: string) =>
    page.evaluate(all => {
      for (const key of all)
        document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
    }, keys.split(' '))
  await press('5 ArrowRight x 4 u u x 2 ArrowLeft f')
  await page.getByText('4 / 5').waitFor()
  await expect.poll(() => marks(single.id)).toEqual([5])
  await expect.poll(() => marks(group.id)).toEqual([0, 'x', 2, 0])
  await expect.poll(async () => (await app.call('GET', `/api/history/${group.id}`)).body.favorite).toBe(true)
  // The address follows when somebody rests on a picture.
  await expect.poll(() => new URL(page.url()).searchParams.get('image')).toBe(group.images[2]!.id)
  await page.reload()
  await page.getByText('4 / 5').waitFor()
  // Enlarged, it is moved about with Shift, and not left.
  await keyboard.press('+')
  await expect.poll(() => page.getByRole('button', { name: word('picture.zoomOut') }).isEnabled()).toBe(true)
  await keyboard.press('Shift+ArrowRight')
  await keyboard.press('ArrowLeft')
  await page.getByText('3 / 5').waitFor()

  await keyboard.press('Escape')
  await page.getByRole('gridcell').first().waitFor()
  await page.goto(`${app.url}/gallery?sort=stars&rejected=false`)
  await page.getByText(word('gallery.found', { count: 4 }), { exact: true }).waitFor()
  expect(await page.getByRole('gridcell').count()).toBe(4)
  expect(await page.getByRole('gridcell').first().getAttribute('aria-label')).toBeNull()
  await page.getByRole('gridcell', { name: 'a lighthouse' }).hover()
  await page
    .getByText(/· Seedream 4\.0/)
    .first()
    .waitFor()
})

test('in the picture no fast press is lost, its neighbours are below it, and its reference is shown while a key is held', async () => {
  const app = await startStudio()
  const [reference] = (await app.generate({ prompt: 'a plain boat', model })).images
  for (let count = 1; count <= 6; count++) await app.generate({ prompt: `boat ${count}`, model })
  const last = await app.generate({ prompt: 'boat 7', model, images: [reference!.id] })
  const { page, word } = await visit(app.url, { path: `/picture/${last.id}`, language: 'en' })
  const strip = page.getByRole('navigation', { name: word('look.filmstrip') })
  await strip.getByRole('button', { name: 'a plain boat' }).waitFor()

  await page.keyboard.down('c')
  await page
    .getByRole('img', { name: word('picture.referenceNumber', { number: 1 }) })
    .first()
    .waitFor()
  await page.keyboard.up('c')
  await page.evaluate(() => {
    for (let count = 0; count < 5; count++) {
      document.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true, cancelable: true }))
    }
  })

  await page.getByRole('heading', { level: 1, name: 'boat 2' }).waitFor({ state: 'attached' })
  expect(await strip.locator('[aria-current]').getAttribute('aria-label')).toBe('boat 2')
})

test('a finger swipes on, and up and down to mark', async () => {
  const app = await startStudio()
  await app.generate({ prompt: 'one', model })
  const two = await app.generate({ prompt: 'two', model })
  const { page, word } = await visit(app.url, { path: '/cull', language: 'en', ...phone })
  const swipe = (across: number, along: number) =>
    page.evaluate(
      ([x, y]) => {
        const stage = document.querySelector('main img')!.closest('.touch-none')!
        stage.setPointerCapture = () => {}
        const at = (type: string, clientX: number, clientY: number) =>
          stage.dispatchEvent(
            new PointerEvent(type, { pointerId: 7, clientX, clientY, bubbles: true, pointerType: 'touch' }),
          )
        at('pointerdown', 200, 300)
        at('pointermove', 200 + x! / 2, 300 + y! / 2)
        at('pointerup', 200 + x!, 300 + y!)
      },
      [across, along],
    )
  await page.getByText('1 / 2').waitFor()

  await swipe(0, 150)
  await page.getByText('2 / 2').waitFor()
  await swipe(150, 0)
  await page.getByText('1 / 2').waitFor()
  await page.getByText(word('look.rejected'), { exact: true }).first().waitFor()

  await expect.poll(async () => (await app.call('GET', `/api/history/${two.id}`)).body.images[0].rejected).toBe(true)
})
