import { Link } from '@tanstack/react-router'
import { Columns2 } from 'lucide-react'
import { formatPlaces, maxCompared, type PlaceName } from '../data/places.ts'
import { useText } from '../text/text.ts'
import { IconButton } from '../ui/button.tsx'
import { toast } from '../ui/toast.tsx'

/** To the page that compares them; with too few or too many it says how many it takes. */
export function CompareLink({ places }: { places: readonly PlaceName[] }) {
  const t = useText()
  const label = t('look.compare')
  if (places.length < 2 || places.length > maxCompared) {
    return (
      <IconButton
        icon={Columns2}
        label={label}
        aria-disabled
        onClick={() => toast(t('look.compareTooMany'))}
        className="aria-disabled:opacity-45"
      />
    )
  }
  return (
    <Link
      to="/compare"
      search={{ ids: formatPlaces(places) }}
      aria-label={label}
      title={label}
      className="inline-grid size-10 shrink-0 place-items-center rounded-full text-ink-soft transition-colors hover:bg-sunken hover:text-ink"
    >
      <Columns2 aria-hidden className="size-5" />
    </Link>
  )
}
