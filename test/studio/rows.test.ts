import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { beside, layOut, within } from '../../src/studio/gallery/rows.ts'

const options = { width: 1000, height: 200, gap: 10, headingHeight: 40 }
const items = (ratios: number[], day = (_index: number) => '2026-11-23') =>
  ratios.map((ratio, index) => ({ key: `p${index}`, ratio, day: day(index) }))

describe('the rows of the gallery', () => {
  test('fill the width, but for the last of a day', () => {
    const { rows } = layOut(items([1, 1.5, 1, 2, 1, 1]), options)

    expect(rows.map(row => row.kind)).toEqual(['day', 'places', 'places'])
    const [, full, rest] = rows
    if (full?.kind !== 'places' || rest?.kind !== 'places') throw new Error('two rows of pictures')
    const last = full.places.at(-1)!
    expect(last.left + last.width).toBeCloseTo(1000)
    expect(full.height).toBeCloseTo((1000 - 3 * 10) / 5.5)
    expect(rest.height).toBe(200)
    expect(rest.places.map(place => place.index)).toEqual([4, 5])
  })

  test('begin anew with each day, under its heading', () => {
    const { rows, rowOf } = layOut(
      items([1, 1, 1], index => (index < 2 ? '2026-11-23' : '2026-11-22')),
      options,
    )

    expect(rows.map(row => (row.kind === 'day' ? row.day : row.places.length))).toEqual([
      '2026-11-23',
      2,
      '2026-11-22',
      1,
    ])
    expect(rowOf).toEqual([1, 1, 3])
    expect(rows.map(row => row.top)).toEqual([0, 50, 260, 310])
  })

  test('hold every picture once, in order, inside the width and without overlap, whatever their shapes', () => {
    const image = fc.record({
      ratio: fc.oneof(fc.double({ min: 0.01, max: 50, noNaN: true }), fc.constantFrom(Number.NaN, 0)),
      day: fc.constantFrom('2026-11-21', '2026-11-22'),
    })
    fc.assert(
      fc.property(fc.array(image, { maxLength: 60 }), fc.integer({ min: 200, max: 3000 }), (images, width) => {
        const { rows, rowOf, height } = layOut(
          images.map((one, index) => ({ ...one, key: String(index) })),
          { ...options, width },
        )
        const places = rows.flatMap(row => (row.kind === 'places' ? row.places : []))
        expect(places.map(place => place.index)).toEqual(images.map((_, index) => index))
        for (const [at, row] of rows.entries()) {
          expect(row.top).toBeCloseTo(at === 0 ? 0 : rows[at - 1]!.top + rows[at - 1]!.height + options.gap)
          if (row.kind === 'day') continue
          for (const [position, place] of row.places.entries()) {
            expect(rowOf[place.index]).toBe(at)
            expect(place.left + place.width).toBeLessThanOrEqual(width + 0.01)
            const before = row.places[position - 1]
            if (before) expect(place.left).toBeGreaterThan(before.left + before.width)
          }
        }
        expect(height).toBeCloseTo(rows.length === 0 ? 0 : rows.at(-1)!.top + rows.at(-1)!.height + options.gap)
      }),
    )
  })

  test('the arrow keys go to the nearest picture above and below, over the headings', () => {
    const layout = layOut(
      items([1, 1, 1, 2.2, 1], index => (index < 3 ? '2026-11-23' : '2026-11-22')),
      options,
    )

    expect([0, 1, 2].map(index => beside(layout, index, 1))).toEqual([3, 3, 4])
    expect(beside(layout, 4, -1)).toBe(2)
    expect(beside(layout, 0, -1)).toBe(0)
    expect(beside(layout, 4, 1)).toBe(4)
    expect(beside(layout, 99, 1)).toBe(99)
  })

  test('a frame takes every picture that it touches', () => {
    const layout = layOut(items([1, 1, 1, 1, 1, 1, 1, 1]), options)

    expect(within(layout, { left: 0, right: 5, top: 0, bottom: 60 })).toEqual([0])
    expect(within(layout, { left: 250, right: 450, top: 100, bottom: 300 })).toEqual([1, 2, 6, 7])
    expect(within(layout, { left: 0, right: 999, top: 0, bottom: 45 })).toEqual([])
  })

  test('a hundred thousand pictures are looked at a few times each', () => {
    let looks = 0
    const many = Array.from({ length: 100_000 }, (_, index) => ({
      key: `p${index}`,
      day: `day ${index >> 8}`,
      get ratio() {
        looks++
        return 0.5 + (index % 7) / 3
      },
    }))

    const { rows } = layOut(many, options)

    expect(rows.length).toBeGreaterThan(10_000)
    expect(looks / many.length).toBeLessThan(10)
  })
})
