import { ExternalLink } from 'lucide-react'
import { useText } from '../text/text.ts'

/** The page of the service where keys and balances are looked after. */
export function ConsoleLink({ page }: { page: string | undefined }) {
  const t = useText()
  if (!page) return null
  return (
    <a
      href={page}
      target="_blank"
      rel="noreferrer"
      className="inline-flex min-h-10 items-center gap-1.5 font-medium underline underline-offset-4"
    >
      {t('configurations.console')}
      <ExternalLink aria-hidden className="size-4" />
    </a>
  )
}
