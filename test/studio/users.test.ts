/** Logging in at a real issuer, `oidc-provider`, in a real browser: in, what users and administrators see, and out again. */

/// <reference path="./oidc-provider.d.ts" />
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import { expect, onTestFinished, test } from 'vitest'
import { openBrowser, startStudio } from '../support/browser.ts'
import { clientId, clientSecret, oidcEnvironment } from '../support/issuer.ts'

const visit = openBrowser()
const people: Record<string, object> = {
  ann: { name: '安 Ann', groups: ['painters'], email: 'ann@example.org', email_verified: true },
  max: { name: 'Max', groups: ['masters'] },
}

/** The issuer is started before the program, and told of it afterwards. */
async function startProvider() {
  let answer: http.RequestListener = (_, response) => void response.writeHead(503).end()
  const server = http.createServer((request, response) => answer(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    serve(program: string) {
      const provider = new Provider(url, {
        clients: [
          {
            ...{ client_id: clientId, client_secret: clientSecret },
            redirect_uris: [`${program}/login/oidc/callback`],
            post_logout_redirect_uris: [`${program}/login`],
          },
        ],
        claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email', 'email_verified'] },
        findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
        pkce: { required: () => true },
        ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
        cookies: { keys: ['a key of this test'] },
      })
      answer = provider.callback()
    },
  }
}

test('people log in at a real issuer, make pictures and tokens, are capped and disabled, and log out at both', async () => {
  const issuer = await startProvider()
  const app = await startStudio({ environment: oidcEnvironment(issuer) })
  issuer.serve(app.url)
  /** The pages of the issuer are not ours. */
  const expected = [
    /request to another host: http:\/\/127\.0\.0\.1/,
    /request to another host: https:\/\/fonts/,
    /status of 4\d\d/,
    /ERR_/,
    /fonts/,
  ]

  async function logIn(name: string, language: 'zh' | 'en') {
    const visitor = await visit(app.url, { path: '/team', language, expected })
    const { page } = visitor
    await page
      .getByRole('link', { name: language === 'zh' ? '使用 the Atelier 登录' : 'Log in with the Atelier' })
      .click()
    await page.locator('input[name=login]').fill(name)
    await page.locator('input[name=password]').fill('any')
    await page.locator('button[type=submit]').click()
    // Consent, once.
    await page.locator('button[type=submit]').click()
    await page.waitForURL(`${app.url}/team`)
    return visitor
  }

  const ann = await logIn('ann', 'zh')
  await ann.page.getByTitle('安 Ann').filter({ visible: true }).waitFor()
  await ann.page.getByRole('heading', { name: ann.word('shell.ownTokens'), exact: true }).waitFor()
  await ann.page.getByRole('button', { name: ann.word('team.add') }).click()
  const form = ann.page.getByRole('dialog', { name: ann.word('team.add') })
  await form.getByLabel(ann.word('configurations.name'), { exact: true }).fill('脚本')
  expect(await form.getByText(ann.word('team.adminHint')).count()).toBe(0)
  await form.getByRole('button', { name: ann.word('team.make') }).click()
  const made = ann.page.getByRole('dialog', { name: ann.word('team.madeTitle', { name: '脚本' }) })
  const token = await made.getByLabel(ann.word('team.token'), { exact: true }).inputValue()
  const drawn = await app.generate({ prompt: '一叶小舟' }, { authorization: `Bearer ${token}` })
  expect(drawn.status).toBe('succeeded')
  await ann.page.goto(`${app.url}/`)
  await ann.page.getByText('一叶小舟').filter({ visible: true }).first().waitFor()

  const max = await logIn('max', 'en')
  const card = max.page.getByRole('listitem').filter({ hasText: 'ann@example.org' })
  await card.getByText('1 token').waitFor()
  await card.getByRole('button', { name: max.word('configurations.edit') }).click()
  const caps = max.page.getByRole('dialog')
  await caps.getByLabel(max.word('team.images'), { exact: true }).fill('1')
  await caps.getByRole('button', { name: max.word('shell.save') }).click()
  await card.getByText(max.word('usage.capFull')).waitFor()
  await card.getByRole('button', { name: max.word('team.disableNamed', { name: '安 Ann' }) }).click()
  await max.page
    .getByRole('dialog')
    .getByRole('button', { name: max.word('team.disable') })
    .click()
  await card.getByText(max.word('team.isDisabled')).waitFor()
  await ann.page.waitForURL(/\/login\?ended/)

  await max.page
    .getByRole('button', { name: max.word('shell.signOut') })
    .first()
    .click()
  // The issuer asks whether it shall end its own session as well.
  await max.page.waitForURL(/\/session\/end/)
  await max.page.getByRole('button', { name: /yes/i }).click()
  await max.page.waitForURL(`${app.url}/login`)
  expect((await max.page.request.get(`${app.url}/api/me`)).status()).toBe(401)
})
