/** A picture that moves with the others. */
import { canBeShown, formatImageType, shownUrl, thumbnailUrl } from '../data/images.ts'
import { useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import { useHealingImage } from '../ui/image-tile.tsx'
import type { Compared } from './compared.ts'
import type { LinkedView } from './linked-view.ts'

interface LinkedImageProps {
  one: Compared
  view: LinkedView
  alt: string
}

export function LinkedImage({ one: { image }, view, alt }: LinkedImageProps) {
  const t = useText()
  const original = useHealingImage()
  if (!canBeShown(image)) {
    return (
      <p className="absolute inset-0 grid place-items-center p-6 text-center text-ink-soft">
        {t('picture.notShown', { type: formatImageType(image.mime_type) })}
      </p>
    )
  }
  const place = 'absolute inset-0 size-full object-contain'
  return (
    <>
      <div ref={view.follow} className="absolute inset-0">
        {original.state !== 'shown' && <img src={thumbnailUrl(image.id)} alt="" draggable={false} className={place} />}
        <img
          key={original.key}
          src={shownUrl(image)}
          alt={alt}
          draggable={false}
          decoding="async"
          onLoad={original.onLoad}
          onError={original.onError}
          className={classes(place, original.state !== 'shown' && 'opacity-0')}
        />
      </div>
      {original.hasFailed && (
        <p role="alert" className="absolute inset-x-4 top-1/2 rounded-2xl bg-raised p-4 text-center text-sm">
          {t('picture.broken')}
        </p>
      )}
    </>
  )
}
