/**
 * Of the installed studio: opens it without a network, takes pictures that a phone shares, and brings the studio forward when its
 * notification is pressed. The server always comes first: what was kept is shown only where it does not answer. Answers of the API and
 * pictures are never touched. It has no imports, so that it is one file under an address that stays.
 */
interface ShellFiles {
  /** Another one for each build. */
  version: string
  /** Below the address of the studio. */
  files: string[]
}

/** Put in by the build. */
declare const shellFiles: ShellFiles

interface WaitingEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface WorkerFetchEvent extends WaitingEvent {
  request: Request
  respondWith(answer: Promise<Response>): void
}
interface NotificationClick extends WaitingEvent {
  notification: Notification
}
interface WorkerScope {
  registration: ServiceWorkerRegistration
  skipWaiting(): Promise<void>
  clients: {
    claim(): Promise<void>
    matchAll(filter: {
      type: 'window'
      includeUncontrolled: true
    }): Promise<{ url: string; focus(): Promise<unknown> }[]>
    openWindow(url: string): Promise<unknown>
  }
}

const worker = globalThis as unknown as WorkerScope
/** With a slash at its end. Several servers may stand under paths of one origin, so the names of caches hold it. */
const base = worker.registration.scope
const { version, files } = shellFiles
const shellName = `webimgui.shell@${base}`
const shellCache = `${shellName}@${version}`
const sharedCache = `webimgui.shared@${base}`
const notOfScreens = /^(api|images|docs|login|assets|v1)(\/|$)/

/** Fails without a session; the browser tries again at a later visit. */
async function keepShell() {
  const page = await fetch(base, { cache: 'no-store', redirect: 'error' })
  if (!page.ok) throw new Error(`The page of the studio was answered with ${page.status}.`)
  const cache = await caches.open(shellCache)
  await cache.addAll(files.map(file => new URL(file, base).href))
  await cache.put(base, page)
  await worker.skipWaiting()
}

async function dropOlder() {
  const names = await caches.keys()
  const older = names.filter(name => name.startsWith(`${shellName}@`) && name !== shellCache)
  await Promise.all(older.map(name => caches.delete(name)))
  await worker.clients.claim()
}

async function answer(request: Request, kept: string): Promise<Response> {
  const find = async () => (await caches.open(shellCache)).match(kept, { ignoreVary: true })
  try {
    const response = await fetch(request)
    // A proxy whose server is away.
    return [502, 503, 504].includes(response.status) ? ((await find()) ?? response) : response
  } catch (error) {
    const found = await find()
    if (!found) throw error
    return found
  }
}

/** They wait until the studio asks for them, which may be after a login. */
async function keepShared(request: Request) {
  const shared = (await request.formData()).getAll('pictures').filter(part => part instanceof File)
  const cache = shared.length > 0 ? await caches.open(sharedCache) : undefined
  for (const [index, file] of shared.entries()) {
    const headers = { 'content-type': file.type, 'x-name': encodeURIComponent(file.name) }
    await cache?.put(`${base}share/${Date.now()}-${index}`, new Response(file, { headers }))
  }
  return Response.redirect(base, 303)
}

/** Each once, as a form. */
async function giveShared() {
  if (!(await caches.has(sharedCache))) return new Response(null, { status: 204 })
  const cache = await caches.open(sharedCache)
  const form = new FormData()
  for (const request of await cache.keys()) {
    const kept = await cache.match(request)
    if (kept) form.append('pictures', await kept.blob(), decodeURIComponent(kept.headers.get('x-name') ?? ''))
  }
  await caches.delete(sharedCache)
  return new Response(form)
}

async function bringForward() {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const page = pages.find(({ url }) => url.startsWith(base))
  await (page ? page.focus() : worker.clients.openWindow(base))
}

addEventListener('install', event => (event as WaitingEvent).waitUntil(keepShell()))
addEventListener('activate', event => (event as WaitingEvent).waitUntil(dropOlder()))
addEventListener('notificationclick', event => {
  const { notification } = event as NotificationClick
  notification.close()
  ;(event as NotificationClick).waitUntil(bringForward())
})
addEventListener('fetch', event => {
  const { request } = event as WorkerFetchEvent
  const [url = ''] = request.url.split(/[?#]/, 1)
  if (!url.startsWith(base)) return
  const path = url.slice(base.length)
  const respond = (response: Promise<Response>) => (event as WorkerFetchEvent).respondWith(response)
  if (path === 'share' && request.method === 'POST') respond(keepShared(request))
  else if (request.method !== 'GET') return
  else if (path === 'share') respond(giveShared())
  else if (files.includes(path)) respond(answer(request, url))
  else if (request.mode === 'navigate' && !notOfScreens.test(path)) respond(answer(request, base))
})
