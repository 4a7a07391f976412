/** What one is told while the tab is in the background. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { cardOf, generate, show } from './studio.ts'

const visit = openBrowser()

declare global {
  interface Window {
    told: string[]
  }
}

test('the title counts what runs, and of three tabs in the background one tells that it has ended', async () => {
  const app = await startStudio({ environment: { DOUBAO_API_KEY: undefined } })
  app.qwen.holdTasks('RUNNING')
  const { page: first, context, word } = await visit(app.url, { language: 'en' })
  await first.close()
  await context.grantPermissions(['notifications'], { origin: new URL(app.url).origin })
  const tabs: Page[] = []
  for (const index of [0, 1, 2]) {
    const tab = await context.newPage()
    // What a browser shows outside of its pages cannot be seen from within.
    await tab.addInitScript(() => {
      window.told = []
      window.Notification = class {
        static permission = 'granted'
        static requestPermission = () => {
          window.told.push('asked')
          return Promise.resolve('granted')
        }
        constructor(title: string, { body }: NotificationOptions = {}) {
          window.told.push([title, body].filter(Boolean).join(' | '))
        }
      } as unknown as typeof Notification
      window.AudioContext = class extends AudioContext {
        constructor() {
          super()
          window.told.push('sound')
        }
      }
    })
    await tab.goto(app.url)
    await tab.getByRole('textbox').first().waitFor()
    if (index > 0) await show(tabs[index - 1]!, 'hidden')
    tabs.push(tab)
  }
  const told = () => Promise.all(tabs.map(tab => tab.evaluate(() => window.told)))
  const [one, , last] = tabs as [Page, Page, Page]

  // Nothing is asked before somebody wants it.
  expect(await told()).toEqual([[], [], []])
  await last.getByRole('button', { name: word('signals.title') }).click()
  await last.getByRole('switch', { name: word('signals.notification') }).click()
  await expect.poll(told).toEqual([[], [], ['asked']])
  await last.getByRole('switch', { name: word('signals.sound') }).click()
  await last.keyboard.press('Escape')
  // The stream is faster than the answer.
  const known = Promise.withResolvers<void>()
  await last.route('**/api/generate', async route => {
    const response = await route.fetch()
    await known.promise
    await route.fulfill({ response })
  })
  await generate(last, 'a paper crane')
  await cardOf(last, 'a paper crane').waitFor()
  known.resolve()
  await expect.poll(() => last.title()).toBe(`(1) ${word('shell.create')} · webimgui`)
  await expect.poll(() => one.title()).toMatch(/^\(1\) /)
  await show(last, 'hidden')
  app.qwen.releaseTasks()

  await expect.poll(() => last.title()).toMatch(/^✓ /)
  await expect.poll(() => one.title()).toMatch(/^✓ /)
  const ready = word('live.announceDone', { prompt: 'a paper crane' })
  await expect.poll(told).toEqual([[], [], ['asked', 'sound', 'sound', ready]])
  await show(last, 'visible')
  await expect.poll(() => last.title()).toBe(`${word('shell.create')} · webimgui`)

  // What others asked for is theirs, and what is seen needs no telling.
  await show(last, 'hidden')
  await app.generate({ prompt: 'of a program' })
  await show(last, 'visible')
  await generate(last, 'a lighthouse')
  await cardOf(last, 'of a program').waitFor()
  await expect.poll(() => cardOf(last, 'a lighthouse').getAttribute('data-status')).toBe('succeeded')
  expect((await told()).flat()).toHaveLength(4)
  expect(await last.title()).toBe(`${word('shell.create')} · webimgui`)
})
