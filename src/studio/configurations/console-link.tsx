import { ExternalLink } from 'lucide-react'
import { useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'

/** The page of the service where keys and balances are looked after. */
export function ConsoleLink({ page, className = 'font-medium' }: { page: string | undefined; className?: string }) {
  const t = useText()
  if (!page) return null
  return (
    <a
      href={page}
      target="_blank"
      rel="noreferrer"
      className={classes('inline-flex min-h-10 items-center gap-1.5 underline underline-offset-4', className)}
    >
      {t('configurations.console')}
      <ExternalLink aria-hidden className="size-4" />
    </a>
  )
}
