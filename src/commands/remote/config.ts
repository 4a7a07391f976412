/** `config …`: the keys of the server. A key goes in and never comes out. */
import type { Configuration, ConfigurationTestResult } from '../../api/configurations.ts'
import { headerText } from '../../operator/setting-values.ts'
import { commandLine, refuseArguments } from '../arguments.ts'
import { attemptAtServer, exitCodes, Refusal } from './end.ts'
import { plain, print, printJson, printTable, say } from './output.ts'
import { askSecret, readSecret } from './secret.ts'
import { openServer, parse } from './server.ts'

export async function listConfigurations() {
  const { values } = commandLine('config list')
  await attemptAtServer(async () => {
    const items = await openServer(values).client.configurations.list()
    if (values.json) for (const item of items) printJson(item)
    else if (items.length === 0) say('There is no key yet: `webimgui config add`. 尚无密钥: webimgui config add')
    else printTable(items.map(toRow))
  })
}

/** Members see less of them. */
function toRow({ id, name, provider, model, key_hint: hint, state, is_active: isActive }: Partial<Configuration>) {
  const status = state?.status ?? (isActive ? 'active' : 'off')
  return [id ?? '', provider ?? '', hint ? `…${hint}` : '', status, [name, model].filter(Boolean).join(', ')].map(plain)
}

export async function addConfiguration() {
  const { values, positionals } = commandLine('config add')
  const [provider = ''] = positionals
  if (values.key !== undefined && values.key !== '-') refuseArguments('config add', secretInArguments('--key'))
  await attemptAtServer(async () => {
    const { configurations } = openServer(values).client
    const key = values.key === '-' ? await readSecret() : await askSecret('API key 密钥')
    const body = {
      provider,
      api_key: parse({ en: 'The key', zh: '密钥' }, () => headerText(key)),
      ...(values.name === undefined ? {} : { name: values.name }),
      ...(values.model === undefined ? {} : { model: values.model }),
      ...(values['base-url'] === undefined ? {} : { base_url: values['base-url'] }),
    }
    const tested = await configurations.test(body)
    if (!tested.ok && !values.force) {
      throw new Refusal(
        `${plain(tested.detail)} (${tested.code}) It was not kept; --force keeps it all the same.`,
        '测试未通过，未保存；--force 可强制保存。',
      )
    }
    const made = await configurations.create(body)
    if (values.json) printJson(made)
    else printTable([toRow(made)])
    say(plain(tested.detail))
  })
}

export function secretInArguments(option: string) {
  return `${option} takes - alone, and reads standard input: others can see arguments. ${option} 只能是 -，从标准输入读取：命令行参数会被他人看到。`
}

export async function testConfiguration() {
  const { values, positionals } = commandLine('config test')
  const [id = ''] = positionals
  await attemptAtServer(async () => {
    const result: ConfigurationTestResult = await openServer(values).client.configurations.test({ id })
    if (values.json) printJson(result)
    else print(`${result.code}: ${plain(result.detail)} (${result.latency_ms} ms)`)
    return result.ok ? exitCodes.done : exitCodes.refused
  })
}

export async function removeConfiguration() {
  const { values, positionals } = commandLine('config remove')
  const [id = ''] = positionals
  await attemptAtServer(() => openServer(values).client.configurations.remove(id))
}
