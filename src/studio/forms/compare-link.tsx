import { Columns2 } from 'lucide-react'
import { formatPlaces, maxCompared, type PlaceName } from '../data/places.ts'
import { useText } from '../text/text.ts'
import { IconButton, IconLink } from '../ui/button.tsx'
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
        name={label}
        aria-disabled
        onClick={() => toast(t('look.compareTooMany'))}
        className="aria-disabled:opacity-45"
      />
    )
  }
  return <IconLink to="/compare" search={{ ids: formatPlaces(places) }} label={label} name={label} icon={Columns2} />
}
