/** What is written down of the end of a model, and what the list of its service says, together. */
import { describe, expect, test } from 'vitest'
import { lifeAt, type SeenLife } from '../../src/catalogue/life.ts'
import type { ModelLife } from '../../src/catalogue/model.ts'

const written: ModelLife = {
  announcedAt: '2026-09-22T10:00+08:00',
  closedToNewAt: '2026-09-24T10:00+08:00',
  endsAt: '2026-11-24T14:00+08:00',
  successors: ['heir'],
  certainty: 'documented',
  source: 'a notice',
  checked: '2026-11',
}
const seen = (status: SeenLife['status'], seenAt: string): SeenLife => ({ status, since: seenAt, seenAt })
const at = (now: string, list?: SeenLife, life: readonly ModelLife[] | undefined = [written]) =>
  lifeAt({ life }, 'ark-cn', new Date(now), list)

describe('what is written down', () => {
  test.each([
    ['2026-09-22T09:59+08:00', 'current'],
    ['2026-09-22T10:00+08:00', 'announced'],
    ['2026-09-24T10:00+08:00', 'retiring'],
    ['2026-11-24T13:59+08:00', 'retiring'],
    ['2026-11-24T14:00+08:00', 'ended'],
  ])('counts to the minute: %s is %s', (now, stage) => {
    expect(at(now)).toMatchObject({ stage })
  })

  test('an entry that names the platform counts before one for all', () => {
    const model = {
      life: [
        { ...written, endsAt: '2030-01-01' },
        { ...written, platforms: ['ark-cn'] },
      ],
    }
    const now = new Date('2026-12-01T00:00Z')

    expect(lifeAt(model, 'ark-cn', now).stage).toBe('ended')
    expect(lifeAt(model, 'byteplus', now).stage).toBe('retiring')
    expect(lifeAt(model, undefined, now).stage).toBe('retiring')
  })
})

describe('the list of the service', () => {
  const before = '2026-11-20T00:00Z'
  const after = '2026-11-25T00:00Z'

  test('ends what nobody wrote down, from the day that it began to say so', () => {
    const list = { ...seen('ended', after), since: '2026-11-21T00:00Z' }

    expect(at(after, list, [])).toMatchObject({ stage: 'ended', endedAt: '2026-11-21T00:00Z' })
  })

  test('tells no day where it always said so, or where the model had ended long before', () => {
    const always = { ...seen('ended', after), since: null }
    const gone: ModelLife = { ...written, endsAt: undefined, hasEnded: true }

    expect(at(after, always, [])).toMatchObject({ stage: 'ended', endedAt: undefined })
    expect(at(after, seen('ended', after), [gone])).toMatchObject({ stage: 'ended', endedAt: undefined })
  })

  test('ends a model before the day that was written down, which counts no more', () => {
    expect(at(before, seen('ended', before))).toMatchObject({ stage: 'ended', endedAt: before })
  })

  test('keeps the day that was written down where it had come', () => {
    expect(at(after, seen('ended', after))).toMatchObject({ stage: 'ended', endedAt: written.endsAt })
  })

  test('keeps a model alive that should have ended when it was seen, without a day', () => {
    const life = at(after, seen('retiring', after))

    expect(life).toMatchObject({ stage: 'retiring', entry: { successors: ['heir'] } })
    expect(life.entry).not.toHaveProperty('endsAt')
  })

  test('takes back more where it offers the model to everybody', () => {
    const life = at(after, seen('offered', after))

    expect(life.stage).toBe('announced')
    expect(life.entry).not.toHaveProperty('closedToNewAt')
  })

  test('disproves nothing that came after it', () => {
    expect(at(after, seen('offered', before)).stage).toBe('ended')
  })

  test('says that a model ends of which nothing was written down', () => {
    expect(at(after, seen('retiring', after), [])).toMatchObject({ stage: 'retiring', entry: undefined })
    expect(at(after, seen('offered', after), [])).toMatchObject({ stage: 'current' })
  })

  test('takes back an end without a day', () => {
    const gone: ModelLife = { ...written, endsAt: undefined, hasEnded: true }

    expect(at(after, undefined, [gone]).stage).toBe('ended')
    expect(at(after, seen('offered', after), [gone]).stage).toBe('announced')
  })
})
