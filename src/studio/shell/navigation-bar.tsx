/** The navigation with language and theme: a column on a wide screen, a bar on a phone. */
import { Link, useLocation } from '@tanstack/react-router'
import { Bell, Keyboard, Languages, LogOut, Moon, Sun } from 'lucide-react'
import { signOut, useMe } from '../data/tokens.ts'
import { chooseLanguage, useLanguage, useText } from '../text/text.ts'
import { IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { toastError } from '../ui/query.tsx'
import { type NavigationItem, nameOfItem, navigationFor } from './navigation.ts'
import { NavigationMore } from './navigation-more.tsx'
import { toggleTheme, useIsDark } from './theme.ts'

/** Number of screens that the bar of a phone has room for. */
const inBar = 4

export function NavigationBar({ openSheet, openSignals }: { openSheet(): void; openSignals(): void }) {
  const t = useText()
  const me = useMe()
  const isDark = useIsDark()
  const other = useLanguage() === 'zh' ? 'en' : 'zh'
  const path = useLocation({ select: location => location.pathname })
  const offered = navigationFor(me)
  const rest = offered.slice(inBar)
  const place = (item: NavigationItem, className: string) => {
    const { to, icon: Icon } = item
    return (
      <Link
        key={to}
        to={to}
        activeOptions={{ exact: to === '/', includeSearch: false }}
        className={classes(placeClasses, className)}
      >
        <Icon aria-hidden />
        {t(nameOfItem(item, me))}
      </Link>
    )
  }
  const buttons = (
    <>
      <IconButton
        icon={isDark ? Sun : Moon}
        label={t(isDark ? 'shell.themeLight' : 'shell.themeDark')}
        onClick={toggleTheme}
      />
      <IconButton
        icon={Languages}
        label={other === 'zh' ? '切换到中文' : 'Switch to English'}
        lang={other}
        onClick={() => void chooseLanguage(other)}
      />
      <IconButton icon={Bell} label={t('signals.title')} onClick={openSignals} />
      {me?.needs_token && (
        <IconButton icon={LogOut} label={t('shell.signOut')} onClick={() => void signOut(me).catch(toastError)} />
      )}
    </>
  )
  return (
    <nav
      aria-label={t('shell.navigation')}
      className={classes(
        'fixed inset-x-0 bottom-0 z-30 flex items-center justify-around border-line border-t bg-sheet/95 pb-[env(safe-area-inset-bottom)]',
        'lg:sticky lg:top-0 lg:h-dvh lg:flex-col lg:justify-start lg:gap-1 lg:border-t-0 lg:border-r lg:py-4',
      )}
    >
      <Link to="/" aria-label="webimgui" className="mb-4 hidden rounded-xl p-1 lg:block">
        <img src={new URL('../seal.svg', import.meta.url).href} alt="" width={36} height={36} className="size-9" />
      </Link>
      {offered.map((entry, index) => place(entry, index < inBar ? inBarClasses : `${inBarClasses} max-lg:hidden`))}
      <NavigationMore
        className={classes(placeClasses, inBarClasses)}
        isActive={rest.some(({ to }) => path.startsWith(to))}
      >
        {rest.map(entry => place(entry, 'min-h-11 gap-3 px-3'))}
        {me?.name && <WhoIAm name={me.name} className="max-w-60 px-3 py-2" />}
        <div className={classes('flex justify-around', rest.length > 0 && 'mt-1.5 border-line border-t pt-1.5')}>
          {buttons}
        </div>
      </NavigationMore>
      <div className="hidden flex-col items-center lg:mt-auto lg:flex">
        {me?.name && <WhoIAm name={me.name} className="mb-1 max-w-18 px-1 text-center" />}
        {buttons}
        <IconButton icon={Keyboard} label={`${t('shell.shortcuts')} (?)`} onClick={openSheet} />
      </div>
    </nav>
  )
}

function WhoIAm({ name, className }: { name: string; className: string }) {
  const t = useText()
  return (
    <p title={t('shell.signedInAs', { name })} className={classes('truncate text-ink-soft text-xs', className)}>
      <span className="sr-only">{t('shell.signedInAs', { name: '' })}</span>
      {name}
    </p>
  )
}

const placeClasses =
  'flex items-center rounded-2xl text-ink-soft transition-colors hover:text-ink [&>svg]:size-5.5 ' +
  'data-[status=active]:font-medium data-[status=active]:text-seal-ink'
const inBarClasses =
  'min-h-14 min-w-16 flex-col justify-center gap-1 px-2 text-xs lg:w-18 lg:data-[status=active]:bg-seal-wash'
