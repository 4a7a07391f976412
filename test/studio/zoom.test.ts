import { describe, expect, test } from 'vitest'
import { bounded, fitFrame, fitted, zoomed } from '../../src/studio/ui/zoom.ts'

const frame = fitFrame({ width: 1000, height: 500 }, { width: 4000, height: 4000 })

describe('a picture in its frame', () => {
  test('fits, and knows how far its own pixels are', () => {
    expect(frame).toMatchObject({ fittedWidth: 500, fittedHeight: 500, actualScale: 8 })
  })

  test('a small one is not blown up', () => {
    expect(fitFrame({ width: 1000, height: 500 }, { width: 200, height: 100 })).toMatchObject({
      fittedWidth: 200,
      actualScale: 1,
    })
  })

  test('what lies under the pointer stays there', () => {
    const point = { x: 100, y: -50 }

    const view = zoomed(fitted, 4, point, frame)

    // From the middle of the picture, in parts of its fitted size.
    expect((point.x - view.x) / view.scale).toBeCloseTo(100)
    expect((point.y - view.y) / view.scale).toBeCloseTo(-50)
  })

  test('never leaves the frame, and never gets smaller than it fits', () => {
    expect(bounded({ scale: 0.2, x: 900, y: 900 }, frame)).toEqual({ scale: 1, x: 0, y: 0 })
    expect(bounded({ scale: 4, x: 9000, y: -9000 }, frame)).toEqual({ scale: 4, x: 500, y: -750 })
    expect(bounded({ scale: 500, x: 0, y: 0 }, frame).scale).toBe(32)
  })
})
