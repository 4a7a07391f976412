import type { Piece } from '../text/text-diff.ts'

/** A text with what was added and left out. */
export function Difference({ pieces }: { pieces: readonly Piece[] }) {
  return pieces.map(({ kind, text }, index) => {
    // The pieces of one text never change their places.
    const key = index
    if (kind === 'same') return text
    if (kind === 'removed') {
      return (
        <del key={key} className="text-ink-faint">
          {text}
        </del>
      )
    }
    return (
      <ins key={key} className="rounded-sm bg-jade-wash text-jade no-underline">
        {text}
      </ins>
    )
  })
}
