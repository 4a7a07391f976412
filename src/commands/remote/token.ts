/** `token …`: who may use the server, and how much. */
import type { Token } from '../../api/tokens.ts'
import { parseMoney, wholeNumber } from '../../operator/setting-values.ts'
import { commandLine } from '../arguments.ts'
import { attemptAtServer } from './end.ts'
import { plain, print, printJson, printTable, say, spellMoney } from './output.ts'
import { openServer, parse } from './server.ts'

export async function listTokens() {
  const { values } = commandLine('token list')
  await attemptAtServer(async () => {
    const items = await openServer(values).client.tokens.list()
    if (values.json) for (const item of items) printJson(item)
    else if (items.length === 0) say('There is no token yet: `webimgui token create`. 尚无令牌: webimgui token create')
    else printTable(items.map(toRow))
  })
}

function toRow({ id, role, name, monthly_cap: cap, monthly_images: images, models, last_used_at: lastUsed }: Token) {
  const caps = [...(cap ? [spellMoney(cap)] : []), ...(images === null ? [] : [`${images} 张`])]
  const used = lastUsed === null ? 'never used' : new Date(lastUsed).toLocaleString('sv-SE').slice(0, 16)
  return [id, role, caps.join(', '), used, [name, ...(models ?? [])].join(', ')].map(plain)
}

export async function createToken() {
  const { values, positionals } = commandLine('token create')
  const [name = ''] = positionals
  await attemptAtServer(async () => {
    const { role, cap, images, model } = values
    const made = await openServer(values).client.tokens.make({
      name,
      role: role as Token['role'] | undefined,
      ...(cap === undefined ? {} : { monthly_cap: parse({ en: '--cap', zh: '--cap ' }, () => parseMoney(cap)) }),
      ...(images === undefined
        ? {}
        : { monthly_images: parse({ en: '--images', zh: '--images ' }, () => wholeNumber(images, 0, 100_000_000)) }),
      ...(model === undefined ? {} : { models: model }),
    })
    if (values.json) printJson(made)
    else {
      say(`${made.id}  ${made.role}  ${plain(made.name)}\nThe token is shown this once 令牌仅显示这一次:`)
      print(made.token)
    }
  })
}

export async function revokeToken() {
  const { values, positionals } = commandLine('token revoke')
  const [id = ''] = positionals
  await attemptAtServer(() => openServer(values).client.tokens.revoke(id))
}
