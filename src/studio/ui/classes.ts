/** Joins what is there: `classes('a', isOpen && 'b')`. */
export function classes(...names: (string | false | null | undefined)[]) {
  return names.filter(Boolean).join(' ')
}
