/** What parameters do, where it is to be said otherwise than the server says it: its descriptions are English already. */
export const hints: Record<string, string> = {
  seed: 'The same seed and settings give similar pictures, though not always the same one.',
}
