/** A text in which the words that were searched for are marked. */
export function Highlighted({ text, words }: { text: string; words: string | undefined }) {
  const wanted = (words ?? '').split(/\s+/).filter(Boolean)
  if (wanted.length === 0) return text
  const pattern = new RegExp(`(${wanted.map(word => word.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')).join('|')})`, 'giu')
  // Every second piece is one that was found.
  return text.split(pattern).map((piece, index) => {
    const key = index
    if (index % 2 === 0) return piece
    return (
      <mark key={key} className="rounded-sm bg-amber-wash text-amber">
        {piece}
      </mark>
    )
  })
}
