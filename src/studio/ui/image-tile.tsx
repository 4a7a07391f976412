import { type ComponentProps, useState } from 'react'
import { classes } from './classes.ts'

export interface ImageTileProps extends Omit<ComponentProps<'img'>, 'src' | 'alt'> {
  src: string
  alt: string
  /** Pixels of the picture: its place is kept before it is there. */
  width: number
  height: number
  /** Fill the place and cut what stands out, instead of showing all of it. */
  isCropped?: boolean
}

/** A picture that shifts nothing when it arrives. */
export function ImageTile({ src, alt, width, height, isCropped, className, ...rest }: ImageTileProps) {
  const [state, setState] = useState<'loading' | 'shown' | 'broken'>('loading')
  return (
    <img
      loading="lazy"
      decoding="async"
      draggable={false}
      {...rest}
      src={src}
      alt={alt}
      width={width}
      height={height}
      onLoad={() => setState('shown')}
      onError={() => setState('broken')}
      className={classes(
        'block bg-sunken',
        isCropped ? 'size-full object-cover' : 'h-auto w-full object-contain',
        state === 'loading' && 'animate-breathe',
        state === 'broken' && 'opacity-50',
        className,
      )}
    />
  )
}
