import { createLink } from '@tanstack/react-router'
import type { LucideIcon } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import { classes } from './classes.ts'

const looks = {
  primary: 'bg-seal text-on-seal shadow-card hover:bg-seal-strong',
  plain: 'border border-line bg-raised text-ink hover:border-line-strong',
  quiet: 'text-ink-soft hover:bg-sunken hover:text-ink',
  danger: 'border border-line bg-raised text-seal-ink hover:border-seal hover:bg-seal-wash',
}

const sizes = { small: 'min-h-10 px-3 text-sm', medium: 'min-h-10 px-4', large: 'min-h-12 px-6 text-lg' }

interface Looks {
  look?: keyof typeof looks
  size?: keyof typeof sizes
}

/** Classes for links out of the studio, which look like buttons as well. */
export function buttonClasses({ look = 'plain', size = 'medium' }: Looks = {}) {
  return classes(
    'inline-flex select-none items-center justify-center gap-2 rounded-full font-medium transition-colors',
    'disabled:opacity-55 aria-disabled:opacity-55',
    sizes[size],
    looks[look],
  )
}

export interface ButtonProps extends ComponentProps<'button'>, Looks {
  icon?: ReactNode
  isBusy?: boolean
}

export function Button({ look, size, icon, isBusy, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={isBusy || undefined}
      className={classes(buttonClasses({ look, size }), isBusy && 'animate-breathe', className)}
    >
      {icon}
      {children}
    </button>
  )
}

/** To another screen. */
export const LinkButton = createLink(({ look = 'primary', size, className, ...rest }: ComponentProps<'a'> & Looks) => (
  <a {...rest} className={classes(buttonClasses({ look, size }), className)} />
))

const iconSizes = { 4: 'size-4', 4.5: 'size-4.5', 5: 'size-5', 6: 'size-6' }

function iconButtonClasses(name: string | undefined) {
  return classes(
    'inline-grid size-10 shrink-0 place-items-center rounded-full transition-colors disabled:opacity-45',
    name && 'lg:inline-flex lg:w-auto lg:items-center lg:gap-1.5 lg:whitespace-nowrap lg:px-2.5 lg:text-sm',
  )
}

function NameBeside({ name }: { name: string | undefined }) {
  return name && <span className="max-lg:hidden">{name}</span>
}

export interface IconButtonProps extends ComponentProps<'button'> {
  /** Read out, and shown when the pointer rests. */
  label: string
  /** Shown beside the icon from 1,024 pixels on; the label contains it. */
  name?: string
  look?: keyof typeof looks
  /** Instead of children. */
  icon?: LucideIcon
  iconSize?: keyof typeof iconSizes
}

/** A square of 40 pixels that holds an icon. */
export function IconButton(props: IconButtonProps) {
  const { label, name, look = 'quiet', icon: Icon, iconSize = 5, className, children, ...rest } = props
  return (
    <button
      type="button"
      title={label}
      {...rest}
      aria-label={label}
      className={classes(iconButtonClasses(name), looks[look], className)}
    >
      {Icon ? <Icon aria-hidden className={iconSizes[iconSize]} /> : children}
      <NameBeside name={name} />
    </button>
  )
}

type IconLinkProps = Omit<ComponentProps<'a'>, 'name'> & Pick<IconButtonProps, 'label' | 'name'> & { icon: LucideIcon }

/** To another screen, as large as an `IconButton`. */
export const IconLink = createLink(({ label, name, icon: Icon, className, ...rest }: IconLinkProps) => (
  <a title={label} {...rest} className={classes(iconButtonClasses(name), looks.quiet, className)}>
    <Icon aria-hidden className="size-5" />
    {name ? <NameBeside name={name} /> : null}
    <span className={classes('sr-only', name && 'lg:hidden')}>{label}</span>
  </a>
))
