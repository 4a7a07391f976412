/** A notification and a sound when a picture is there while nobody looks at the studio, for those who have switched them on. */
import type { Generation } from '../data/generations.ts'
import { createKept, createStore } from '../data/store.ts'
import { t } from '../text/text.ts'

export interface Signals {
  notification: boolean
  sound: boolean
}

const kept = createKept<Signals>('signals', json => {
  const given = typeof json === 'object' && json !== null ? (json as Partial<Record<keyof Signals, unknown>>) : {}
  return { notification: given.notification === true, sound: given.sound === true }
})

export const signals = createStore(kept.read())

export function changeSignals(change: Partial<Signals>) {
  signals.set({ ...signals.get(), ...change })
  kept.write(signals.get())
}

/** `insecure`: the page came over plain HTTP from another machine, where browsers offer none. */
export function notificationState(): NotificationPermission | 'insecure' | 'unknown' {
  if (!isSecureContext) return 'insecure'
  return 'Notification' in globalThis ? Notification.permission : 'unknown'
}

/** `running`: how many more are under way. */
export function signalEnd({ status, prompt }: Generation, running: number) {
  // Another tab may have switched them.
  const { notification, sound } = kept.read()
  if (sound) void playSound()
  if (!notification || notificationState() !== 'granted') return
  const title = t(status === 'succeeded' ? 'live.announceDone' : 'live.announceFailed', { prompt: prompt.slice(0, 60) })
  const options = {
    icon: new URL('icons/icon-192.png', document.baseURI).href,
    body: running > 0 ? t('signals.more', { count: running }) : undefined,
    // One takes the place of the one before; the last is shown anew.
    tag: `webimgui@${document.baseURI}`,
    renotify: running === 0,
    silent: sound,
  }
  try {
    const shown = new Notification(title, options)
    shown.onclick = () => {
      window.focus()
      shown.close()
    }
  } catch {
    // Phones allow them to service workers alone.
    void navigator.serviceWorker?.getRegistration().then(worker => worker?.showNotification(title, options))
  }
}

/** Two short notes. Silent where the browser wants a press in the page first. */
export async function playSound() {
  const audio = new AudioContext()
  try {
    const volume = audio.createGain()
    volume.connect(audio.destination)
    for (const [index, pitch] of [659.3, 880].entries()) {
      const start = audio.currentTime + index * 0.16
      const note = audio.createOscillator()
      note.frequency.value = pitch
      note.connect(volume)
      note.start(start)
      note.stop(start + 0.5)
      volume.gain.setValueAtTime(0.12, start)
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.45)
      if (index === 1) note.onended = () => void audio.close()
    }
  } catch {
    await audio.close()
  }
}
