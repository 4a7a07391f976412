/** The pictures of a generation, each in its place as it comes. */
import { Link } from '@tanstack/react-router'
import { Download, ImagePlus } from 'lucide-react'
import type { Generation, Image } from '../../data/generations.ts'
import { downloadUrl, generationRatio, imageDragType } from '../../data/images.ts'
import { explainCode } from '../../text/problems.ts'
import { useText } from '../../text/text.ts'
import { IconButton } from '../../ui/button.tsx'
import { classes } from '../../ui/classes.ts'
import { Thumbnail } from '../../ui/image-tile.tsx'
import { askedCount } from './rows.ts'

interface ResultImagesProps {
  generation: Generation
  isAlive: boolean
  onReference(imageId: string): void
}

export function ResultImages({ generation, isAlive, onReference }: ResultImagesProps) {
  const { images, failures } = generation
  const wanted = Math.max(askedCount(generation), images.length + failures.length)
  // What failed keeps its place, unless nothing was made at all.
  const ended = images.length > 0 ? [...new Set([...images, ...failures].map(({ index }) => index))] : []
  const places = isAlive ? Array.from({ length: wanted }, (_, index) => index) : ended.toSorted((a, b) => a - b)
  // A cancelled or failed one without pictures needs no empty place.
  if (places.length === 0) return null
  const ratio = generationRatio(generation)
  return (
    <div
      className={classes(
        'grid gap-1',
        places.length > 1 && (places.length === 3 || places.length > 4 ? 'grid-cols-3' : 'grid-cols-2'),
      )}
    >
      {places.map(index => {
        const image = images.find(image => image.index === index)
        const failure = failures.find(failure => failure.index === index)
        return (
          <div
            key={index}
            style={{ aspectRatio: String(places.length > 1 ? Math.min(Math.max(ratio, 0.75), 1.4) : ratio) }}
            className="group relative max-h-[34rem] min-h-28 w-full overflow-hidden bg-sunken"
          >
            {image ? (
              <ResultImage
                generation={generation}
                image={image}
                isCropped={places.length > 1}
                onReference={onReference}
              />
            ) : failure ? (
              <p className="grid size-full place-items-center p-4 text-center text-seal-ink text-sm">
                {explainCode(failure)}
              </p>
            ) : (
              <Unpainted />
            )}
          </div>
        )
      })}
    </div>
  )
}

/** Where a picture will be. */
function Unpainted() {
  return (
    <div className="grid size-full animate-breathe place-items-center">
      <svg aria-hidden="true" viewBox="0 0 64 40" className="w-24 text-line-strong opacity-70">
        <path
          d="M2 36c8-2 12-18 18-18 5 0 6 9 11 9s6-17 13-17 9 22 18 25"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.5"
          strokeLinecap="round"
        />
        <circle cx="50" cy="7" r="3.5" fill="currentColor" />
      </svg>
    </div>
  )
}

interface ResultImageProps {
  generation: Generation
  image: Image
  isCropped: boolean
  onReference(imageId: string): void
}

function ResultImage({ generation, image, isCropped, onReference }: ResultImageProps) {
  const t = useText()
  const number = image.index + 1
  return (
    <>
      <Link
        to="/picture/$generationId"
        params={{ generationId: generation.id }}
        search={{ image: String(image.index) }}
        aria-label={t('live.open', { number })}
        draggable
        onDragStart={event => event.dataTransfer.setData(imageDragType, image.id)}
        className="block size-full -outline-offset-4"
      >
        <Thumbnail
          image={image}
          alt={t('live.picture', { number, prompt: generation.prompt.slice(0, 200) })}
          isCropped
          className={classes('animate-appear', !isCropped && 'object-contain!')}
        />
      </Link>
      <div className="absolute right-2 bottom-2 flex gap-1 opacity-0 transition-opacity focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
        <IconButton
          icon={ImagePlus}
          look="plain"
          label={t('live.asReference', { number })}
          onClick={() => onReference(image.id)}
          className="shadow-card"
        />
        <a
          href={downloadUrl(image.id)}
          download
          aria-label={t('shell.download')}
          title={t('shell.download')}
          className="inline-grid size-10 place-items-center rounded-full border border-line bg-raised text-ink shadow-card hover:border-line-strong"
        >
          <Download aria-hidden className="size-5" />
        </a>
      </div>
    </>
  )
}
