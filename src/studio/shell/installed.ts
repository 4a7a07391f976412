/** The studio as an app of the device: its service worker, what phones share with it, and the offer to install it. */
import { connection } from '../data/connection.ts'
import { giveReferences } from '../data/dropped-files.ts'
import { createStore } from '../data/store.ts'

/** Of Chromium, before the user is asked. */
interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }>
}

/** Undefined where the browser offers nothing, or it was installed. */
export const installPrompt = createStore<InstallPrompt | undefined>(undefined)

function isInstalled() {
  return (
    matchMedia('(display-mode: standalone)').matches || ('standalone' in navigator && navigator.standalone === true)
  )
}

/** A studio that is looked at in a tab alone has no service worker; once it is installed, each start keeps that one up to date. */
export function followInstallation() {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return
  addEventListener('beforeinstallprompt', event => installPrompt.set(event as InstallPrompt))
  addEventListener('appinstalled', () => {
    installPrompt.set(undefined)
    void registerWorker()
  })
  if (isInstalled()) void registerWorker()
  if (navigator.serviceWorker.controller) void takeShared()
  replaceKeptPage()
}

/** Notifications of phones need it as well. */
export async function registerWorker() {
  try {
    await navigator.serviceWorker.register(new URL('service-worker.js', document.baseURI))
  } catch {
    // Browsers forbid it in private windows, for example; the studio works without.
  }
}

async function takeShared() {
  const answer = await fetch('share')
  if (answer.status !== 200) return
  const files = (await answer.formData()).getAll('pictures').filter(part => part instanceof File)
  if (files.length > 0) giveReferences(files)
}

/** A page that was opened without its server may be older than the studio that is there afterwards. */
function replaceKeptPage() {
  let wasLost = false
  const stop = connection.subscribe(() => {
    if (connection.get() === 'lost') wasLost = true
    else if (connection.get() === 'open') {
      stop()
      if (wasLost) void compare()
    }
  })
  async function compare() {
    const page = await (await fetch('./')).text()
    const script = document.querySelector('script[type=module]')?.getAttribute('src')
    if (script && !page.includes(script)) location.reload()
  }
}
