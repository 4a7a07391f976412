/** What was written is never lost by a press, and what is pasted or dropped goes where it was meant. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { png } from '../support/pictures.ts'
import { cardOf, generate, isDrawn, takesFiles } from './studio.ts'

const visit = openBrowser()

interface Given {
  files?: { name: string; type: string; data: string }[]
  texts?: Record<string, string>
}

/** What the browser does when somebody pastes or drops; answers whether the page took it. */
function give(page: Page, kind: 'paste' | 'drop', selector: string, given: Given) {
  return page
    .locator(selector)
    .first()
    .evaluate(
      (element, { kind, given }) => {
        const data = new DataTransfer()
        for (const { name, type, data: text } of given.files ?? []) {
          const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0))
          data.items.add(new File([bytes], name, { type }))
        }
        for (const [type, text] of Object.entries(given.texts ?? {})) data.setData(type, text)
        const options = { bubbles: true, cancelable: true }
        const event =
          kind === 'paste'
            ? new ClipboardEvent('paste', { ...options, clipboardData: data })
            : new DragEvent('drop', { ...options, dataTransfer: data })
        element.dispatchEvent(event)
        return event.defaultPrevented
      },
      { kind, given },
    )
}

async function image(name = 'photo.png') {
  return { name, type: 'image/png', data: (await png(512, 512)).toString('base64') }
}

test('settings taken over leave a way back to what was written', async () => {
  const app = await startStudio()
  await app.generate({ prompt: '一座灯塔' })
  const { page, word } = await visit(app.url)
  const prompt = page.getByRole('textbox', { name: word('generate.prompt') })
  const undo = page.getByRole('button', { name: word('shell.undo') })
  const again = cardOf(page, '一座灯塔').getByRole('button', { name: word('live.again') })
  await prompt.fill('半小时写成的提示词，细节很多')

  await again.click()
  await expect.poll(() => prompt.inputValue()).toBe('一座灯塔')
  await undo.click()
  await expect.poll(() => prompt.inputValue()).toBe('半小时写成的提示词，细节很多')

  // With the keyboard as well, and from the picture.
  await again.click()
  await expect.poll(() => prompt.inputValue()).toBe('一座灯塔')
  await page.keyboard.press('Control+z')
  await expect.poll(() => prompt.inputValue()).toBe('半小时写成的提示词，细节很多')
  await cardOf(page, '一座灯塔').getByRole('link').first().click()
  await page.getByRole('heading', { level: 1, name: '一座灯塔' }).waitFor()
  await page.keyboard.press('r')
  await expect.poll(() => prompt.inputValue()).toBe('一座灯塔')
  await undo.last().click()
  await expect.poll(() => prompt.inputValue()).toBe('半小时写成的提示词，细节很多')
})

test('an idea, an emptied form and a long deletion can be taken back, and an empty box brings earlier drafts', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url)
  const prompt = page.getByRole('textbox', { name: word('generate.prompt') })
  await prompt.fill('第一稿：雨夜茶馆')
  await page.getByRole('button', { name: word('live.idea1') }).click()
  await expect.poll(() => prompt.inputValue()).toBe(word('live.idea1'))
  await page.getByRole('button', { name: word('generate.startOver') }).click()
  await expect.poll(() => prompt.inputValue()).toBe('')
  await prompt.fill('第二稿：一个很长的提示词，写了很久，有山有水有人家')
  await prompt.selectText()
  await page.keyboard.press('Delete')
  await page.reload()
  await prompt.focus()

  const seen: string[] = []
  for (const key of ['ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowDown']) {
    await page.keyboard.press(key)
    seen.push(await prompt.inputValue())
  }

  expect(seen).toEqual([
    '第二稿：一个很长的提示词，写了很久，有山有水有人家',
    word('live.idea1'),
    '第一稿：雨夜茶馆',
    '第一稿：雨夜茶馆',
    word('live.idea1'),
  ])
  // In a text that somebody is writing, the arrows are arrows.
  await page.keyboard.type('!')
  await page.keyboard.press('ArrowUp')
  expect(await prompt.inputValue()).toBe(`${word('live.idea1')}!`)
})

test('two tabs write two drafts, and neither loses its own', async () => {
  const app = await startStudio()
  const { page, context, word } = await visit(app.url)
  const other = await context.newPage()
  await other.goto(app.url)
  const fieldOf = (tab: Page) => tab.getByRole('textbox', { name: word('generate.prompt') })

  await fieldOf(page).fill('这一页的稿子')
  await fieldOf(other).fill('另一页的稿子')
  await page.reload()

  await expect.poll(() => fieldOf(page).inputValue()).toBe('这一页的稿子')
  await page.close()
  await fieldOf(other).fill('')
  await fieldOf(other).press('ArrowUp')
  expect(await fieldOf(other).inputValue()).toBe('这一页的稿子')
})

test('copied cells are text; a picture without text, or with its own name as text, is a reference', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url)
  const references = page.getByRole('list', { name: word('generate.references') }).getByRole('listitem')
  await page.getByRole('textbox', { name: word('generate.prompt') }).waitFor()
  const uploads: string[] = []
  page.on('request', request => request.method() === 'POST' && uploads.push(request.url()))
  const cells = { 'text/plain': '一月\t二月\n', 'text/html': '<table><tr><td>一月</td></tr></table>' }

  const wasTaken = await give(page, 'paste', 'textarea', { files: [await image('image.png')], texts: cells })
  expect([wasTaken, uploads]).toEqual([false, []])
  expect(await give(page, 'paste', 'textarea', { files: [await image()] })).toBe(true)
  await expect.poll(() => references.count()).toBe(1)
  const named = { 'text/plain': '/home/me/photo.png' }
  expect(await give(page, 'paste', 'body', { files: [await image()], texts: named })).toBe(true)
  await expect.poll(() => references.count()).toBe(2)

  // Another field is no place for references.
  const count = page.getByRole('spinbutton', { name: word('parameters.seed') })
  await count.waitFor()
  expect(await give(page, 'paste', 'input[type=number]', { files: [await image()] })).toBe(false)
  expect(await references.count()).toBe(2)
})

