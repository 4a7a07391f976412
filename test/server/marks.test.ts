/** Stars, rejections and covers over HTTP. */
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'

test('pictures are starred and rejected one by one, listed by it, and only by whoever they belong to', async () => {
  const admin = { authorization: 'Bearer the-token-of-the-server' }
  const app = await startApp({ environment: { ACCESS_TOKEN: 'the-token-of-the-server' } })
  const token = async (name: string) => {
    const { body } = await app.call('POST', '/api/tokens', { name }, admin)
    return { authorization: `Bearer ${body.token}` }
  }
  const [own, other] = [await token('one'), await token('two')]
  const make = async (prompt: string, n = 1) => {
    const body = { prompt, model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960', n } }
    return (await app.call('POST', '/api/generate', body, own)).body.id as string
  }
  const [group, single] = [await make('four boats', 4), await make('a lamp')]
  const mark = (id: string, body: object, as = own) => app.call('PATCH', `/api/history/${id}`, body, as)
  const list = async (query: string, as = own) =>
    (await app.call('GET', `/api/history?${query}`, undefined, as)).body.items.map(({ id }: { id: string }) => id)
  const count = async (query: string, as = own) =>
    (await app.call('GET', `/api/history/count?${query}`, undefined, as)).body

  const marked = await mark(group, {
    images: [
      { index: 2, stars: 4 },
      { index: 0, rejected: true },
    ],
    cover: 2,
  })
  await mark(single, { images: [{ index: 0, stars: 5 }] })

  const picture = (stars: number, rejected: boolean) => ({ stars, rejected })
  expect(marked.body).toMatchObject({
    cover: 2,
    images: [picture(0, true), picture(0, false), picture(4, false), picture(0, false)],
  })
  expect(await list('stars=4')).toEqual([single, group])
  expect(await list('rejected=true')).toEqual([group])
  expect(await list('sort=oldest')).toEqual([group, single])
  const first = (await app.call('GET', '/api/history?sort=stars&limit=1', undefined, own)).body
  expect([first.items[0].id, await list(`sort=stars&cursor=${first.next_cursor}`)]).toEqual([single, [group]])
  expect((await app.call('GET', `/api/history?cursor=${first.next_cursor}`, undefined, own)).status).toBe(422)
  expect(await count('')).toEqual({ generations: 2, images: 5 })
  expect(await count('q=boats&rejected=false')).toEqual({ generations: 1, images: 3 })
  expect([await list('', other), await count('', other)]).toEqual([[], { generations: 0, images: 0 }])
  expect((await mark(group, { images: [{ index: 0, stars: 1 }] }, other)).status).toBe(404)
  const unknown = await mark(group, { images: [{ index: 9, stars: 1 }], cover: 7 })
  expect(unknown.body.errors.map(({ path }: { path: string }) => path)).toEqual(['images.0.index', 'cover'])
  expect((await mark(group, { images: [{ index: 0, stars: 6 }] })).status).toBe(422)
})
