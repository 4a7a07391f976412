import { type RefObject, useEffect, useEffectEvent } from 'react'

/** Returns false where the key means nothing at the moment. */
type KeyHandler = (event: KeyboardEvent) => unknown

/**
 * Keys of a whole screen, by `event.key`, with `Mod+` in front where Ctrl or ⌘ is held; `*` gets every other. They rest while somebody
 * writes, except in `alsoIn`, and while something lies over the page.
 */
export function useKeys(keys: Readonly<Record<string, KeyHandler>>, alsoIn?: RefObject<HTMLElement | null>) {
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.altKey || hasOverlay()) return
    if (isTyping(event.target) && event.target !== alsoIn?.current) return
    const name = event.ctrlKey || event.metaKey ? `Mod+${event.key}` : event.key
    const handle = Object.hasOwn(keys, name) ? keys[name] : keys['*']
    if (handle && handle(event) !== false) event.preventDefault()
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent) => press(event)
    document.addEventListener('keydown', listener)
    return () => document.removeEventListener('keydown', listener)
  }, [])
}

export function isTyping(target: EventTarget | null) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function hasOverlay() {
  return document.querySelector('[role=dialog],[role=alertdialog],[role=listbox],[role=menu]') !== null
}
