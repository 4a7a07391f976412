/** The keys that work everywhere. */
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useEffectEvent } from 'react'
import { toggleTheme } from './theme.ts'

const places = { c: '/', g: '/gallery', u: '/usage', k: '/configurations', t: '/team', s: '/status' } as const
const adminKeys = ['k', 't', 's']
const secondKeyWithinMs = 1200

/** Letters alone mean something only where nothing is being written. */
export function isTyping(target: EventTarget | null) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

export function useShortcuts(openSheet: () => void, isAdmin: boolean) {
  const navigate = useNavigate()
  const act = useEffectEvent((key: string, isAfterG: boolean) => {
    if (isAfterG && Object.hasOwn(places, key) && (isAdmin || !adminKeys.includes(key))) {
      void navigate({ to: places[key as keyof typeof places] })
      return true
    }
    if (key === '?') openSheet()
    else if (key === 't') toggleTheme()
    else return false
    return true
  })
  useEffect(() => {
    let gAt = Number.NEGATIVE_INFINITY
    function press(event: KeyboardEvent) {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('[role=dialog],[role=alertdialog]')) return
      const isAfterG = event.timeStamp - gAt < secondKeyWithinMs
      gAt = event.key === 'g' && !isAfterG ? event.timeStamp : Number.NEGATIVE_INFINITY
      if (act(event.key, isAfterG)) event.preventDefault()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
}
