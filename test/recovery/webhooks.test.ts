/** The real program is killed while a webhook is on its way, and before: its message arrives all the same, under the same id. */
import { Webhook } from 'standardwebhooks'
import { expect, onTestFinished, test } from 'vitest'
import { openInstallation } from '../support/installation.ts'
import { until } from '../support/killable-program.ts'
import { openReceiver } from '../support/receiver.ts'

const picture = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } }

test('what was being sent, and what was not sent yet, is sent after the next start', async () => {
  const receiver = await openReceiver()
  onTestFinished(() => receiver.close())
  const installation = await openInstallation()
  onTestFinished(() => installation.close())
  const environment = { ALLOWED_HOSTS: receiver.host }
  const first = await installation.start([], environment)
  const { body: webhook } = await first.call('POST', '/api/webhooks', { url: receiver.url('/') })
  // Never answered: this one is on its way when the program dies.
  receiver.answer({ status: 200, after: new Promise(() => {}) })
  const sending = await first.call('POST', '/api/generate', picture)
  await receiver.got('/')
  // The end and its message are about to be written.
  await first.hold({ point: 'before-finish', from: 1 })
  const { body: unwritten } = await first.call('POST', '/api/generate', picture, { prefer: 'respond-async' })
  await until(
    () => 'the generation does not stand still',
    () => first.held.length === 1,
  )
  await first.end('SIGKILL')
  const second = await installation.start([], environment)
  const messages = await receiver.got('/', 3)
  const events = messages.map(({ text, headers }) => new Webhook(webhook.secret).verify(text, headers)) as {
    data: { id: string }
  }[]
  const idsOf = ({ id }: { id: string }) =>
    messages.filter((_, index) => events[index]!.data.id === id).map(({ headers }) => headers['webhook-id'])

  const { body: list } = await second.call('GET', `/api/webhooks/${webhook.id}/deliveries`)
  const [sent, written] = [idsOf(sending.body), idsOf(unwritten)]
  expect(sent).toHaveLength(2)
  expect(new Set(sent).size).toBe(1)
  expect(written).toHaveLength(1)
  expect(list.items.map(({ id }: { id: string }) => id).sort()).toEqual([sent[0], written[0]].sort())
  expect(installation.seen().billed).toHaveLength(2)
})