test('a photo dropped anywhere is a reference at once, and a recipe inside fills the form', async () => {
  const app = await startStudio()
  const made = await app.generate({ prompt: '雨夜茶馆' })
  const answer = await fetch(`${app.url}/images/${made.images[0]!.id}?recipe`)
  const withRecipe = {
    ...{ name: 'tea.jpg', type: answer.headers.get('content-type')! },
    data: Buffer.from(await answer.arrayBuffer()).toString('base64'),
  }
  const { page, word } = await visit(app.url)
  const prompt = page.getByRole('textbox', { name: word('generate.prompt') })
  const references = page.getByRole('list', { name: word('generate.references') }).getByRole('listitem')
  await cardOf(page, '雨夜茶馆').waitFor()
  await takesFiles(page)
  await prompt.fill('我的提示词')

  await give(page, 'drop', 'article', { files: [await image('a.png'), await image('b.png')] })
  await expect.poll(() => references.count()).toBe(2)
  await isDrawn(references.first().getByRole('img'))
  expect(await prompt.inputValue()).toBe('我的提示词')

  await give(page, 'drop', 'article', { files: [withRecipe] })
  await expect.poll(() => prompt.inputValue()).toBe('雨夜茶馆')
  await page.getByRole('button', { name: word('shell.undo') }).click()
  await expect.poll(() => prompt.inputValue()).toBe('我的提示词')
  expect(await references.count()).toBe(2)

  // While something is dragged, there are two places: the large one takes it as it is.
  await page.locator('main').evaluate(element => {
    const data = new DataTransfer()
    data.items.add(new File(['x'], 'x.png', { type: 'image/png' }))
    element.dispatchEvent(new DragEvent('dragenter', { bubbles: true, dataTransfer: data }))
  })
  const large = await page.locator('[data-drop=reference]').boundingBox()
  const small = await page.locator('[data-drop=recipe]').boundingBox()
  expect(large!.width * large!.height).toBeGreaterThan(4 * small!.width * small!.height)
  await give(page, 'drop', '[data-drop=reference]', { files: [withRecipe] })
  await expect.poll(() => references.count()).toBe(3)
  await isDrawn(references.last().getByRole('img'))
  expect(await prompt.inputValue()).toBe('我的提示词')
  await page.locator('[data-drop]').first().waitFor({ state: 'detached' })
})

test('a picture dropped on another screen becomes a reference there as well', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url, { path: '/usage' })
  await page.getByRole('heading', { level: 1, name: word('shell.usage') }).waitFor()
  await takesFiles(page)

  await give(page, 'drop', 'main', { files: [await image()] })

  const references = page.getByRole('list', { name: word('generate.references') }).getByRole('listitem')
  await isDrawn(references.first().getByRole('img'))
})

test('an empty prompt sends nothing, whatever is pressed', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url)
  const sent: string[] = []
  page.on('request', request => request.method() === 'POST' && sent.push(request.url()))
  const prompt = page.getByRole('textbox', { name: word('generate.prompt') })
  for (const text of ['', '   \n ']) {
    await prompt.fill(text)
    await prompt.press('Control+Enter')
    await page.getByText(word('violations.prompt_missing')).waitFor()
  }

  expect(sent).toEqual([])
})

test('servers below different paths of one address keep their drafts, their language and their theme apart', async () => {
  const app = await startStudio()
  const { page, context, word } = await visit(app.url, { expected: [/404/] })
  const fieldOf = (tab: Page) => tab.getByRole('textbox', { name: word('generate.prompt') })
  await fieldOf(page).fill('根路径的稿子')
  const other = await context.newPage()
  // The same page as another server below a path would send it.
  await other.route(/\/other\/(?!api\/events)/, async (route, request) => {
    const response = await route.fetch({ url: request.url().replace('/other/', '/') })
    if (!response.headers()['content-type']?.startsWith('text/html')) return route.fulfill({ response })
    const body = (await response.text()).replace('<base href="/"', '<base href="/other/"')
    return route.fulfill({ response, body })
  })
  await other.goto(`${app.url}/other/`)

  await fieldOf(other).waitFor()
  expect(await fieldOf(other).inputValue()).toBe('')
  await fieldOf(other).fill('另一台服务器的稿子')
  const third = await context.newPage()
  await third.goto(app.url)
  await expect.poll(() => fieldOf(third).inputValue()).toBe('根路径的稿子')
  await other.unrouteAll({ behavior: 'ignoreErrors' })
})

test('what was sent is an earlier draft as well', async () => {
  const app = await startStudio()
  const { page, word } = await visit(app.url)
  await generate(page, '雪夜归人')
  await isDrawn(cardOf(page, '雪夜归人').getByRole('img'))
  const prompt = page.getByRole('textbox', { name: word('generate.prompt') })

  await prompt.fill('')
  await prompt.press('ArrowUp')

  expect(await prompt.inputValue()).toBe('雪夜归人')
})
