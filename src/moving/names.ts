/** Names of files that people read, valid on every system. */

/** The beginning of a prompt; empty where nothing of it can stand in a name. */
export function shortenForName(prompt: string): string {
  const words = prompt
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Co}<>:"/\\|?*\uFFFD]+/gu, ' ')
    .trim()
    .replace(/\s+/g, ' ')
  return [...words]
    .slice(0, 40)
    .join('')
    .replace(/[. ]+$/, '')
}
