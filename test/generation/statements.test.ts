/** What a generation costs the database: counted in the real driver, because each commit waits for the disk. */
import { fdatasync } from 'node:fs'
import { promisify } from 'node:util'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { expect, test } from 'vitest'
import type { Generation } from '../../src/api/generations.ts'
import { startApp } from '../support/app.ts'

const image = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '1024x1024' } }

async function begin() {
  const statements: string[] = []
  const syncs: number[] = []
  const app = await startApp({
    onStatement: text => statements.push(text),
    async syncJournal(descriptor) {
      syncs.push(descriptor)
      await promisify(fdatasync)(descriptor)
    },
  })
  // What is read or prepared once is no part of it.
  const first = await app.generate(image)
  const count = () => ({
    commits: statements.filter(text => text === 'commit').length,
    statements: statements.filter(text => text !== 'commit' && text !== 'begin').length,
  })
  return { app, first, statements, syncs, count }
}

test('one picture takes 18 statements in 4 commits and three waits for the disk, from the request to the answer', async () => {
  const { app, statements, syncs, count } = await begin()
  statements.length = 0
  syncs.length = 0

  const made = await app.generate(image)

  expect(made).toMatchObject({ status: 'succeeded', images: [{}] })
  expect(count(), statements.join('\n')).toEqual({ commits: 4, statements: 18 })
  expect(syncs).toHaveLength(3)
  // Only who might be told of the end is looked for, and only then written down, in the commit of the end.
  await app.call('POST', '/api/webhooks', { url: null })
  statements.length = 0
  await app.generate(image)
  expect(count(), statements.join('\n')).toEqual({ commits: 4, statements: 19 })
})

test('steps of one turn share a commit, and one that the ledger refuses takes nothing from the others', async () => {
  const { app, first, statements, count } = await begin()
  const { ledger } = app.app.store
  const reason = { code: 'sent_again', message: 'It is sent again.' } as const
  const note = () => ledger.note({ id: first.id, reason })
  const task = { callId: 'none', generationId: first.id, at: first.timestamp, taskId: 'a-task', wasFound: false }
  statements.length = 0

  await Promise.all([note(), note(), note()])
  const together = count()
  statements.length = 0
  const ends = await Promise.allSettled([note(), ledger.accept(task), note()])

  expect(together).toEqual({ commits: 1, statements: 6 })
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(count().commits).toBe(2)
})

test('who follows it meanwhile costs nothing more, and is told what the history tells', async () => {
  const { app, first, statements, count } = await begin()
  const events = await follow(`${app.url}/api/events`)
  await events.until(({ id, status }) => id === first.id && status === 'succeeded')
  statements.length = 0

  const made = await app.generate(image)
  const told = await events.until(({ id, status }) => id === made.id && status === 'succeeded')
  const counted = count()

  expect(told.map(({ status }) => status)).toEqual(['queued', 'running', 'running', 'succeeded'])
  expect(told.at(-1)).toEqual((await app.call('GET', `/api/history/${made.id}`)).body)
  expect(told.at(-1)).toEqual(made)
  expect(counted, statements.join('\n')).toEqual({ commits: 4, statements: 18 })
})

test('what steps of the ledger take and give is plain data, which could cross a thread', async () => {
  const { app, first } = await begin()
  const ledger = app.app.store.ledger as unknown as Record<string, (step: unknown) => Promise<unknown>>
  const made = new Set<string>()
  for (const [name, step] of Object.entries(ledger)) {
    ledger[name] = async given => {
      made.add(name)
      return structuredClone(await step(structuredClone(given)))
    }
  }

  app.doubao.misbehave({ kind: 'status', status: 429 })
  const edit = await app.generate({ ...image, images: [first.images[0]!.id] })
  const task = await app.generate({ prompt: 'two boats', model: 'wan2.2-t2i-flash', parameters: { n: 2 } })
  await app.call('PATCH', `/api/history/${task.id}`, { favorite: true })
  await app.call('DELETE', `/api/history/${edit.id}`)

  expect([edit.status, task.status]).toEqual(['succeeded', 'succeeded'])
  expect([...made].sort()).toEqual([
    'accept',
    'answer',
    'create',
    'finish',
    'mark',
    'note',
    'remove',
    'repeat',
    'send',
    'storeImage',
  ])
})

/** The stream of generations as they changed from the beginning, and change. */
async function follow(url: string) {
  const response = await fetch(url, { headers: { 'last-event-id': '0' } })
  const reader = response
    .body!.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader()
  return {
    /** All that come up to this one. */
    async until(isLast: (generation: Generation) => boolean): Promise<Generation[]> {
      const told: Generation[] = []
      for (;;) {
        const { value } = await reader.read()
        if (value === undefined) throw new Error('the stream of events has ended')
        told.push(JSON.parse(value.data))
        if (isLast(told.at(-1)!)) return told
      }
    },
  }
}
