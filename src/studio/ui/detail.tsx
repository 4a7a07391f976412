import { useLanguage } from '../text/text.ts'
import { classes } from './classes.ts'

/** The server's own sentence, which is in English and names hosts, models and what a service said. */
export function Detail({ children, className }: { children: string | number | null | undefined; className?: string }) {
  const language = useLanguage()
  if (!children) return null
  return (
    <p lang={language === 'en' ? undefined : 'en'} className={classes('break-words text-ink-soft text-xs', className)}>
      {children}
    </p>
  )
}
