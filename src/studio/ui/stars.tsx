import { Star } from 'lucide-react'
import { useText } from '../text/text.ts'
import { classes } from './classes.ts'

export interface StarsProps {
  stars: number
  onChange(stars: number): void
  className?: string
}

/** Five to press; the one that is set takes all of them away. */
export function Stars({ stars, onChange, className }: StarsProps) {
  const t = useText()
  return (
    <fieldset className={classes('flex shrink-0', className)}>
      <legend className="sr-only">{t('look.starsSet', { count: stars })}</legend>
      {[1, 2, 3, 4, 5].map(count => (
        <button
          key={count}
          type="button"
          aria-label={t('look.stars', { count })}
          aria-pressed={stars === count}
          title={t('look.stars', { count })}
          onClick={() => onChange(stars === count ? 0 : count)}
          className="group/star grid size-10 place-items-center rounded-full"
        >
          <Star
            aria-hidden
            className={classes(
              'size-5 transition-colors group-hover/star:text-amber',
              count <= stars ? 'fill-current text-amber' : 'text-ink-faint',
            )}
          />
        </button>
      ))}
    </fieldset>
  )
}
