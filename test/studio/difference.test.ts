import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { difference, type Piece } from '../../src/studio/text/text-diff.ts'

const shown = (pieces: Piece[] | undefined) =>
  pieces?.map(({ kind, text }) => (kind === 'same' ? text : kind === 'added' ? `+${text}+` : `-${text}-`)).join('')

describe('what a service changed in a prompt', () => {
  test('is marked in Chinese by words', () => {
    expect(shown(difference('水墨山水，一叶小舟', '水墨山水，薄雾，一叶小舟'))).toBe('水墨山水，+薄雾，+一叶小舟')
  })

  test('is marked in English by words', () => {
    expect(shown(difference('a red fox in snow', 'a small red fox in deep snow'))).toBe(
      'a +small +red fox in+ deep+ snow',
    )
  })

  test('shows what was left out', () => {
    expect(shown(difference('a red fox, please', 'a red fox'))).toBe('a red fox-, please-')
  })

  test('is not marked when it is another text altogether', () => {
    expect(difference('cat', '一只猫坐在窗台上，阳光洒落，油画质感')).toBeUndefined()
  })

  test('is not looked for where it would take too long', () => {
    const words = (letter: string) => Array.from({ length: 3000 }, (_, index) => `${letter}${index}`).join(' ')
    expect(difference(words('a'), words('b'))).toBeUndefined()
  })

  test('holds both texts whole, whatever they are', () => {
    const text = fc
      .array(fc.constantFrom('山', '水', 'fox', ' ', '，', '🎨', '\n'), { maxLength: 30 })
      .map(parts => parts.join(''))
    fc.assert(
      fc.property(text, text, (before, after) => {
        const pieces = difference(before, after)
        if (!pieces) return
        const without = (kind: Piece['kind']) =>
          pieces
            .filter(piece => piece.kind !== kind)
            .map(piece => piece.text)
            .join('')
        expect(without('added')).toBe(before)
        expect(without('removed')).toBe(after)
      }),
    )
  })
})
