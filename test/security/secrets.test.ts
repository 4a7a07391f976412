/** Keys go in and never come out: planted ones are looked for in everything that the program says, writes and hands on. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { callsAbout } from '../mcp/clients.ts'
import { startApp } from '../support/app.ts'
import { startProgram } from '../support/program.ts'
import { filled, routesOf } from '../support/routes.ts'

const planted = {
  SECRET_KEY: 'planted-secret-3f9a1c5e7b2d',
  ACCESS_TOKEN: 'planted-access-8d1e4b6a9c0f',
  DOUBAO_API_KEY: 'planted-doubao-5a7c9e1b3d2f',
  QWEN_API_KEY: 'planted-qwen-2b4d6f8a0c1e',
}
const storedKey = 'planted-stored-7e9b1d3f5a2c'
const typedKey = 'planted-typed-1c3e5a7b9d0f'
const clientSecret = 'planted-client-6b8d0f2a4c1e'
const secrets = [...Object.values(planted), storedKey, typedKey, clientSecret]

/** The places where a secret, or a good part of one, was found. */
function leaksIn(texts: [place: string, text: string][]) {
  return texts.flatMap(([place, text]) =>
    // The last four characters of a key are shown on purpose.
    secrets.filter(secret => text.includes(secret.slice(0, -4))).map(secret => `${secret} in ${place}`),
  )
}

