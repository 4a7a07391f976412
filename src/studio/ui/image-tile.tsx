import { File, ImageOff } from 'lucide-react'
import { type ComponentProps, useEffect, useState } from 'react'
import { onReconnect } from '../data/connection.ts'
import { canBeShown, formatImageType, imageRatio, thumbnailSet, thumbnailUrl } from '../data/images.ts'
import { classes } from './classes.ts'

const firstPauseMs = 2000
/** About two minutes; afterwards only when the server or the network is back. */
const maxTries = 6

/** An image that is asked for again while it fails. Give the element `key`, `onLoad` and `onError`. */
export function useHealingImage() {
  const [state, setState] = useState<'loading' | 'shown' | 'broken'>('loading')
  const [{ key, tries }, setAttempt] = useState({ key: 0, tries: 0 })
  useEffect(() => {
    if (state !== 'broken') return undefined
    const again = (tries: number) => {
      setState('loading')
      setAttempt(({ key }) => ({ key: key + 1, tries }))
    }
    const stopListening = onReconnect(() => again(0))
    const timer = tries < maxTries ? setTimeout(() => again(tries + 1), firstPauseMs * 2 ** tries) : undefined
    return () => {
      stopListening()
      clearTimeout(timer)
    }
  }, [state, tries])
  const hasFailed = state === 'broken' || (state === 'loading' && key > 0)
  return { state, hasFailed, key, onLoad: () => setState('shown'), onError: () => setState('broken') }
}

interface Stored {
  id: string
  width: number
  height: number
  mime_type: string
}

export interface ImageTileProps extends Omit<ComponentProps<'img'>, 'src' | 'alt' | 'onError'> {
  src: string
  alt: string
  /** Pixels of the picture: its place is kept before it is there. */
  width: number
  height: number
  /** MIME type; with it, a file that cannot be shown is a tile with the name of its type. */
  type?: string
  /** Fill the place and cut what stands out, instead of showing all of it. */
  isCropped?: boolean
  onError?(): void
}

/** Thumbnail of a stored picture. */
export function Thumbnail({
  image,
  ...props
}: { image: Stored } & Omit<ImageTileProps, 'src' | 'width' | 'height' | 'type'>) {
  const { id, width, height, mime_type: type } = image
  return (
    <ImageTile
      // Browsers that do not know the width of the place go by what stands behind it.
      sizes="auto, 20rem"
      srcSet={thumbnailSet(image)}
      {...props}
      src={thumbnailUrl(id)}
      width={width}
      height={height}
      type={type}
    />
  )
}

/** A picture that shifts nothing when it arrives, and comes by itself when it failed at first. */
export function ImageTile({ type, ...props }: ImageTileProps) {
  const isFile = type !== undefined && !canBeShown({ width: props.width, mime_type: type })
  return isFile ? <IconTile {...props} name={formatImageType(type)} /> : <TileImage {...props} />
}

const placeOf = (isCropped: boolean | undefined) =>
  isCropped ? 'size-full object-cover' : 'h-auto w-full object-contain'

/** In place of a picture that cannot be shown at all, for its type of this `name`, or not now. */
function IconTile({ alt, name, isCropped, className, ...size }: ImageTileProps & { name?: string }) {
  const Icon = name ? File : ImageOff
  return (
    <div
      {...(alt === '' ? {} : { role: 'img', 'aria-label': name ? `${alt} (${name})` : alt })}
      data-broken={name === undefined || undefined}
      style={isCropped ? undefined : { aspectRatio: imageRatio(size) }}
      className={classes(
        'flex flex-col items-center justify-center gap-1 overflow-hidden bg-sunken text-ink-faint text-xs',
        placeOf(isCropped),
        className,
      )}
    >
      <Icon aria-hidden className="size-1/4 max-h-8 min-h-4 min-w-4 max-w-8" strokeWidth={1.5} />
      {name && <span className="max-w-full truncate px-1">{name}</span>}
    </div>
  )
}

function TileImage({ src, alt, width, height, isCropped, className, onError, ...rest }: ImageTileProps) {
  const image = useHealingImage()
  if (image.state === 'broken') return <IconTile {...{ src, alt, width, height, isCropped, className }} />
  return (
    <img
      key={image.key}
      loading="lazy"
      decoding="async"
      draggable={false}
      {...rest}
      src={src}
      alt={alt}
      width={width}
      height={height}
      onLoad={image.onLoad}
      onError={() => {
        image.onError()
        onError?.()
      }}
      className={classes(
        'block bg-sunken',
        placeOf(isCropped),
        image.state === 'loading' && 'animate-breathe',
        className,
      )}
    />
  )
}
