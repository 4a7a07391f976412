/** What was changed from one text to another, word by word; in Chinese by the words that the segmenter finds. */

export interface Piece {
  kind: 'same' | 'added' | 'removed'
  text: string
}

/** Cells of the table below; more than a person reads, and still instant. */
const maxCells = 4_000_000
/** Share of common words below which it is another text, and marks only make it hard to read. */
const leastInCommon = 0.25

/** Undefined when the two have too little in common, or are too long, to be shown as one text with marks. */
export function difference(before: string, after: string): Piece[] | undefined {
  const old = splitWords(before)
  const fresh = splitWords(after)
  let head = 0
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head++
  let tail = 0
  while (
    tail < Math.min(old.length, fresh.length) - head &&
    old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]
  ) {
    tail++
  }
  const oldMiddle = old.slice(head, old.length - tail)
  const freshMiddle = fresh.slice(head, fresh.length - tail)
  if (oldMiddle.length * freshMiddle.length > maxCells) return undefined
  const words: Piece[] = [
    ...old.slice(0, head).map(text => ({ kind: 'same', text }) as const),
    ...middle(oldMiddle, freshMiddle),
    ...old.slice(old.length - tail).map(text => ({ kind: 'same', text }) as const),
  ]
  const isWord = (piece: Piece) => /[\p{L}\p{N}]/u.test(piece.text)
  const kept = words.filter(piece => piece.kind === 'same' && isWord(piece)).length
  const wordsBefore = words.filter(piece => piece.kind !== 'added' && isWord(piece)).length
  return kept < wordsBefore * leastInCommon ? undefined : joined(words)
}

function splitWords(text: string): string[] {
  return [...new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text)].map(({ segment }) => segment)
}

/** The longest series of words that both have, in the way of Wagner and Fischer. */
function middle(old: readonly string[], fresh: readonly string[]): Piece[] {
  const columns = fresh.length + 1
  const lengths = new Uint16Array((old.length + 1) * columns)
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = fresh.length - 1; column >= 0; column--) {
      lengths[row * columns + column] =
        old[row] === fresh[column]
          ? lengths[(row + 1) * columns + column + 1]! + 1
          : Math.max(lengths[(row + 1) * columns + column]!, lengths[row * columns + column + 1]!)
    }
  }
  const pieces: Piece[] = []
  let row = 0
  let column = 0
  while (row < old.length || column < fresh.length) {
    if (row < old.length && column < fresh.length && old[row] === fresh[column]) {
      pieces.push({ kind: 'same', text: old[row]! })
      row++
      column++
    } else if (
      column === fresh.length ||
      (row < old.length && lengths[(row + 1) * columns + column]! >= lengths[row * columns + column + 1]!)
    ) {
      pieces.push({ kind: 'removed', text: old[row++]! })
    } else {
      pieces.push({ kind: 'added', text: fresh[column++]! })
    }
  }
  return pieces
}

function joined(words: readonly Piece[]): Piece[] {
  const pieces: Piece[] = []
  for (const word of words) {
    const last = pieces.at(-1)
    if (last?.kind === word.kind) last.text += word.text
    else pieces.push({ ...word })
  }
  return pieces
}
