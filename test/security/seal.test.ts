/** The sealing of keys: a wrong secret, and a change of secrets that is whole or does not happen. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pino } from 'pino'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { loadSettings } from '../../src/settings.ts'
import { startDoubaoSimulator } from '../../src/simulators/doubao/doubao.ts'
import { DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { createSeal } from '../../src/storage/secrets/seal.ts'
import { placesOfWebhook } from '../../src/storage/secrets/seal-check.ts'
import { call } from '../support/app.ts'
import { runProgram, startProgram } from '../support/program.ts'

const own = 'a secret of the environment'
let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'webimgui-seal-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
})

const file = (name: string) => path.join(dataDir, name)
const text = (name: string) => readFileSync(file(name), 'utf8').trim()

type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => ReturnType<typeof call>

/** Starts the server, does something, and stops it well. */
async function withServer<Result>(environment: Record<string, string>, work: (ask: Ask) => Promise<Result>) {
  const settings = loadSettings({ DATA_DIR: dataDir, PORT: '0', ...environment })
  const app = await createApp(settings, pino({ level: 'silent' }))
  const { address } = await app.listen()
  try {
    return await work((method, path, body, headers) => call(`${address}${path}`, method, body, headers))
  } finally {
    await app.close()
  }
}

/** A data folder with a stored key that was sealed with the secret of `environment`, or of the folder. */
async function prepare(environment: Record<string, string> = {}) {
  await withServer(environment, async ask => {
    const stored = await ask('POST', '/api/config', { provider: 'doubao', name: 'Mine', api_key: DOUBAO_DEMO_KEY })
    expect(stored.status).toBe(201)
  })
}

function openWebhook(id: string, secret: string) {
  using database = new DatabaseSync(file('chat_history.db'), { readOnly: true })
  const row = database.prepare('select secret from webhooks where id = ?').get(id)
  return createSeal(secret).open(String(row?.secret), placesOfWebhook(id).present)
}

/** Does the stored key reach the service whole? */
async function expectKeyWorks(environment: Record<string, string> = {}) {
  const doubao = await startDoubaoSimulator({ timeScale: 0 })
  onTestFinished(() => doubao.close())
  const result = await withServer({ ...environment, DOUBAO_API_URL: doubao.baseUrl }, async ask => {
    const { items } = (await ask('GET', '/api/config')).body
    return ask('POST', '/api/config/test', { id: items[0].id })
  })
  expect(result.body).toMatchObject({ ok: true, code: 'ok' })
}

function rotate(environment: Record<string, string> = {}, words: string[] = []) {
  return runProgram('rotate-secret', { dataDir, environment, words })
}

function sealedRows() {
  const database = new DatabaseSync(file('chat_history.db'))
  const sealed = "select api_key as text from configurations union all select value from meta where name = 'seal-check'"
  const rows = database.prepare(sealed).all()
  database.close()
  return rows.map(row => String(row.text))
}

/** Names, sizes and bytes of everything in the folder but the lock. */
function everything() {
  const names = readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.name.endsWith('.lock'))
    .map(entry => path.join(entry.parentPath, entry.name))
    .sort()
  return names.map(name => [name, readFileSync(name).toString('base64')])
}

test('a wrong SECRET_KEY is one clear message, and touches nothing', async () => {
  await prepare({ SECRET_KEY: own })
  const before = everything()

  const program = await startProgram('start', {
    dataDir,
    environment: { SECRET_KEY: 'another secret of sixteen', LOG_FILE: 'off' },
  })

  expect(await program.ended()).toBe(1)
  expect(program.output()).toMatch(/^SECRET_KEY is not the one .* Nothing was changed\. .*rotate-secret/)
  expect(program.output()).not.toMatch(/\n\s+at /)
  expect(everything()).toEqual(before)
  await expectKeyWorks({ SECRET_KEY: own })
})

test('a secret that was lost from the data folder is noticed too, and no new one is made in its place', async () => {
  await prepare()
  rmSync(file('secret.key'))

  await expect(withServer({}, async () => {})).rejects.toThrow('SECRET_KEY is not the one')

  expect(existsSync(file('secret.key'))).toBe(false)
})

