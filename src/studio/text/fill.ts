/**
 * Fills in the `{names}` of a text. `{count|picture|pictures}` is the first word for one and the second otherwise. `format` writes the
 * numbers.
 */
export function fill(text: string, values: Record<string, string | number>, format: (value: number) => string): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, many?: string) => {
    const value = values[name] ?? ''
    if (one !== undefined && many !== undefined) return value === 1 ? one : many
    return typeof value === 'number' ? format(value) : value
  })
}
