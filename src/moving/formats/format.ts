/** The ways in which programs lay out what they export. */
import type { FoundMarks, FoundRecipe } from '../recipe.ts'
import type { Source } from '../sources.ts'
import type { Refuse, TreeFile } from '../trees/tree.ts'

/** A picture, with what is known of it before its file is read. */
export interface FoundPicture {
  /** For the report. */
  path: string
  content: TreeFile | Buffer
  /** What its program calls the request that made it, together with the program; its own bytes identify it when absent. */
  identity?: string
  /** The id of the generation where this program made it. */
  generationId?: string
  /** Position in its generation, from 0. */
  index: number
  /** Read from the picture itself when absent. */
  recipe?: FoundRecipe
  /** The program that made it, where its picture does not tell; `files` when absent. */
  source?: Source
  marks?: FoundMarks
  /** ISO 8601. */
  createdAt?: string
  references?: TreeFile[]
}

export interface Format {
  name: string
  /** How many there are, for the progress; several pictures of one request count each. */
  count(): Promise<number>
  read(refuse: Refuse): AsyncIterable<FoundPicture>
  close?(): void
}
