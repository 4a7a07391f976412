/** What the tests of several screens do alike. */
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import * as en from '../../src/studio/text/en.ts'
import * as zh from '../../src/studio/text/zh.ts'

/** The card of a generation in the page of creating. */
export function cardOf(page: Page, prompt: string) {
  return page.getByRole('article', { name: prompt, exact: true })
}

/** Writes and presses, in either language; `button` is the beginning of its name where it is another. */
export async function generate(page: Page, prompt: string, button = `(${zh.generate.press}|${en.generate.press})`) {
  await page.getByRole('textbox', { name: new RegExp(`^(${zh.generate.prompt}|${en.generate.prompt})$`) }).fill(prompt)
  await page.getByRole('button', { name: new RegExp(`^${button}`) }).click()
}

/** A picture whose pixels are there, not only its place. */
export async function isDrawn(image: Locator) {
  await image.waitFor()
  await image.scrollIntoViewIfNeeded()
  await expect.poll(() => image.evaluate(element => (element as HTMLImageElement).naturalWidth)).toBeGreaterThan(0)
}

/** What takes dropped files comes after the rest of the page. */
export async function takesFiles(page: Page) {
  await expect
    .poll(() =>
      page.evaluate(() => {
        const data = new DataTransfer()
        data.items.add(new File(['x'], 'x.png', { type: 'image/png' }))
        const event = new DragEvent('dragover', { bubbles: true, cancelable: true, dataTransfer: data })
        document.body.dispatchEvent(event)
        return event.defaultPrevented
      }),
    )
    .toBe(true)
}

/** By its name, in English. */
export async function chooseModel(page: Page, name: string) {
  await page.getByRole('button', { name: new RegExp(`^${en.gallery.model}`) }).click()
  const dialog = page.getByRole('dialog', { name: en.generate.chooseModels })
  await dialog.getByRole('searchbox').fill(name)
  await dialog
    .getByRole('button', { name: new RegExp(`^${name.replace(/[.()]/g, '\\$&')} `) })
    .first()
    .click()
  await dialog.waitFor({ state: 'detached' })
}

/** As if another tab stood before it, or no longer. */
export function show(page: Page, state: 'hidden' | 'visible') {
  return page.evaluate(state => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
}
