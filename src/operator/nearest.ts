/** The known name that was probably meant: the one that the fewest changed letters lead to. */
export function findNearest(name: string, known: readonly string[], maxDistance: number) {
  const [found] = known
    // The distance is at least the difference of their lengths.
    .filter(candidate => Math.abs(candidate.length - name.length) <= maxDistance)
    .map(candidate => ({ candidate, distance: distanceBetween(name, candidate) }))
    .filter(({ distance }) => distance <= maxDistance)
    .sort((one, other) => one.distance - other.distance)
  return found?.candidate
}

/** Levenshtein distance. */
function distanceBetween(one: string, other: string) {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (const [index, character] of [...one].entries()) {
    const above = row
    row = [index + 1]
    for (let column = 1; column <= other.length; column++) {
      const changed = (above[column - 1] ?? 0) + (character === other[column - 1] ? 0 : 1)
      row.push(Math.min((above[column] ?? 0) + 1, (row[column - 1] ?? 0) + 1, changed))
    }
  }
  return row[other.length] ?? 0
}