test('a database of a version without the check is proved by its keys', async () => {
  await prepare({ SECRET_KEY: own })
  const database = new DatabaseSync(file('chat_history.db'))
  // What the third migration and those after it made is taken away again.
  database.exec(`
    drop table meta;
    drop table taken_out_configurations;
    drop table model_lists;
    drop table listed_models;
    drop table request_fingerprints;
    drop table webhooks;
    drop table webhook_deliveries;
    alter table chat_history drop column callback_url;
    drop table users;
    alter table access_tokens drop column user_id;
    drop table session_spending;
    drop trigger spending_inserted;
    drop trigger spending_settled;
    drop trigger spending_resettled;
    drop trigger spending_deleted;
    drop table spending_sums;
    drop index spending_reserved;
    create index spending_token on spending (token_id);
    create index spending_configuration on spending (config_id);
    drop table imports;
    alter table chat_history drop column imported_from;
    alter table configurations drop column weight;
    alter table configurations drop column most_running;
    alter table configurations drop column requests_per_minute;
    alter table provider_calls drop column may_move;
    alter table provider_calls drop column sent_with;
    alter table provider_calls drop column was_found;
    alter table idempotency_keys drop column day;
    alter table removals drop column day;
    alter table former_tasks drop column day;
    alter table images drop column day;
    delete from counters where name = 'day';
    drop index chat_history_model;
    drop index chat_history_provider;
    drop index chat_history_unsuccessful;
    drop index chat_history_favorite;
    drop index chat_history_tagged;
    drop index chat_history_starred;
    drop index chat_history_rejected;
    alter table chat_history drop column ratings;
    alter table chat_history drop column stars;
    alter table chat_history drop column rejected;
    alter table chat_history drop column cover;
    create index chat_history_status on chat_history (status);
    delete from kysely_migration where name >= '0003'`)
  database.close()

  const wrong = withServer({ SECRET_KEY: 'another secret of sixteen' }, async () => {})

  await expect(wrong).rejects.toThrow('SECRET_KEY is not the one')
  await expectKeyWorks({ SECRET_KEY: own })
  expect(sealedRows()).toHaveLength(2)
})

test('a new secret seals everything anew, is kept for its owner alone, and ends the sessions', async () => {
  const environment = { ACCESS_TOKEN: 'correct-horse-battery' }
  let webhook = { id: '', secret: '' }
  const cookie = await withServer(environment, async ask => {
    const headers = { authorization: 'Bearer correct-horse-battery' }
    webhook = (await ask('POST', '/api/webhooks', { url: null }, headers)).body
    await ask('POST', '/api/config', { provider: 'doubao', api_key: DOUBAO_DEMO_KEY }, headers)
    const login = await ask('POST', '/api/login', { token: 'correct-horse-battery' })
    return String(login.headers.get('set-cookie')).split(';')[0] ?? ''
  })
  const [oldSecret, oldRows] = [text('secret.key'), sealedRows()]

  const { code, output } = await rotate()

  expect([code, output]).toEqual([0, expect.stringContaining('Sealed anew: 1 key.')])
  const secret = text('secret.key')
  expect(secret).not.toBe(oldSecret)
  expect(output).not.toContain(secret)
  expect(statSync(file('secret.key')).mode & 0o777).toBe(0o600)
  expect(existsSync(file('secret.key.next'))).toBe(false)
  // Backups of before open with the former one alone.
  const [, former = ''] = /The former secret is kept in (\S+secret\.key\.before-\S+)\. /.exec(output) ?? []
  expect(readFileSync(former, 'utf8').trim()).toBe(oldSecret)
  expect(statSync(former).mode & 0o777).toBe(0o600)
  const rows = sealedRows()
  expect(rows.every(row => row.includes(createSeal(secret).keyId))).toBe(true)
  expect(rows.some(row => oldRows.includes(row))).toBe(false)
  expect(openWebhook(webhook.id, secret)).toBe(webhook.secret)
  // Nothing sealed with the old one is left in free pages either.
  const bytes = readFileSync(file('chat_history.db'), 'latin1')
  for (const row of oldRows) expect(bytes.includes(row)).toBe(false)
  await withServer(environment, async ask => {
    expect((await ask('GET', '/api/history', undefined, { cookie })).status).toBe(401)
  })
  await expectKeyWorks()
})

