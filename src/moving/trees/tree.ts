/** What is imported: a folder or a ZIP, seen as files with paths that use `/`. */
import { SentenceError } from '../../operator/sentence-error.ts'

export interface TreeFile {
  /** Relative to the tree, with `/`. */
  path: string
  bytes: number
  /** ISO 8601; undefined where nobody noted it. */
  modifiedAt: string | undefined
}

export interface Tree {
  /** Where it is, for people. */
  name: string
  /** Files of this tree, in the order of their paths; what cannot be read is told to `refuse`. */
  list(refuse: Refuse): AsyncIterable<TreeFile>
  /** The paths of the same files; nothing is looked at but names. */
  paths(): AsyncIterable<string>
  find(path: string): Promise<TreeFile | undefined>
  /** The bytes of a file, at most `maxBytes`. @throws EntryError */
  open(file: TreeFile, maxBytes: number): AsyncIterable<Uint8Array>
  /** Where it lies on the disk; absent where files lie inside of another. */
  placeOf?(file: TreeFile): string
  close(): Promise<void>
}

/** Why something is not imported. Stable words: programs that read a report branch on them. */
export const leftOutReasons = [
  'not_a_picture',
  'not_shown',
  'damaged',
  'too_large',
  'missing',
  'unreadable',
  'symbolic_link',
  'unsafe_name',
  'encrypted',
  'unsupported',
  'archive_inside',
] as const

export type LeftOutReason = (typeof leftOutReasons)[number]

export type Refuse = (path: string, reason: LeftOutReason, detail?: string) => void

/** One file that cannot be imported; the others can. */
export class EntryError extends Error {
  override name = 'EntryError'
  readonly reason: LeftOutReason

  constructor(reason: LeftOutReason, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.reason = reason
  }
}

/** Nothing of this tree can be imported. */
export class TreeError extends SentenceError {
  override name = 'TreeError'
}

/** No absolute paths, no way upwards, nothing that a terminal or a report would take for something else. */
export function isSafePath(path: string): boolean {
  if (path === '' || path.length > 4096 || /[\x00-\x1f\x7f\\]/.test(path) || /^[a-zA-Z]:/.test(path)) return false
  return path.split('/').every(name => name !== '' && name !== '.' && name !== '..')
}

/** Leftovers of file managers, and whatever begins with a dot. */
export function isHidden(path: string): boolean {
  return path.split('/').some(name => name.startsWith('.') || hiddenNames.has(name.toLowerCase()))
}

const hiddenNames = new Set(['__macosx', '@eadir', 'thumbs.db', 'desktop.ini'])

/** The whole of a small file as text in UTF-8. @throws EntryError */
export async function readTextFile(tree: Tree, file: TreeFile, maxBytes: number): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of tree.open(file, maxBytes)) pieces.push(piece)
  return Buffer.concat(pieces)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
}
