/** Exports of a server: a ZIP that is written while it is sent. */
import { type ExportParts, type ExportSelection, emptyCounts, listExport } from './entries.ts'
import { writeZip } from './zip.ts'

export interface Exports {
  /** In pieces; whatever is missing stands in its `export.json`. */
  zip(selection: ExportSelection): AsyncIterable<Uint8Array>
}

export function createExports(parts: ExportParts): Exports {
  return { zip: selection => writeZip(listExport(selection, parts, emptyCounts())) }
}
