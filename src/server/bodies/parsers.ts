/** Which bodies are read, and how: JSON, and HTML forms where a route says so. Forms with files: `uploads.ts`. */
import type { IncomingMessage } from 'node:http'
import { HttpRefusal } from '../errors/refusals.ts'
import { type App, adviseMediaType, type RouteFacts } from '../route.ts'
import { readJson } from './json.ts'

/** JSON wherever there is a body, HTML forms where a route says so, nothing else; files are added by `acceptUploads`. */
export function acceptBodies(app: App) {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    /^application\/([\w.-]+\+)?json\b/i,
    { parseAs: 'buffer' },
    async (request: Request, body: Buffer) => {
      const charset = /charset\s*=\s*"?([\w-]+)/i.exec(request.headers['content-type'] ?? '')?.[1]
      if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
        throw new HttpRefusal('unsupported_media_type', 'Send JSON in UTF-8.')
      }
      return body.length === 0 ? undefined : readJson(body)
    },
  )
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    async (request: Request, body: Buffer) => {
      if (request.routeOptions.config.accepts !== 'json or form') {
        throw new HttpRefusal(
          'unsupported_media_type',
          'Send the body as JSON with the header content-type: application/json.',
        )
      }
      return Object.fromEntries(new URLSearchParams(body.toString('utf8')))
    },
  )
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    async (request: Request, body: Buffer) => {
      const { config } = request.routeOptions
      if (config.accepts !== 'bytes') throw new HttpRefusal('unsupported_media_type', adviseMediaType(config))
      return body
    },
  )
}

type Request = { headers: IncomingMessage['headers']; routeOptions: { config: RouteFacts } }
