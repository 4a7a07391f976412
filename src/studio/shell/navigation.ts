/** The entries of the navigation: the bar, the keys and the list of keys are made from this. The routes stand in `router.tsx`. */
import { Activity, ChartColumn, FolderInput, Images, KeyRound, Paintbrush, UsersRound } from 'lucide-react'
import { screens } from '../../api/screens.ts'
import type { Me } from '../data/tokens.ts'

/** Screens in the order of the navigation. `key` leads there after a `g`. */
export const navigationItems = [
  { to: screens.generate, text: 'shell.create', icon: Paintbrush, key: 'c', isForAdmins: false },
  { to: screens.gallery, text: 'shell.gallery', icon: Images, key: 'g', isForAdmins: false },
  { to: screens.usage, text: 'shell.usage', icon: ChartColumn, key: 'u', isForAdmins: false },
  { to: screens.configurations, text: 'shell.configurations', icon: KeyRound, key: 'k', isForAdmins: true },
  { to: screens.team, text: 'shell.team', icon: UsersRound, key: 't', isForAdmins: true },
  { to: screens.moving, text: 'shell.moving', icon: FolderInput, key: 'm', isForAdmins: true },
  { to: screens.status, text: 'shell.status', icon: Activity, key: 's', isForAdmins: true },
] as const

export type NavigationItem = (typeof navigationItems)[number]

const welcome = { to: screens.welcome, text: 'shell.welcome', isForAdmins: true } as const

/** Undefined for one that is not gone to by itself, such as a picture. */
export function findNavigationItem(pathname: string): NavigationItem | typeof welcome | undefined {
  const path = pathname.replace(/\/$/, '') || '/'
  return [...navigationItems, welcome].find(({ to }) => to === path)
}

type Asking = Pick<Me, 'role' | 'manages_tokens'> | undefined

/** Users have tokens of their own, on the screen where administrators have the team. */
export function mayOpen({ to, isForAdmins }: Pick<NavigationItem, 'to' | 'isForAdmins'> | typeof welcome, me: Asking) {
  return !isForAdmins || me?.role === 'admin' || (to === screens.team && me?.manages_tokens === 'own')
}

export function navigationFor(me: Asking): NavigationItem[] {
  return navigationItems.filter(item => mayOpen(item, me))
}

/** What the entry is called for whoever looks. */
export function nameOfItem({ to, text }: Pick<NavigationItem, 'to' | 'text'> | typeof welcome, me: Asking) {
  return to === screens.team && me?.manages_tokens === 'own' ? 'shell.ownTokens' : text
}
