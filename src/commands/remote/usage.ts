/** `usage`: what was made and spent. */
import { commandLine } from '../arguments.ts'
import { attemptAtServer } from './end.ts'
import { plain, printJson, printTable, say, spellMoney } from './output.ts'
import { openServer } from './server.ts'

export async function usage() {
  const { values } = commandLine('usage')
  await attemptAtServer(async () => {
    const { client } = openServer(values)
    const group = values.group as Parameters<typeof client.usage>[0]['group']
    const list = await client.usage({ group, from: values.from, to: values.to })
    if (values.json) {
      for (const item of list.items) printJson(item)
      return
    }
    const rows = list.items.map(({ name, images, amount, currency, unknown }) => [
      plain(name),
      `${images} 张`,
      currency === null ? '' : spellMoney({ amount, currency }),
      unknown > 0 ? `${unknown} may have been charged 可能已收费` : '',
    ])
    if (rows.length > 0) printTable(rows)
    else say('Nothing was made. 没有用量。')
    const { left, left_images: leftImages, renews_at: renewsAt } = list.for_all ?? (await client.me())
    const rest = [...(left ? [spellMoney(left)] : []), ...(typeof leftImages === 'number' ? [`${leftImages} 张`] : [])]
    if (rest.length > 0) say(`Left until 剩余，截至 ${renewsAt?.slice(0, 10)}: ${rest.join(', ')}`)
  })
}
