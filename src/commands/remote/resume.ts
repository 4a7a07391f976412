/** What became of earlier orders: `resume` collects, `retry` makes what is missing, `cancel` stops. */

import { commandLine } from '../arguments.ts'
import { carryOut } from './carry-out.ts'
import { attemptAtServer, exitCodes } from './end.ts'
import { readLogins } from './logins.ts'
import { createOrders, type KeptOrder } from './orders.ts'
import { brief, print, printJson, say } from './output.ts'
import { type OrderOptions, placeOrder } from './place-order.ts'
import { connect, openServer } from './server.ts'
import { createTeller } from './tell-order.ts'

export async function resume() {
  const { values } = commandLine('resume')
  await attemptAtServer(async () => {
    const meant = openServer(values)
    const logins = readLogins(meant.folder)
    const open = createOrders(meant.folder)
      .list()
      .filter(({ order }) => order.items.some(({ state }) => state === 'sent'))
      .filter(({ order }) => values.url === undefined || order.server === meant.url)
    if (open.length === 0) say('Nothing is waiting to be collected. 没有待取回的请求。')
    const codes: number[] = []
    for (const kept of open) {
      const { server: url } = kept.order
      tell(kept, values)
      if (values.forget) kept.forget()
      if (values.list || values.forget) continue
      // A token goes to the server that it is for: that of the environment to the one that is meant, others to their own.
      const server = url === meant.url ? meant : connect(url, logins.servers[url]?.token ?? undefined, meant.folder)
      codes.push(await carryOut(server, kept, { tell: createTeller(values), isSentOnly: true }))
    }
    return Math.max(exitCodes.done, ...codes)
  }, values)
}

function tell({ order }: KeptOrder, { json, list }: { json?: boolean; list?: boolean }) {
  const waiting = order.items.filter(({ state }) => state === 'sent')
  if (json) {
    if (list)
      printJson({
        server: order.server,
        made_at: order.made_at,
        folder: order.folder,
        items: waiting.map(({ prompt, generation_id }) => ({ prompt, generation_id })),
      })
    return
  }
  const line = `${new Date(order.made_at).toLocaleString('sv-SE')}  ${order.server}  ${waiting.map(({ prompt }) => brief(prompt, 40)).join(' | ')}`
  if (list) print(line)
  else say(line)
}

export async function retry() {
  const { values, positionals: ids } = commandLine('retry')
  await attemptAtServer(async () => {
    const server = openServer(values)
    const only = values.all ? 'all' : 'missing'
    const { history } = server.client
    const generations = await Promise.all(ids.map(id => history.get(id)))
    return placeOrder(
      server,
      {
        sameness: ['retry', ids, only],
        requests: generations.map(({ id, prompt }) => ({ prompt, path: history.retryPath(id) })),
        prepareBodies: async () => ids.map(() => ({ only })),
        estimate: index => history.estimateRetry(ids[index] ?? '', only),
      },
      values satisfies OrderOptions,
    )
  }, values)
}

const saved = {
  all: 'nothing was sent yet, so nothing is charged 尚未发送，不收费',
  some: 'what was not sent yet is not charged 未发送的部分不收费',
  perhaps: 'a task that still waits at the service is cancelled there 若任务仍在服务商处排队，将一并取消',
  nothing: 'all of it is being made and is charged; the pictures are kept 已在生成，照常收费，图片会保留',
}

export async function cancel() {
  const { values, positionals: ids } = commandLine('cancel')
  await attemptAtServer(async () => {
    const { history } = openServer(values).client
    for (const id of ids) {
      const before = await history.get(id)
      const { status } = await history.cancel(id)
      print(`${id}  ${status}  ${saved[before.cancel_saves ?? 'nothing']}`)
    }
  })
}