test('no answer of any route, no event, no line of the log, no file and no row holds a key', async () => {
  // A service that says everything again that it was told, as some do with a key that they refuse.
  const parrot = createServer((request, response) => {
    request.resume()
    response.statusCode = request.url?.includes('models') ? 200 : 401
    response.setHeader('content-type', 'application/json')
    const message = `Incorrect API key provided: ${request.headers.authorization}`
    response.end(JSON.stringify({ error: { code: 'invalid_api_key', message }, code: 'InvalidApiKey', message }))
  })
  await new Promise<void>(resolve => parrot.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void parrot.close())
  const origin = `http://127.0.0.1:${(parrot.address() as AddressInfo).port}`
  const logLines: string[] = []
  const app = await startApp({
    logLines,
    environment: {
      ...planted,
      DOUBAO_API_URL: `${origin}/api/v3`,
      QWEN_API_URL: `${origin}/api/v1`,
      ALLOWED_HOSTS: new URL(origin).host,
      ...{ OIDC_ISSUER: origin, OIDC_CLIENT_ID: 'x', OIDC_CLIENT_SECRET: clientSecret, OIDC_USER_VALUES: '*' },
    },
  })
  const admin = { authorization: `Bearer ${planted.ACCESS_TOKEN}` }
  const said: [string, string][] = []
  const ask = async (method: string, target: string, body?: unknown, headers: Record<string, string> = admin) => {
    const answer = await app.call(method, target, body, headers)
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
    said.push([`${method} ${target}`, `${text}\n${JSON.stringify([...answer.headers])}`])
    return answer
  }
  const listening = new AbortController()
  const events = fetch(`${app.url}/api/events`, { headers: admin, signal: listening.signal }).then(async response => {
    let text = ''
    try {
      for await (const chunk of response.body!) text += Buffer.from(chunk).toString()
    } catch {
      // The end of the test ends it.
    }
    return text
  })

  // Keys that are good, refused, misspelt, misplaced and broken, at every place that takes one.
  const stored = await ask('POST', '/api/config', {
    provider: 'openai',
    model: 'x',
    base_url: `${origin}/v1`,
    api_key: storedKey,
  })
  expect(stored.status).toBe(201)
  for (const body of [
    { provider: 'openai', base_url: `${origin}/v1`, api_key: typedKey, model: 'x' },
    { provider: 'doubao', api_key: typedKey },
    { provider: 'qwen', api_key: `Bearer ${typedKey}` },
    { provider: 'nobody', api_key: typedKey },
    { provider: 'doubao', api_key: `${typedKey} with a space` },
    { provider: 'doubao', api_key: [typedKey] },
    { provider: 'doubao', apikey: typedKey },
    { provider: 'openai', base_url: `http://${typedKey}@127.0.0.1:1/`, api_key: typedKey },
    { id: stored.body.id },
    { id: 'env-doubao' },
    { id: 'env-qwen' },
  ]) {
    await ask('POST', '/api/config/test', body)
    if (!('id' in body)) {
      await ask('PUT', `/api/config/${stored.body.id}`, body)
      await ask('PUT', '/api/config/env-doubao', body)
    }
  }
  await ask('POST', '/api/config', `{"provider":"doubao","api_key":"${typedKey}"`)
  await ask('POST', '/api/config', `{"provider":"doubao","api_key":"${typedKey}\\ud800"}`)
  await ask('GET', `/login?token=${typedKey}`, undefined, {})
  await ask('POST', '/api/login', { token: typedKey }, {})
  await ask('GET', '/api/history', undefined, { authorization: `Bearer ${typedKey}` })
  const made = await ask('POST', '/api/tokens', { name: 'design team' })
  const namedToken = String(made.body.token)
  said.pop()
  expect(namedToken).toMatch(/^wig_/)
  await ask('GET', '/api/me', undefined, { authorization: `Bearer ${namedToken}` })
  const webhook = (await ask('POST', '/api/webhooks', { url: `${origin}/hook` })).body
  said.pop()
  expect(webhook.secret).toMatch(/^whsec_/)
  const changed = await ask('PUT', `/api/config/${stored.body.id}`, {
    api_key: storedKey,
    base_url: `${origin}/v1`,
    provider: 'openai',
  })
  expect(changed.status).toBe(200)
  // A refusal leaves a configuration aside, so each is asked with another.
  const fresh = async (provider: string) =>
    (await ask('POST', '/api/config', { provider, api_key: storedKey })).body.id as string
  const refusals = [
    await ask('POST', '/api/generate', { prompt: 'a boat', config_id: stored.body.id, model: 'x' }),
    await ask('POST', '/api/generate', { prompt: 'a boat', config_id: await fresh('doubao') }),
    await ask('POST', '/api/generate', { prompt: 'a boat', config_id: await fresh('qwen'), model: 'qwen-image-plus' }),
    await ask('POST', '/api/generate', {
      prompt: 'a boat',
      config_id: await fresh('qwen'),
      model: 'wan2.2-t2i-flash',
    }),
  ]
  expect(refusals.map(({ body }) => body.code)).toEqual(refusals.map(() => 'provider_key_rejected'))
  // What the service said is there, without the key.
  expect(refusals[0]?.body.provider_message).toContain('(key)')

  for (const stream of [false, true]) {
    const messages = [{ role: 'user', content: 'a boat' }]
    await ask('POST', '/v1/images/generations', { model: 'x', prompt: 'a boat', stream })
    await ask('POST', '/v1/chat/completions', { model: 'qwen-image-plus', messages, stream })
  }

  // The ends of all these were told to it.
  await vi.waitUntil(async () =>
    (await app.call('GET', deliveriesOf(webhook), undefined, admin)).body.items.some(wasTried),
  )
  await ask('GET', deliveriesOf(webhook))

  // Every route once more, with an id that is there and without.
  for (const { method, path: address } of routesOf(app.app.server)) {
    if (address.includes('events') || method === 'DELETE') continue
    for (const id of [stored.body.id, refusals[0]?.body.generation_id, 'env-doubao', 'none']) {
      await ask(
        method,
        filled(address, () => String(id)),
        method === 'GET' ? undefined : {},
      )
      if (!/[:*]/.test(address)) break
    }
  }
  for (const { body } of refusals) {
    for (const call of callsAbout(body.generation_id)) {
      await ask('POST', '/mcp', call.body, { ...admin, ...call.headers })
    }
  }
  listening.abort()
  said.push(['events', await events])
  await app.stop()
  said.push(['log', logLines.join('\n')])
  for (const entry of await readdir(app.dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    said.push([file, await readFile(file, 'latin1')])
  }

  expect(said.length).toBeGreaterThan(100)
  expect(logLines.length).toBeGreaterThan(50)
  expect(leaksIn(said)).toEqual([])
  for (const secret of [namedToken, webhook.secret])
    expect(said.filter(([, text]) => text.includes(secret)).map(([place]) => place)).toEqual([])
  // The search finds what is there.
  expect(leaksIn([['here', `a ${planted.SECRET_KEY} b`]])).toHaveLength(1)
})

function deliveriesOf({ id }: { id: string }) {
  return `/api/webhooks/${id}/deliveries`
}

function wasTried({ tries }: { tries: unknown[] }) {
  return tries.length > 0
}

test('neither the title of the process nor what it starts holds a key', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'webimgui-secrets-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const program = await startProgram('start', {
    dataDir,
    environment: { ...planted, DATABASE_URL: 'sqlite:///chat_history.db', HOST: '127.0.0.1' },
  })
  await program.says(/webimgui is at/)
  const title = process.platform === 'linux' ? await readFile(`/proc/${program.child.pid}/cmdline`, 'latin1') : ''
  // Takes what the program takes, then starts something else.
  const settings = path.join(import.meta.dirname, '../../src/settings.ts')
  const script = `import { readEnvironment } from ${JSON.stringify(settings)}
    import { execFileSync } from 'node:child_process'
    const read = readEnvironment()
    if (read.SECRET_KEY !== process.argv[1]) throw new Error('not read')
    console.log('children see: ' + execFileSync(process.execPath, ['-p', 'JSON.stringify(process.env)']))`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script, planted.SECRET_KEY],
    {
      cwd: dataDir,
      env: {
        PATH: process.env.PATH,
        ...planted,
        OIDC_CLIENT_SECRET: clientSecret,
        DATABASE_URL: `postgresql://u:${typedKey}@db/x`,
      },
    },
  )

  expect(stdout).toContain('children see: {')
  expect(program.output()).toMatch(/Log in with your ACCESS_TOKEN .*: http:\/\/127\.0\.0\.1:\d+\/login$/m)
  expect(
    leaksIn([
      ['title', title],
      ['output', program.output()],
      ['environment of a child', stdout],
    ]),
  ).toEqual([])
})

test('a start that fails tells none of the bad values', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'webimgui-secrets-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const program = await startProgram('start', {
    dataDir,
    environment: {
      SECRET_KEY: 'planted-short'.slice(0, 13),
      ACCESS_TOKEN: `${planted.ACCESS_TOKEN} x`,
      DOUBAO_API_KEY: `${planted.DOUBAO_API_KEY}\u00e9`,
      DATABASE_URL: `mysql://root:${typedKey}@db/x`,
      PUBLIC_URL: `https://user:${storedKey}@example.org`,
    },
  })

  expect(await program.ended()).toBe(1)
  expect(program.output()).toMatch(/SECRET_KEY[\s\S]*DATABASE_URL|DATABASE_URL[\s\S]*SECRET_KEY/)
  expect(leaksIn([['output', program.output()]])).toEqual([])
  expect(program.output()).not.toContain('planted-short')
})
