/** All pictures of a generation, to choose the one that is shown. */
import type { Generation, Image } from '../data/generations.ts'
import { useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import { Thumbnail } from '../ui/image-tile.tsx'
import type { Place } from './neighbours.ts'

interface GroupProps {
  generation: Generation
  image: Image | undefined
  onShow(place: Place): void
}

export function Group({ generation, image, onShow }: GroupProps) {
  const t = useText()
  return (
    <ul className="flex gap-2 overflow-x-auto px-4 pt-4 sm:px-5">
      {generation.images.map((one, position) => (
        <li key={one.id} className="shrink-0">
          <button
            type="button"
            aria-label={t('picture.ofGroup', { position: position + 1, count: generation.images.length })}
            aria-current={one.id === image?.id || undefined}
            onClick={() => onShow({ generation, image: one })}
            className={classes(
              'block size-16 overflow-hidden rounded-lg border-2',
              one.id === image?.id ? 'border-seal' : 'border-transparent hover:border-line-strong',
            )}
          >
            <Thumbnail image={one} alt="" isCropped />
          </button>
        </li>
      ))}
    </ul>
  )
}
