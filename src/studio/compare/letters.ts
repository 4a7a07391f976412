/** What stands on each picture and is its key: A, B, C, D. */
export const letterOf = (index: number) => String.fromCharCode(65 + index)
