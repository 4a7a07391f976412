/** The studio: the page that `vite build` made, under every address of a screen, and its files. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import files from '@fastify/static'
import type { FastifyReply } from 'fastify'
import { screens } from '../../api/screens.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { homePage, sendPage } from './html.ts'

/** Where `npm run build` puts it. */
export const studioFolder = path.join(findInstallation(import.meta.dirname), 'dist/studio')

/** Policy of the workers: the one that holds the stream of all tabs, and that of the installed studio. It comes with their files, not with the page. */
const workerPolicy = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
const workerFile = /^event-worker-[\w-]+\.js$/

/** Content security policy: the studio's own files and nothing else; pictures that were just chosen or drawn are `blob:` and `data:`. */
const studioPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'self'",
].join('; ')

const baseElement = /<base href="[^"]*"\s*\/?>/

export type StudioPage = ReturnType<typeof createStudioPage>

export function createStudioPage(prefix: string, folder = studioFolder) {
  return {
    /** Undefined if the studio was not built. Read each time: it is small, and a build takes effect at once. */
    async read() {
      const page = await readFile(path.join(folder, 'index.html'), 'utf8').catch(whenMissing)
      return page?.replace(baseElement, () => `<base href="${escapeAttribute(`${prefix}/`)}" />`)
    },
    send: (reply: FastifyReply, page: string) => sendPage(reply, page, studioPolicy),
  }
}

/** Without a built studio, a plain page says how to build it. */
export async function addStudio(
  app: App,
  { settings, access, prefix, base }: Parts,
  studio: StudioPage,
  folder = studioFolder,
) {
  for (const address of [...Object.values(screens), '/index.html']) {
    app.get(
      address,
      { config: { access: 'member', sendsToLogin: true }, schema: { hide: true } },
      async (request, reply) => {
        const page = await studio.read()
        if (page !== undefined) return studio.send(reply, page)
        const server = base || `http://${request.headers.host ?? `127.0.0.1:${settings.port}`}`
        return sendPage(reply, homePage(prefix, server, access.needsToken))
      },
    )
  }

  await app.register(files, {
    serve: false,
    root: folder,
    index: false,
    dotfiles: 'ignore',
    // File names contain a hash of the content.
    immutable: true,
    maxAge: '365d',
    preCompressed: true,
  })
  app.get('/assets/*', { config: { access: 'member' }, schema: { hide: true } }, (request, reply) => {
    const name = (request.params as { '*': string })['*']
    if (workerFile.test(name)) reply.header('content-security-policy', workerPolicy)
    return reply.sendFile(name, path.join(folder, 'assets'))
  })
  addInstallation(app, folder)
}

/** What a device reads to install the studio, also where it sends no cookies. Under addresses that stay, so it is asked for again. */
function addInstallation(app: App, folder: string) {
  const ask = { cacheControl: false, immutable: false } as const
  const open = { config: { access: 'open' }, schema: { hide: true } } as const
  app.get('/manifest.webmanifest', open, (_, reply) =>
    reply.header('cache-control', 'no-cache').sendFile('manifest.webmanifest', folder, ask),
  )
  app.get('/service-worker.js', open, (_, reply) =>
    reply
      .headers({ 'cache-control': 'no-cache', 'content-security-policy': workerPolicy })
      .sendFile('service-worker.js', folder, ask),
  )
  app.get('/icons/*', open, (request, reply) => {
    const name = (request.params as { '*': string })['*']
    return reply.header('cache-control', 'public, max-age=86400').sendFile(name, path.join(folder, 'icons'), ask)
  })
}

/** The folder of `package.json`, which is above the sources and above the built server alike. */
function findInstallation(folder: string): string {
  const parent = path.dirname(folder)
  return existsSync(path.join(folder, 'package.json')) || parent === folder ? folder : findInstallation(parent)
}

function whenMissing(error: unknown) {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

function escapeAttribute(text: string) {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
