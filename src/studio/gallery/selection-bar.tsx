/** What can be done with what is selected. */
import { CheckCheck, Download, Heart, HeartOff, Tags as TagsIcon, Trash2, X } from 'lucide-react'
import { useText } from '../text/text.ts'
import { IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'

export interface SelectionBarProps {
  count: number
  isFavorite: boolean
  /** An archive is being put together. */
  isPacking: boolean
  onFavorite(): void
  onTags(): void
  onDownload(): void
  onDelete(): void
  onAll(): void
  onClear(): void
}

export function SelectionBar(props: SelectionBarProps) {
  const t = useText()
  const { count, isFavorite, isPacking } = props
  return (
    <div className="pointer-events-none fixed inset-x-0 bottom-18 z-20 flex justify-center px-2 lg:bottom-5 lg:left-22">
      <div
        role="toolbar"
        aria-label={t('gallery.selection')}
        className="pointer-events-auto flex max-w-full animate-appear items-center gap-0.5 rounded-full border border-line bg-raised p-1.5 shadow-float"
      >
        <IconButton icon={X} label={t('gallery.clearSelection')} onClick={props.onClear} />
        <p aria-live="polite" className="min-w-16 whitespace-nowrap px-1 text-center font-medium text-sm">
          {t('gallery.selected', { count })}
        </p>
        <IconButton icon={CheckCheck} label={t('gallery.selectAll')} onClick={props.onAll} className="max-sm:hidden" />
        <span aria-hidden className="mx-1 h-6 border-line border-l" />
        <IconButton label={t(isFavorite ? 'gallery.unfavorite' : 'gallery.favorite')} onClick={props.onFavorite}>
          {isFavorite ? <HeartOff aria-hidden className="size-5" /> : <Heart aria-hidden className="size-5" />}
        </IconButton>
        <IconButton icon={TagsIcon} label={t('gallery.tags')} onClick={props.onTags} />
        <IconButton
          icon={Download}
          label={t(isPacking ? 'gallery.downloadBegins' : 'gallery.download')}
          onClick={props.onDownload}
          disabled={isPacking}
          aria-busy={isPacking}
          className={classes(isPacking && 'animate-breathe')}
        />
        <IconButton icon={Trash2} label={t('shell.delete')} onClick={props.onDelete} className="text-seal-ink" />
      </div>
    </div>
  )
}
