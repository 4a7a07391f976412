/** `1 picture`, `2 pictures`. */
export function counted(count: number, word: string) {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
