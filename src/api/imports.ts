/** Moving in and out. */
import { z } from 'zod'
import { HistoryCountQuery } from './history.ts'
import { imageIds } from './schemas.ts'

const tag = z.string().trim().min(1).max(100)

export const ImportRequest = z
  .strictObject({
    path: z
      .string()
      .max(4000)
      .optional()
      .describe('A folder, ZIP or picture below `IMPORT_FOLDER`, with `/`; empty for all of it.'),
    upload: z.string().max(100).optional().describe('The id of a complete upload, instead of `path`.'),
    tags: z.array(tag).max(10).optional().describe('Added to everything that is imported.'),
  })
  .meta({ id: 'ImportRequest', examples: [{ path: 'comfyui/output', tags: ['moved in'] }] })

export const ImportChange = z
  .strictObject({
    state: z
      .enum(['paused', 'running', 'stopped'])
      .describe('`running` also continues one that was stopped or failed: what is here already is skipped.'),
  })
  .meta({ id: 'ImportChange' })

export const Import = z
  .object({
    id: z.string(),
    state: z.enum(['running', 'paused', 'done', 'stopped', 'failed']),
    name: z.string().describe('The path below `IMPORT_FOLDER`, or the name of the uploaded file.'),
    is_upload: z.boolean(),
    format: z.string().describe('How its program lays out exports; empty until that is known.'),
    tags: z.array(z.string()),
    total: z.int().nullable().describe('Pictures that there are; null until they are counted.'),
    done: z.int(),
    imported: z.int(),
    already: z.int().describe('Here already; nothing was added.'),
    differs: z.int().describe('Here already with another recipe; nothing was changed.'),
    left_out: z.int(),
    by_source: z.record(z.string(), z.int()).describe('Imported ones by the program that made them.'),
    by_reason: z.record(z.string(), z.int()).describe('Left-out ones by reason: docs/moving.md.'),
    started_at: z.string(),
    finished_at: z.string().nullable(),
    error: z.object({ en: z.string(), zh: z.string() }).nullable().describe('Why it failed.'),
  })
  .meta({ id: 'Import' })

export type Import = z.infer<typeof Import>

export const ImportList = z
  .object({
    items: z.array(Import).describe('Newest first.'),
    has_folder: z.boolean().describe('Is `IMPORT_FOLDER` set?'),
    sources: z
      .array(z.object({ id: z.string(), name: z.string() }))
      .describe('Programs whose pictures are in the history; `provider` of `GET /api/history` takes their `id`.'),
  })
  .meta({ id: 'ImportList' })

export const ImportFolderQuery = z.strictObject({ path: z.string().max(4000).optional() })

export const ImportFolder = z
  .object({
    items: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(['folder', 'archive']),
        bytes: z.int().describe('Of an archive; 0 for a folder.'),
      }),
    ),
  })
  .meta({ id: 'ImportFolder' })

export const ReportQuery = z.strictObject({ format: z.enum(['json', 'text'], 'Use json or text.').optional() })

const offset = z
  .string()
  .meta({ type: 'integer', minimum: 0 })
  .refine(text => /^\d{1,15}$/.test(text), 'Use a whole number.')
  .transform(Number)

export const UploadPartQuery = z.strictObject({
  name: z.string().max(300).optional().describe('Of the file, with its first part.'),
  upload: z.string().max(100).optional().describe('The id that the first part got; absent for that.'),
  offset: offset.optional().describe('Where this part begins in the file.'),
})

export const UploadState = z
  .object({ upload: z.string(), bytes: z.int().describe('Received so far; the next part begins there.') })
  .meta({ id: 'UploadState' })

export const ExportQuery = HistoryCountQuery

export const ExportRequest = z.strictObject({ ids: imageIds(10_000) }).meta({ id: 'ExportRequest' })
