/** What stands around every screen: the way between them, language and theme, and what holds for all of them. */
import { Link, Outlet, useLocation } from '@tanstack/react-router'
import {
  Activity,
  ChartColumn,
  FlaskConical,
  Images,
  Keyboard,
  KeyRound,
  Languages,
  LogOut,
  Moon,
  Paintbrush,
  Sun,
  UsersRound,
  WifiOff,
} from 'lucide-react'
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import { explain, signOut, useConfigurations, useMe } from '../data/api.ts'
import { useConnection } from '../data/events.ts'
import { chooseLanguage, useLanguage, useText } from '../text/text.ts'
import { buttonClasses, IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { EmptyState, Notice } from '../ui/states.tsx'
import { Toasts, toast } from '../ui/toast.tsx'
import { ForAdmins } from './for-admins.tsx'
import { MorePlaces } from './more-places.tsx'
import { useShortcuts } from './shortcuts.ts'
import { toggleTheme, useTheme } from './theme.ts'

const ShortcutSheet = lazy(async () => ({ default: (await import('./shortcut-sheet.tsx')).ShortcutSheet }))
const FileDrop = lazy(async () => ({ default: (await import('./file-drop.tsx')).FileDrop }))

const places = [
  { to: '/', text: 'shell.create', icon: <Paintbrush aria-hidden /> },
  { to: '/gallery', text: 'shell.gallery', icon: <Images aria-hidden /> },
  { to: '/usage', text: 'shell.usage', icon: <ChartColumn aria-hidden /> },
  { to: '/configurations', text: 'shell.configurations', icon: <KeyRound aria-hidden />, isForAdmins: true },
  { to: '/team', text: 'shell.team', icon: <UsersRound aria-hidden />, isForAdmins: true },
  { to: '/status', text: 'shell.status', icon: <Activity aria-hidden />, isForAdmins: true },
] as const
const welcome = { to: '/welcome', text: 'shell.welcome', isForAdmins: true } as const
/** As many as the bar of a phone has room for. */
const inBar = 4

export function Shell() {
  const t = useText()
  const [isSheetOpen, setSheetOpen] = useState(false)
  const me = useMe()
  useShortcuts(() => setSheetOpen(true), me?.role === 'admin')
  const place = usePlace()
  const isForbidden = me?.role === 'member' && place !== undefined && 'isForAdmins' in place
  // One picture has the whole page, but for the way back.
  const isPicture = useLocation({ select: location => /\/picture\//.test(location.pathname) })
  return (
    <div className="lg:grid lg:min-h-dvh lg:grid-cols-[5.5rem_minmax(0,1fr)]">
      <a
        href="#content"
        className={classes(
          buttonClasses('primary'),
          'fixed top-2 left-2 z-50 -translate-y-20 focus-visible:translate-y-0',
        )}
      >
        {t('shell.skip')}
      </a>
      <Rail openSheet={() => setSheetOpen(true)} />
      <div className={classes('min-w-0', isPicture ? 'pb-0' : 'pb-24 lg:pb-0')}>
        <main id="content" tabIndex={-1} className="outline-none">
          <Banners isPicture={isPicture} />
          {isForbidden ? <ForAdmins /> : <Outlet />}
        </main>
      </div>
      <Toasts />
      <Suspense>
        <FileDrop />
      </Suspense>
      {isSheetOpen && (
        <Suspense>
          <ShortcutSheet isOpen onClose={() => setSheetOpen(false)} />
        </Suspense>
      )}
    </div>
  )
}

/** Which of the places is shown; the tab of the browser says it, and it is read out first. */
function usePlace() {
  const t = useText()
  const path = useLocation({ select: location => location.pathname.replace(/\/$/, '') })
  const place = [...places, welcome].find(({ to }) => to === (path || '/'))
  const title = place ? `${t(place.text)} · webimgui` : 'webimgui'
  useEffect(() => {
    document.title = title
  }, [title])
  return place
}

/** At the left on a wide screen, at the foot on a phone. */
function Rail({ openSheet }: { openSheet(): void }) {
  const t = useText()
  const me = useMe()
  const path = useLocation({ select: location => location.pathname })
  const offered = places.filter(place => me?.role === 'admin' || !('isForAdmins' in place))
  const rest = offered.slice(inBar)
  const place = ({ to, text, icon }: (typeof places)[number], className: string) => (
    <Link
      key={to}
      to={to}
      activeOptions={{ exact: to === '/', includeSearch: false }}
      className={classes(placeClasses, className)}
    >
      {icon}
      {t(text)}
    </Link>
  )
  const buttons = (
    <>
      <ThemeButton />
      <LanguageButton />
      {me?.needs_token && <SignOutButton />}
    </>
  )
  return (
    <nav
      aria-label={t('shell.navigation')}
      className={classes(
        'fixed inset-x-0 bottom-0 z-30 flex items-center justify-around border-line border-t bg-sheet/95 pb-[env(safe-area-inset-bottom)] backdrop-blur',
        'lg:sticky lg:top-0 lg:h-dvh lg:flex-col lg:justify-start lg:gap-1 lg:border-t-0 lg:border-r lg:py-4',
      )}
    >
      <Link to="/" aria-label="webimgui" className="mb-4 hidden rounded-xl p-1 lg:block">
        <Seal />
      </Link>
      {offered.map((entry, index) => place(entry, index < inBar ? inBarClasses : `${inBarClasses} max-lg:hidden`))}
      <MorePlaces className={classes(placeClasses, inBarClasses)} isActive={rest.some(({ to }) => path.startsWith(to))}>
        {rest.map(entry => place(entry, 'min-h-11 gap-3 px-3'))}
        <div className={classes('flex justify-around', rest.length > 0 && 'mt-1.5 border-line border-t pt-1.5')}>
          {buttons}
        </div>
      </MorePlaces>
      <div className="hidden flex-col items-center lg:mt-auto lg:flex">
        {buttons}
        <IconButton label={`${t('shell.shortcuts')} (?)`} onClick={openSheet}>
          <Keyboard aria-hidden className="size-5" />
        </IconButton>
      </div>
    </nav>
  )
}

const placeClasses =
  'flex items-center rounded-2xl text-ink-soft transition-colors hover:text-ink [&>svg]:size-5.5 ' +
  'data-[status=active]:font-medium data-[status=active]:text-seal-ink'
const inBarClasses =
  'min-h-14 min-w-16 flex-col justify-center gap-1 px-2 text-xs lg:w-18 lg:data-[status=active]:bg-seal-wash'

function SignOutButton() {
  const t = useText()
  return (
    <IconButton
      label={t('shell.signOut')}
      onClick={() => void signOut().catch(error => toast(explain(error), { look: 'bad' }))}
    >
      <LogOut aria-hidden className="size-5" />
    </IconButton>
  )
}

function ThemeButton() {
  const t = useText()
  const theme = useTheme()
  const isDark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
  return (
    <IconButton label={t(isDark ? 'shell.themeLight' : 'shell.themeDark')} onClick={toggleTheme}>
      {isDark ? <Sun aria-hidden className="size-5" /> : <Moon aria-hidden className="size-5" />}
    </IconButton>
  )
}

function LanguageButton() {
  const language = useLanguage()
  const other = language === 'zh' ? 'en' : 'zh'
  return (
    <IconButton
      label={other === 'zh' ? '切换到中文' : 'Switch to English'}
      lang={other}
      onClick={() => void chooseLanguage(other)}
    >
      <Languages aria-hidden className="size-5" />
    </IconButton>
  )
}

function Banners({ isPicture }: { isPicture: boolean }) {
  const t = useText()
  const connection = useConnection()
  const { data: configurations = [] } = useConfigurations()
  const active = configurations.filter(configuration => configuration.is_active)
  // Services on this machine are simulators; the operator's own gateways have names or other addresses.
  const areLocal = active.length > 0 && active.every(({ is_local }) => is_local)
  const banners: ReactNode[] = []
  if (connection === 'lost') {
    banners.push(
      <Notice key="offline" look="warning" icon={<WifiOff aria-hidden />}>
        <span role="status">{t('shell.offline')}</span>
      </Notice>,
    )
  }
  // A picture is fitted to the height of the window.
  if (areLocal && !isPicture) {
    banners.push(
      <p key="local" className="flex items-center justify-center gap-2 text-ink-faint text-xs">
        <FlaskConical aria-hidden className="size-3.5 shrink-0" />
        {t('shell.simulators')}
      </p>,
    )
  }
  return banners.length > 0 ? <div className="flex flex-col gap-2 px-4 pt-3">{banners}</div> : null
}

function Seal() {
  return <img src={new URL('../seal.svg', import.meta.url).href} alt="" width={36} height={36} className="size-9" />
}

export function NotFound() {
  const t = useText()
  return (
    <EmptyState
      isPage
      icon={<Images aria-hidden />}
      title={t('shell.notFound')}
      action={
        <Link to="/gallery" className={buttonClasses('primary')}>
          {t('shell.gallery')}
        </Link>
      }
    >
      {t('shell.notFoundHint')}
    </EmptyState>
  )
}
