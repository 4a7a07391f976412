/** Under each picture: which it is, what somebody thinks of it, and that it is the one. */
import { Check, ThumbsDown } from 'lucide-react'
import { formatImageSize } from '../data/images.ts'
import { money } from '../text/format.ts'
import { useText } from '../text/text.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { FavoriteButton } from '../ui/favorite-button.tsx'
import { Stars } from '../ui/stars.tsx'
import type { Compared } from './compared.ts'

interface PaneBarProps {
  letter: string
  one: Compared
  modelName: string
  isActive: boolean
  onSelect(): void
  onStars(stars: number): void
  onReject(): void
  onFavorite(): void
  onChoose(): void
}

export function PaneBar(props: PaneBarProps) {
  const { letter, one, modelName, isActive, onSelect, onStars, onReject, onFavorite, onChoose } = props
  const t = useText()
  const { generation, image, name } = one
  const facts = name.isReference
    ? formatImageSize(image)
    : [formatImageSize(image), generation.cost && money(generation.cost.amount, generation.cost.currency)]
        .filter(Boolean)
        .join(' · ')
  return (
    <figcaption
      className={classes(
        'flex flex-wrap items-center gap-x-1 border-t-2 bg-sheet px-2 py-1',
        isActive ? 'border-seal' : 'border-line',
      )}
    >
      <button
        type="button"
        aria-pressed={isActive}
        onClick={onSelect}
        className="flex min-h-10 min-w-0 flex-1 basis-40 items-center gap-2 rounded-lg px-1 text-left hover:bg-sunken"
      >
        <span
          className={classes(
            'grid size-7 shrink-0 place-items-center rounded-full font-medium text-sm',
            isActive ? 'bg-seal text-on-seal' : 'bg-sunken text-ink',
          )}
        >
          {letter}
        </span>
        <span className="min-w-0">
          <span className="block truncate font-medium text-sm">
            {name.isReference ? t('picture.referenceNumber', { number: name.index + 1 }) : modelName}
          </span>
          <span className="block truncate text-ink-faint text-xs tabular-nums">{facts}</span>
        </span>
      </button>
      {!name.isReference && (
        <div className="flex items-center">
          <Stars stars={image.stars} onChange={onStars} className="max-xl:hidden" />
          <FavoriteButton isFavorite={generation.favorite} onClick={onFavorite} />
          <IconButton
            icon={ThumbsDown}
            label={t(image.rejected ? 'look.unreject' : 'look.reject')}
            aria-pressed={image.rejected}
            onClick={onReject}
            className={classes(image.rejected && 'bg-seal-wash text-seal-ink')}
          />
          <Button look="plain" size="small" icon={<Check aria-hidden className="size-4" />} onClick={onChoose}>
            {t('look.choose')}
          </Button>
        </div>
      )}
    </figcaption>
  )
}
