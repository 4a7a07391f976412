/** The frame around every screen: navigation, language and theme, and what holds for all of them. */

import { Outlet, useLocation } from '@tanstack/react-router'
import { FlaskConical, Images, ShieldCheck, WifiOff } from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { activity } from '../data/activity.ts'
import { useConfigurations } from '../data/configurations.ts'
import { connection } from '../data/connection.ts'
import { useMe } from '../data/tokens.ts'
import { useText } from '../text/text.ts'
import { buttonClasses, LinkButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { EmptyState, Notice } from '../ui/states.tsx'
import { Toasts } from '../ui/toast.tsx'
import { findNavigationItem, mayOpen, nameOfItem } from './navigation.ts'
import { NavigationBar } from './navigation-bar.tsx'
import { useShortcuts } from './shortcuts.ts'

const ShortcutSheet = lazy(async () => ({ default: (await import('./shortcut-sheet.tsx')).ShortcutSheet }))
const SignalsDialog = lazy(async () => ({ default: (await import('./signals-dialog.tsx')).SignalsDialog }))
const FileDrop = lazy(async () => ({ default: (await import('./file-drop.tsx')).FileDrop }))

export function Shell() {
  const t = useText()
  const [isSheetOpen, setSheetOpen] = useState(false)
  const [areSignalsOpen, setSignalsOpen] = useState(false)
  const me = useMe()
  useShortcuts(() => setSheetOpen(true))
  const place = usePlace()
  const isForbidden = me !== undefined && place !== undefined && !mayOpen(place, me)
  // A single picture has the whole page, without the navigation.
  const isImageScreen = useLocation({ select: location => /\/picture\//.test(location.pathname) })
  // These have all of the window, also on a phone; they lead back where one came from.
  const isFullScreen = useLocation({ select: location => /\/(compare|cull)\/?$/.test(location.pathname) })
  return (
    <div className={classes(!isFullScreen && 'lg:grid lg:min-h-dvh lg:grid-cols-[5.5rem_minmax(0,1fr)]')}>
      <a
        href="#content"
        className={classes(
          buttonClasses({ look: 'primary' }),
          'fixed top-2 left-2 z-50 -translate-y-20 focus-visible:translate-y-0',
        )}
      >
        {t('shell.skip')}
      </a>
      {!isFullScreen && <NavigationBar openSheet={() => setSheetOpen(true)} openSignals={() => setSignalsOpen(true)} />}
      <div className={classes('min-w-0', isImageScreen || isFullScreen ? 'pb-0' : 'pb-24 lg:pb-0')}>
        <Toasts />
        <main id="content" tabIndex={-1} className="outline-none">
          <Banners isImageScreen={isImageScreen || isFullScreen} />
          {isForbidden ? <ForAdmins /> : <Outlet />}
        </main>
      </div>
      <Suspense>
        <FileDrop />
      </Suspense>
      {areSignalsOpen && (
        <Suspense>
          <SignalsDialog onClose={() => setSignalsOpen(false)} />
        </Suspense>
      )}
      {isSheetOpen && (
        <Suspense>
          <ShortcutSheet onClose={() => setSheetOpen(false)} />
        </Suspense>
      )}
    </div>
  )
}

/** Which of the places is shown; the tab of the browser says it with what is under way, and it is read out first. */
function usePlace() {
  const t = useText()
  const place = findNavigationItem(useLocation({ select: location => location.pathname }))
  const me = useMe()
  const { running, ended } = activity.use()
  const mark = running > 0 ? `(${running}) ` : ended ? { done: '✓ ', failed: '! ' }[ended] : ''
  const title = `${mark}${place ? `${t(nameOfItem(place, me))} · ` : ''}webimgui`
  useEffect(() => {
    document.title = title
  }, [title])
  return place
}

function Banners({ isImageScreen }: { isImageScreen: boolean }) {
  const t = useText()
  const isLost = connection.use() === 'lost'
  const configurations = useConfigurations()
  const active = configurations.filter(configuration => configuration.is_active)
  // Services on this machine are simulators; the operator's own gateways have names or other addresses.
  const areLocal = active.length > 0 && active.every(({ is_local }) => is_local)
  return (
    <div className="flex flex-col gap-2 px-4 pt-3 empty:hidden">
      {isLost && (
        <Notice look="warning" icon={<WifiOff aria-hidden />}>
          <span role="status">{t('shell.offline')}</span>
        </Notice>
      )}
      {/* A picture is fitted to the height of the window. */}
      {areLocal && !isImageScreen && (
        <p className="flex items-center justify-center gap-2 text-ink-faint text-xs">
          <FlaskConical aria-hidden className="size-3.5 shrink-0" />
          {t('shell.simulators')}
        </p>
      )}
    </div>
  )
}

export function NotFound() {
  const t = useText()
  return (
    <EmptyState
      isPage
      icon={<Images aria-hidden />}
      title={t('shell.notFound')}
      action={<LinkButton to="/gallery">{t('shell.gallery')}</LinkButton>}
    >
      {t('shell.notFoundHint')}
    </EmptyState>
  )
}

/** In place of a screen that a member has no use for, when one comes by an old link. */
function ForAdmins() {
  const t = useText()
  return (
    <EmptyState
      isPage
      icon={<ShieldCheck aria-hidden />}
      title={t('shell.forAdmins')}
      action={<LinkButton to="/">{t('shell.create')}</LinkButton>}
    >
      {t('shell.forAdminsHint')}
    </EmptyState>
  )
}
