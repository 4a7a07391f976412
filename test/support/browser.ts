/** A real browser that looks at a real server, and takes note of whatever a page must not do. */
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type CDPSession,
  chromium,
  type Page,
} from 'playwright-core'
import { beforeAll, expect, inject, onTestFinished } from 'vitest'
import * as en from '../../src/studio/text/en.ts'
import { fill } from '../../src/studio/text/fill.ts'
import * as zh from '../../src/studio/text/zh.ts'
import { startApp, type TestApp, type TestOptions } from './app.ts'
import { maxWaitMs } from './patience.ts'
import type {} from './studio.ts'

export interface VisitOptions {
  /** Below the address of the server. */
  path?: string
  language?: 'zh' | 'en'
  theme?: 'light' | 'dark'
  viewport?: { width: number; height: number }
  isTouch?: boolean
  /** What the console may say, because the test cuts the connection or asks for what is not there. */
  expected?: RegExp[]
}

export interface Visit {
  page: Page
  /** Of a profile that others use afterwards: scripts at the start of each page could not be taken away. */
  context: Omit<BrowserContext, 'addInitScript'>
  /** Console errors, broken scripts and requests to other hosts. Has to be empty at the end of every test. */
  troubles: string[]
  /** In the language of the visit: `word('shell.save')`. Names in braces are filled in. */
  word(key: string, values?: Record<string, string | number>): string
}

/** A server with the studio as it is in the tree now. */
export function startStudio(options: TestOptions = {}): Promise<TestApp> {
  return startApp({ ...options, studioFolder: inject('studio') })
}

export const phone = { viewport: { width: 390, height: 844 }, isTouch: true } as const

/** Of this process, for one file after another; it ends with the process. */
let launching: Promise<Browser> | undefined

function launch() {
  launching ??= chromium.launch({
    executablePath: inject('chromium'),
    // No graphics card, and nothing that reaches out. Without a sandbox, because tests may run as root; the pages are our own.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-gpu-compositing',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      // For each profile.
      '--renderer-process-limit=1',
    ],
  })
  return launching
}

/**
 * A profile that is lent to one visit after another, emptied in between: a new one has to start a process and to compile the studio
 * again, which takes half of the processor time of a visit.
 */
interface Profile {
  /** What was asked for, as text. */
  key: string
  context: BrowserContext
  /** Keeps the process of its pages, between visits as well. */
  keeper: Page
  devtools: CDPSession
}

/** The one that was used last at the end. Each has a process. */
const idle: Profile[] = []
const maxIdle = 4

async function borrow(options: BrowserContextOptions): Promise<Profile> {
  const key = JSON.stringify(options)
  const index = idle.findLastIndex(profile => profile.key === key)
  if (index >= 0) return idle.splice(index, 1)[0]!
  const context = await (await launch()).newContext(options)
  context.setDefaultTimeout(maxWaitMs)
  const keeper = await context.newPage()
  return { key, context, keeper, devtools: await context.newCDPSession(keeper) }
}

async function giveBack(profile: Profile, origin: string) {
  const { context, keeper, devtools } = profile
  await context.unrouteAll({ behavior: 'ignoreErrors' })
  await Promise.all(context.pages().map(page => page !== keeper && page.close()))
  await Promise.all([
    devtools.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' }),
    context.clearCookies(),
    context.clearPermissions(),
    context.setOffline(false),
  ])
  idle.push(profile)
  if (idle.length > maxIdle) await idle.shift()!.context.close()
}

/** For the tests of a file. The returned function opens a page in an empty profile. */
export function openBrowser() {
  beforeAll(async () => {
    await launch()
  })

  return async function visit(url: string, options: VisitOptions = {}): Promise<Visit> {
    const { language = 'zh', theme = 'light', viewport = { width: 1280, height: 800 }, isTouch = false } = options
    const profile = await borrow({
      viewport,
      colorScheme: theme,
      locale: language === 'zh' ? 'zh-CN' : 'en-GB',
      hasTouch: isTouch,
      reducedMotion: 'reduce',
      acceptDownloads: true,
    })
    const { context } = profile
    const { origin } = new URL(url)
    const page = await context.newPage()
    const troubles = watch(page, origin, options.expected ?? [])
    onTestFinished(async () => {
      await giveBack(profile, origin)
      expect(troubles).toEqual([])
    })
    await page.goto(url + (options.path ?? '/'))
    return { page, context, troubles, word: (key, values) => wordOf(language, key, values) }
  }
}

function watch(page: Page, origin: string, expected: readonly RegExp[]) {
  const troubles: string[] = []
  const note = (text: string) => {
    if (!expected.some(pattern => pattern.test(text))) troubles.push(text)
  }
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') note(`console: ${message.text()}`)
  })
  page.on('pageerror', error => note(`script: ${error.stack ?? error.message}`))
  page.on('request', request => {
    const url = new URL(request.url())
    if (url.protocol !== 'data:' && url.protocol !== 'blob:' && url.origin !== origin) {
      note(`request to another host: ${request.url()}`)
    }
  })
  return troubles
}

/** Fills in as the studio does; tests look for what people read. */
export function wordOf(language: 'zh' | 'en', key: string, values: Record<string, string | number> = {}) {
  const [screen = '', name = ''] = key.split('.', 2)
  const dictionary: Record<string, Record<string, string>> = language === 'zh' ? zh : en
  const text = dictionary[screen]?.[name]
  if (text === undefined) throw new Error(`there is no text ${key}`)
  return fill(text, values, String)
}
