import { Heart } from 'lucide-react'
import { useText } from '../text/text.ts'
import { IconButton } from './button.tsx'
import { classes } from './classes.ts'

interface FavoriteButtonProps {
  isFavorite: boolean
  onClick(): void
  className?: string
}

export function FavoriteButton({ isFavorite, onClick, className }: FavoriteButtonProps) {
  const t = useText()
  return (
    <IconButton
      label={t(isFavorite ? 'gallery.unfavorite' : 'gallery.favorite')}
      aria-pressed={isFavorite}
      onClick={onClick}
      className={classes(className, isFavorite && 'text-seal-ink')}
    >
      <Heart aria-hidden className={classes('size-5', isFavorite && 'fill-current')} />
    </IconButton>
  )
}