test('a given secret takes the place of one from the environment', async () => {
  await prepare({ SECRET_KEY: own })

  const short = await rotate({ SECRET_KEY: own, NEW_SECRET_KEY: 'short' })
  const same = await rotate({ SECRET_KEY: own, NEW_SECRET_KEY: own })
  const right = await rotate({ SECRET_KEY: own, NEW_SECRET_KEY: 'the next secret of all' })

  expect([short.code, short.output]).toEqual([1, expect.stringContaining('NEW_SECRET_KEY is shorter than 16')])
  expect([same.code, same.output]).toEqual([1, expect.stringContaining('already in use')])
  expect([right.code, right.output]).toEqual([0, expect.stringContaining('Set SECRET_KEY to the new one')])
  expect(right.output).toMatch(/open with the SECRET_KEY of until now alone: write it down elsewhere/)
  expect(existsSync(file('secret.key'))).toBe(false)
  await expectKeyWorks({ SECRET_KEY: 'the next secret of all' })
})

test('a generated secret moves from the environment into the data folder', async () => {
  await prepare({ SECRET_KEY: own })

  const { output } = await rotate({ SECRET_KEY: own })

  expect(output).toContain('take SECRET_KEY out of the environment')
  await expectKeyWorks()
})

test('is refused while the server runs', async () => {
  await prepare()
  const before = text('secret.key')

  await withServer({}, async () => {
    const { code, output } = await rotate()
    expect([code, output]).toEqual([1, expect.stringContaining('in use by another running server')])
  })

  expect(text('secret.key')).toBe(before)
  await expectKeyWorks()
})

test('all keys or none: one that cannot be opened stops it, and --lost gives just that one up', async () => {
  await prepare()
  await withServer({}, ask => ask('POST', '/api/config', { provider: 'qwen', name: 'Broken', api_key: 'sk-broken' }))
  const database = new DatabaseSync(file('chat_history.db'))
  database.exec(`update configurations set api_key = replace(api_key, '.', '.A') where name = 'Broken'`)
  database.close()
  const [before, rows] = [text('secret.key'), sealedRows()]

  const refused = await rotate()

  expect([refused.code, refused.output]).toEqual([1, expect.stringContaining('"Broken" cannot be opened')])
  expect([text('secret.key'), sealedRows()]).toEqual([before, rows])
  expect(existsSync(file('secret.key.next'))).toBe(false)
  const lost = await rotate({}, ['--lost'])
  expect([lost.code, lost.output]).toEqual([0, expect.stringMatching(/Sealed anew: 1 key\.[\s\S]*Broken/)])
  const { items } = await withServer({}, async ask => (await ask('GET', '/api/config')).body)
  expect(items.map((item: { name: string; has_key: boolean }) => [item.name, item.has_key]).sort()).toEqual([
    ['Broken', false],
    ['Mine', true],
  ])
})

test('after the loss of the secret the history is still there, and keys can be entered again', async () => {
  await prepare()
  const { id } = await withServer({}, async ask => (await ask('POST', '/api/webhooks', { url: null })).body)
  rmSync(file('secret.key'))

  const { code, output } = await rotate({}, ['--lost'])

  expect([code, output]).toEqual([0, expect.stringContaining('请重新录入密钥: Mine')])
  await withServer({}, async ask => {
    const { items } = (await ask('GET', '/api/config')).body
    expect(items).toMatchObject([{ name: 'Mine', has_key: false, key_hint: null }])
    const changed = await ask('PUT', `/api/config/${items[0].id}`, { api_key: DOUBAO_DEMO_KEY })
    expect(changed.body.has_key).toBe(true)
    // A webhook that cannot sign is off, until it has another secret.
    const switched = await ask('PATCH', `/api/webhooks/${id}`, { is_active: true })
    const renewed = await ask('POST', `/api/webhooks/${id}/secret`)
    expect([switched.status, renewed.body.state, renewed.body.former_secret_until]).toEqual([409, 'active', null])
  })
  await expectKeyWorks()
})

test.each(['before', 'after'])(
  'a change that died %s it was committed is finished or forgotten by the next start',
  async moment => {
    await prepare()
    copyFileSync(file('secret.key'), file('former'))
    if (moment === 'before') writeFileSync(file('secret.key.next'), 'a secret that was never used')
    else {
      await rotate()
      copyFileSync(file('secret.key'), file('secret.key.next'))
      copyFileSync(file('former'), file('secret.key'))
    }

    await expectKeyWorks()

    expect(existsSync(file('secret.key.next'))).toBe(false)
    expect(text('secret.key') === text('former')).toBe(moment === 'before')
    // The next start keeps the former one as well: both files that the two changes left hold it.
    const kept = readdirSync(dataDir).filter(name => name.startsWith('secret.key.before-'))
    expect(kept.map(name => text(name))).toEqual(moment === 'before' ? [] : [text('former'), text('former')])
  },
)
