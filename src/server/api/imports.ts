/** Moving in: administrators import what other programs made. Moving out: everybody exports what is their own. */
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import {
  ExportQuery,
  ExportRequest,
  Import,
  ImportChange,
  ImportFolder,
  ImportFolderQuery,
  ImportList,
  ImportRequest,
  ReportQuery,
  UploadPartQuery,
  UploadState,
} from '../../api/imports.ts'
import { invalid } from '../../errors.ts'
import { toFilter } from '../../generation/history.ts'
import { restrictTo } from '../../members/tokens.ts'
import { reportAsJson, reportAsText } from '../../moving/report.ts'
import { getCaller } from '../access/access.ts'
import type { Parts } from '../parts.ts'
import { type App, readId } from '../route.ts'
import { presentImport } from './present/imports.ts'

/** Small enough for every proxy that lets pictures through. */
export const maxPartBytes = 8 * 1024 * 1024

const steps = { paused: 'pause', running: 'continue', stopped: 'stop' } as const

export function importRoutes(app: App, { services, prefix }: Parts) {
  const { imports } = services
  const tags = ['Moving']

  app.get(
    '/api/imports',
    { config: { access: 'admin' }, schema: { tags, summary: 'List imports', response: { 200: ImportList } } },
    async () => ({
      items: imports.list().map(presentImport),
      has_folder: imports.hasFolder,
      sources: await imports.listSources(),
    }),
  )

  app.post(
    '/api/imports',
    {
      config: {
        access: 'admin',
        rateLimit: 'other',
        problems: ['not_found', 'conflict'],
        answers: { 202: { headers: ['Location'] } },
      },
      schema: {
        tags,
        summary: 'Import pictures of other programs',
        description:
          'One at a time, beside the generations. Twice the same adds nothing. docs/moving.md has the programs.',
        body: ImportRequest,
        response: { 202: Import },
      },
    },
    async (request, reply) => {
      const { path, upload, tags = [] } = request.body
      if ((path === undefined) === (upload === undefined))
        throw invalid([{ path: 'path', message: 'Give either "path" or "upload".' }])
      const record = await imports.start({ path, upload, tags })
      return reply.code(202).header('location', `${prefix}/api/imports/${record.id}`).send(presentImport(record))
    },
  )

  app.get(
    '/api/imports/:id',
    { config: { access: 'admin' }, schema: { tags, summary: 'How far an import is', response: { 200: Import } } },
    async request => presentImport(imports.get(readId(request))),
  )

  app.patch(
    '/api/imports/:id',
    {
      config: { access: 'admin', problems: ['conflict'] },
      schema: { tags, summary: 'Pause, continue or stop an import', body: ImportChange, response: { 200: Import } },
    },
    async request => presentImport(await imports.change(readId(request), steps[request.body.state])),
  )

  app.get(
    '/api/imports/:id/report',
    {
      config: {
        access: 'admin',
        answers: { 200: { description: 'What became of each picture, as JSON or text.', type: 'application/json' } },
      },
      schema: { tags, summary: 'The report of an import', querystring: ReportQuery },
    },
    async (request, reply) => {
      const record = imports.get(readId(request))
      const file = imports.reportFile(record.id)
      const isText = request.query.format === 'text'
      const head = { webimgui_import: 1, ...presentImport(record) }
      reply.header('content-disposition', `attachment; filename="webimgui-import.${isText ? 'txt' : 'json'}"`)
      return reply
        .type(isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8')
        .send(Readable.from(isText ? reportAsText(file, record.counts) : reportAsJson(file, head)))
    },
  )

  app.get(
    '/api/imports/folder',
    {
      config: { access: 'admin', problems: ['not_found'] },
      schema: {
        tags,
        summary: 'What lies in the folder of imports',
        querystring: ImportFolderQuery,
        response: { 200: ImportFolder },
      },
    },
    async request => ({ items: await imports.browse(request.query.path ?? '') }),
  )

  app.post(
    '/api/imports/upload',
    {
      bodyLimit: maxPartBytes,
      config: { access: 'admin', rateLimit: 'other', accepts: 'bytes', problems: ['conflict', 'not_found'] },
      schema: {
        tags,
        summary: 'Upload a part of a ZIP',
        description:
          'A body of at most 8 MiB as `application/octet-stream`; parts follow one another. Then `POST /api/imports` with `upload`. What nobody ' +
          'imports is removed after a day.',
        querystring: UploadPartQuery,
        response: { 200: UploadState },
      },
    },
    async request => {
      const { name = 'upload.zip', upload, offset = 0 } = request.query
      const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      return imports.receive({ upload, name: name.replace(/[\x00-\x1f\x7f/\\]/g, ''), offset, bytes })
    },
  )
}

export function exportRoutes(app: App, { services }: Parts) {
  const tags = ['Moving']
  const config = {
    access: 'member',
    rateLimit: 'other',
    longAnswer: 'archive',
    answers: { 200: { description: 'A ZIP.', type: 'application/zip' } },
  } as const

  app.get(
    '/api/export',
    {
      exposeHeadRoute: false,
      config,
      schema: {
        tags,
        summary: 'Export pictures with their recipes',
        description:
          'All that the filters choose, those of `GET /api/history`, in one ZIP of any size: each picture as it came, with a JSON file beside it. ' +
          'docs/moving.md describes it; `POST /api/imports` takes it again. A member exports its own.',
        querystring: ExportQuery,
      },
    },
    async (request, reply) =>
      send({ filter: toFilter({ ...request.query, owner: restrictTo(getCaller(request)) }) }, reply),
  )

  app.post(
    '/api/export',
    {
      config: { ...config, accepts: 'json or form' },
      schema: { tags, summary: 'Export chosen pictures with their recipes', body: ExportRequest },
    },
    async (request, reply) => send({ ids: request.body.ids, owner: restrictTo(getCaller(request)) }, reply),
  )

  function send(selection: Parameters<typeof services.exports.zip>[0], reply: FastifyReply) {
    const day = new Date().toISOString().slice(0, 10)
    reply.header('content-disposition', `attachment; filename="webimgui-export-${day}.zip"`)
    return reply.type('application/zip').send(Readable.from(services.exports.zip(selection), { objectMode: false }))
  }
}
