/** Pictures that come in by hand: pasted, dropped, taken over, or with a recipe inside. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { png } from '../support/pictures.ts'
import { cardOf, generate, isDrawn, takesFiles } from './studio.ts'

const visit = openBrowser()

interface GivenFile {
  name: string
  type: string
  /** As base64. */
  data: string
}

/** What the browser does when somebody pastes or drops a file there. */
async function give(page: Page, kind: 'paste' | 'drop', selector: string, file: GivenFile) {
  await page
    .locator(selector)
    .first()
    .evaluate(
      (element, { kind, file }) => {
        const bytes = Uint8Array.from(atob(file.data), character => character.charCodeAt(0))
        const data = new DataTransfer()
        data.items.add(new File([bytes], file.name, { type: file.type }))
        const options = { bubbles: true, cancelable: true }
        if (kind === 'paste') element.dispatchEvent(new ClipboardEvent('paste', { ...options, clipboardData: data }))
        else
          for (const type of ['dragenter', 'dragover', 'drop'])
            element.dispatchEvent(new DragEvent(type, { ...options, dataTransfer: data }))
      },
      { kind, file },
    )
}

test('a pasted picture is a reference, and is sent with the prompt', async () => {
  const app = await startStudio({ environment: { QWEN_API_KEY: undefined } })
  const { page, word } = await visit(app.url)
  const file = { name: 'cat.png', type: 'image/png', data: (await png(512, 512)).toString('base64') }

  await give(page, 'paste', 'textarea', file)
  const references = page.getByRole('list', { name: word('generate.references') })
  await isDrawn(references.getByRole('img', { name: word('generate.reference', { number: 1 }) }))
  await page.reload()
  await isDrawn(references.getByRole('img'))
  await generate(page, '把图1变成水墨画')

  await expect.poll(() => cardOf(page, '把图1变成水墨画').getAttribute('data-status')).toBe('succeeded')
  const sent = app.doubao.requests.find(({ path }) => path.endsWith('/images/generations'))
  expect(JSON.stringify(sent?.body)).toContain('data:image/')
})

test('what is no picture is refused in words', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url, { language: 'en' })
  const file = { name: 'notes.txt', type: 'text/plain', data: Buffer.from('hello').toString('base64') }

  await page.getByRole('textbox', { name: word('generate.prompt') }).waitFor()
  await give(page, 'drop', 'textarea', file)

  await page.getByText(word('generate.notAPicture', { name: 'notes.txt' })).waitFor()
})

test('a picture that was downloaded with its recipe brings it back into the form, on any screen', async () => {
  const app = await startStudio()
  const made = await app.generate({
    prompt: '雨夜茶馆，暖黄灯光',
    model: 'doubao-seedream-4-0-20260415',
    parameters: { size: '2560x1440', n: 1 },
  })
  const answer = await fetch(`${app.url}/images/${made.images[0]!.id}?recipe`)
  const data = Buffer.from(await answer.arrayBuffer()).toString('base64')
  await app.call('DELETE', `/api/history/${made.id}`)
  const { page, word } = await visit(app.url, { path: '/status' })
  await page.getByRole('heading', { level: 1, name: word('shell.status') }).waitFor()
  await takesFiles(page)

  await give(page, 'drop', 'main', { name: 'tea.jpg', type: answer.headers.get('content-type')!, data })

  await page.getByText(word('generate.taken')).waitFor()
  const prompt = page.getByRole('textbox', { name: word('generate.prompt') })
  await expect.poll(() => prompt.inputValue()).toBe('雨夜茶馆，暖黄灯光')
  await page.getByText('2560 × 1440').waitFor()
})

test('"edit this" takes a picture along as reference', async () => {
  const app = await startStudio()
  const made = await app.generate({ prompt: 'a lighthouse', model: 'doubao-seedream-4-0-20260415' })
  const { page, word } = await visit(app.url, { path: `/picture/${made.id}`, language: 'en' })

  await page.getByRole('link', { name: word('picture.edit') }).click()

  const references = page.getByRole('list', { name: word('generate.references') })
  await isDrawn(references.getByRole('img'))
})
