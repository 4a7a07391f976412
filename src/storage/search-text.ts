/** The text that words of a search are looked for in. */

/** Normal form of searchable text; search words are normalised the same way. */
export function searchForm(text: string) {
  return text.normalize('NFC').toLowerCase()
}

export function searchText(prompt: string, revisedPrompt: string | null, tags: string[]) {
  return searchForm([prompt, revisedPrompt ?? '', ...tags].join('\n'))
}
