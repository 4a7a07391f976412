/** The keys that work everywhere. */
import { useNavigate } from '@tanstack/react-router'
import { useRef } from 'react'
import { useMe } from '../data/tokens.ts'
import { useKeys } from '../ui/use-keys.ts'
import { navigationFor } from './navigation.ts'
import { toggleTheme } from './theme.ts'

const secondKeyWithinMs = 1200

export function useShortcuts(openSheet: () => void) {
  const navigate = useNavigate()
  const me = useMe()
  const gAt = useRef(Number.NEGATIVE_INFINITY)
  useKeys({
    '*'({ key, timeStamp, ctrlKey, metaKey }) {
      if (ctrlKey || metaKey) return false
      const isAfterG = timeStamp - gAt.current < secondKeyWithinMs
      gAt.current = key === 'g' && !isAfterG ? timeStamp : Number.NEGATIVE_INFINITY
      const place = isAfterG && navigationFor(me).find(place => place.key === key)
      if (place) return navigate({ to: place.to })
      if (key === '?') return openSheet()
      return key === 't' ? toggleTheme() : false
    },
  })
}
