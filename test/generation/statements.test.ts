/** What a generation costs the database: counted in the real driver, because each commit waits for the disk. */
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'

const picture = { prompt: 'a boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '1024x1024' } }

test('one picture takes 20 statements in 5 commits, from the request to the answer', async () => {
  const statements: string[] = []
  const app = await startApp({ onStatement: text => statements.push(text) })
  // What is prepared or noticed once is no part of it.
  await app.generate(picture)
  statements.length = 0

  const made = await app.generate(picture)

  const commits = statements.filter(text => text === 'commit')
  const others = statements.filter(text => text !== 'commit' && text !== 'begin')
  expect(made).toMatchObject({ status: 'succeeded', images: [{}] })
  expect(commits, statements.join('\n')).toHaveLength(5)
  expect(others.length, statements.join('\n')).toBeLessThanOrEqual(20)
})
