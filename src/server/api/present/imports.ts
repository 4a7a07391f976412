/** Imports in answers. */
import type { Import } from '../../../api/imports.ts'
import type { ImportRecord } from '../../../moving/imports.ts'

export function presentImport(record: ImportRecord): Import {
  return {
    id: record.id,
    state: record.state,
    name: record.name,
    is_upload: record.isUpload,
    format: record.format,
    tags: record.tags,
    total: record.total,
    done: record.done,
    ...record.counts,
    by_reason: { ...record.counts.by_reason },
    started_at: record.startedAt,
    finished_at: record.finishedAt,
    error: record.error,
  }
}
