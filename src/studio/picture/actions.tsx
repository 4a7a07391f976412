/** What can be done with a picture. */
import {
  Columns2,
  Dices,
  Download,
  ImageDown,
  PencilLine,
  RotateCcw,
  ScrollText,
  SquareSplitHorizontal,
  ThumbsDown,
  Trash2,
} from 'lucide-react'
import { type Generation, hasEnded, type Image } from '../data/generations.ts'
import { downloadUrl } from '../data/images.ts'
import { findModel, useModels } from '../data/models.ts'
import { formatPlaces, nameReference, nameResult } from '../data/places.ts'
import { useText } from '../text/text.ts'
import { IconButton, LinkButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { FavoriteButton } from '../ui/favorite-button.tsx'
import { Menu } from '../ui/menu.tsx'
import { Stars } from '../ui/stars.tsx'

/** Types that have a place for a recipe. */
const recipeTypes = ['image/png', 'image/jpeg', 'image/webp']

interface ActionsProps {
  generation: Generation
  image: Image | undefined
  onFavorite(): void
  onRate(rating: Partial<Pick<Image, 'stars' | 'rejected'>>): void
  onDelete(): void
}

export function Actions({ generation, image, onFavorite, onRate, onDelete }: ActionsProps) {
  const t = useText()
  const model = findModel(useModels(), generation.model)
  const canVary = model === undefined || Object.hasOwn(model.parameters.properties ?? {}, 'seed')
  const hasPlace = image !== undefined && recipeTypes.includes(image.mime_type)
  return (
    <div className="sticky top-0 z-10 flex flex-col gap-2 border-line border-b bg-sheet p-4 sm:p-5">
      <div className="flex gap-2">
        <LinkButton to="/" search={{ from: generation.id }} look="primary" className="min-w-0 flex-1 text-sm">
          <RotateCcw aria-hidden className="size-4 shrink-0" />
          <span className="truncate">{t('live.again')}</span>
        </LinkButton>
        <FavoriteButton isFavorite={generation.favorite} onClick={onFavorite} />
        {image && (
          <Menu
            trigger={<IconButton icon={Download} label={t('shell.download')} />}
            entries={[
              {
                label: t('picture.downloadPlain'),
                icon: <ImageDown aria-hidden className="size-4.5" />,
                href: downloadUrl(image.id),
                download: true,
              },
              ...(hasPlace
                ? [
                    {
                      label: t('picture.downloadRecipe'),
                      icon: <ScrollText aria-hidden className="size-4.5" />,
                      href: `${downloadUrl(image.id)}&recipe`,
                      download: true,
                    },
                  ]
                : [{ label: t('picture.noPlaceForRecipe'), onSelect: () => {}, isDisabled: true }]),
            ]}
          />
        )}
        <IconButton
          icon={Trash2}
          label={t('shell.delete')}
          onClick={onDelete}
          disabled={!hasEnded(generation)}
          className="text-seal-ink"
        />
      </div>
      {image && (
        <div className="-my-1 flex items-center justify-between">
          <Stars stars={image.stars} onChange={stars => onRate({ stars })} />
          <IconButton
            icon={ThumbsDown}
            label={t(image.rejected ? 'look.unreject' : 'look.reject')}
            aria-pressed={image.rejected}
            onClick={() => onRate({ rejected: !image.rejected })}
            className={classes(image.rejected && 'bg-seal-wash text-seal-ink')}
          />
        </div>
      )}
      {image && (generation.references.length > 0 || generation.images.length > 1) && (
        <div className="flex gap-2">
          {generation.references[0] && (
            <LinkButton
              to="/compare"
              search={{
                ids: formatPlaces([nameReference(generation, generation.references[0]), nameResult(generation, image)]),
              }}
              look="plain"
              size="small"
              className="min-w-0 flex-1"
            >
              <SquareSplitHorizontal aria-hidden className="size-4 shrink-0" />
              <span className="truncate">{t('look.compareReference')}</span>
            </LinkButton>
          )}
          {generation.images.length > 1 && (
            <LinkButton
              to="/compare"
              search={{ ids: formatPlaces(generation.images.map(one => nameResult(generation, one))) }}
              look="plain"
              size="small"
              className="min-w-0 flex-1"
            >
              <Columns2 aria-hidden className="size-4 shrink-0" />
              <span className="truncate">{t('look.compareGroup')}</span>
            </LinkButton>
          )}
        </div>
      )}
      <div className="flex gap-2 empty:hidden">
        {canVary && (
          <LinkButton
            to="/"
            search={{ from: generation.id, seed: 'new' }}
            look="plain"
            size="small"
            className="min-w-0 flex-1"
          >
            <Dices aria-hidden className="size-4 shrink-0" />
            <span className="truncate">{t('picture.varySeed')}</span>
          </LinkButton>
        )}
        {image && (
          <LinkButton to="/" search={{ reference: image.id }} look="plain" size="small" className="min-w-0 flex-1">
            <PencilLine aria-hidden className="size-4 shrink-0" />
            <span className="truncate">{t('picture.edit')}</span>
          </LinkButton>
        )}
      </div>
    </div>
  )
}
