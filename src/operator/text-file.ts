/** Text files that people edit, in the encodings and line endings that editors use. */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { SentenceError } from './sentence-error.ts'

/** A file that cannot be read as text. */
export class TextFileError extends SentenceError {
  override name = 'TextFileError'
}

/**
 * UTF-8 or UTF-16, with or without a byte order mark (Notepad, and `>` in PowerShell 5), lines ended in the way of any system; here they
 * end in `\n`.
 * @throws TextFileError when it is another encoding or no text; errors of the file system as they come.
 */
export function readTextFile(file: string): string {
  const bytes = readFileSync(file)
  const text = decode(bytes, file).replace(/\r\n?/g, '\n')
  const nul = text.indexOf('\0')
  if (nul >= 0) throw notText(file, text.slice(0, nul).split('\n').length)
  return text
}

function decode(bytes: Uint8Array, file: string) {
  const encoding = detectEncoding(bytes)
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (error) {
    throw notText(file, encoding === 'utf-8' ? firstBadLine(bytes) : 1, error)
  }
}

function detectEncoding([first, second]: Uint8Array) {
  const isText = (byte: number | undefined) => byte !== undefined && byte !== 0 && byte < 0x80
  // Without a byte order mark, a zero byte beside an ASCII letter shows UTF-16.
  if ((first === 0xff && second === 0xfe) || (isText(first) && second === 0)) return 'utf-16le'
  if ((first === 0xfe && second === 0xff) || (first === 0 && isText(second))) return 'utf-16be'
  return 'utf-8'
}

function firstBadLine(bytes: Uint8Array) {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = 1
  for (let start = 0; start <= bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start)
    try {
      decoder.decode(bytes.subarray(start, end < 0 ? undefined : end))
    } catch {
      return line
    }
    if (end < 0) break
    start = end + 1
  }
  return line
}

function notText(file: string, line: number, cause?: unknown) {
  return new TextFileError(
    `${file}, line ${line}: this is not UTF-8, so the file was probably saved in another encoding (ANSI, GBK). Save it as UTF-8.`,
    `${file} 第 ${line} 行不是 UTF-8，文件可能以其他编码（ANSI、GBK）保存。请另存为 UTF-8。`,
    { cause },
  )
}

/** Creates the file with mode 0600, whole or not at all, even if two processes start at once. False: it exists already. */
export function writeNewFile(file: string, text: string): boolean {
  mkdirSync(path.dirname(file), { recursive: true })
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  const handle = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(handle, `${text}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  try {
    linkSync(temporary, file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}
