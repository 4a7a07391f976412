/** The neighbours of a picture in a row, to see what comes and to go there. */
import { Star } from 'lucide-react'
import { useEffect, useRef } from 'react'
import type { Place } from '../actions/mark.ts'
import { useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import { Thumbnail } from '../ui/image-tile.tsx'

interface FilmstripProps {
  places: readonly Place[]
  /** Position of the one that is shown. */
  at: number
  onShow(place: Place): void
  className?: string
}

/** On either side; more would be in the page without being seen. */
const beside = 14

export function Filmstrip({ places, at, onShow, className }: FilmstripProps) {
  const t = useText()
  const list = useRef<HTMLUListElement>(null)
  const first = Math.max(0, at - beside)
  const shownId = places[at]?.image.id
  // biome-ignore lint/correctness/useExhaustiveDependencies: it scrolls to the one that is shown now
  useEffect(() => {
    const element = list.current?.querySelector<HTMLElement>('[aria-current]')
    if (element && list.current) {
      list.current.scrollLeft = element.offsetLeft + element.offsetWidth / 2 - list.current.clientWidth / 2
    }
  }, [shownId])
  return (
    <nav aria-label={t('look.filmstrip')} className={classes('shrink-0 bg-sheet', className)}>
      <ul ref={list} className="relative flex gap-1.5 overflow-x-auto px-3 py-2 [scrollbar-width:none]">
        {places.slice(first, at + beside + 1).map((place, offset) => {
          const { image, generation } = place
          const isShown = first + offset === at
          return (
            <li key={image.id} className="shrink-0">
              <button
                type="button"
                // Arrow keys walk; Tab does not have to pass all of them.
                tabIndex={isShown ? 0 : -1}
                aria-current={isShown || undefined}
                aria-label={generation.prompt.slice(0, 80) || t('picture.noPrompt')}
                onClick={() => onShow(place)}
                className={classes(
                  'relative block size-14 overflow-hidden rounded-lg outline-offset-1',
                  isShown ? 'outline-3 outline-seal' : 'hover:outline-2 hover:outline-line-strong',
                  image.rejected && 'opacity-35',
                )}
              >
                <Thumbnail image={image} alt="" isCropped />
                {image.stars > 0 && (
                  <span
                    aria-hidden
                    className="absolute right-0.5 bottom-0.5 flex items-center gap-0.5 rounded bg-black/70 px-1 text-[0.65rem] text-white leading-4"
                  >
                    {image.stars}
                    <Star className="size-2.5 fill-current" />
                  </span>
                )}
              </button>
            </li>
          )
        })}
      </ul>
    </nav>
  )
}
