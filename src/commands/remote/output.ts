/** What the words print: results on standard output, everything said to people beside it. */
import { stripVTControlCharacters } from 'node:util'

/** For people. */
export function say(text: string) {
  process.stderr.write(`${text}\n`)
}

/** A result. */
export function print(text: string) {
  process.stdout.write(`${text}\n`)
}

/** One line of JSON for programs. */
export function printJson(value: unknown) {
  print(JSON.stringify(value))
}

/** Text of other people without the characters that move a cursor or rename a window. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    ' ',
  )
}

/** On one line, cut to so many characters. */
export function brief(text: string, max: number): string {
  const line = plain(text).replace(/\s+/g, ' ').trim()
  const characters = [...line]
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join('')}…`
}

/** Rows with their columns under each other; the last one is as long as it is. */
export function printTable(rows: readonly (readonly string[])[]) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => cellWidth(row[column] ?? ''))))
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - cellWidth(cell)),
    )
    print(cells.join('  ').trimEnd())
  }
}

/** A Chinese character takes two columns of a terminal. */
function cellWidth(text: string) {
  return [...text].reduce(
    (width, character) =>
      width +
      (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(character)
        ? 2
        : 1),
    0,
  )
}

/** `0.36 CNY`. */
export function spellMoney({ amount, currency }: { amount: number; currency: string }) {
  return `${Math.round(amount * 1e6) / 1e6} ${currency}`
}

/** `0.2–0.4 CNY`. */
export function spellRange({ min, max, currency }: { min: number; max: number; currency: string }) {
  const rounded = (amount: number) => Math.round(amount * 1e6) / 1e6
  return min === max ? spellMoney({ amount: min, currency }) : `${rounded(min)}–${rounded(max)} ${currency}`
}

/** The whole of standard input as text. */
export async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/^\ufeff/, '')
}
