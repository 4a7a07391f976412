import { Pencil } from 'lucide-react'
import { useText } from '../text/text.ts'
import { Button } from './button.tsx'

/** `name`: of what is changed, for those who do not see what it stands beside. */
export function EditButton({ name, onClick }: { name: string; onClick(): void }) {
  const t = useText()
  return (
    <Button
      size="small"
      look="quiet"
      icon={<Pencil aria-hidden className="size-4" />}
      aria-label={t('configurations.editTitle', { name })}
      onClick={onClick}
    >
      {t('configurations.edit')}
    </Button>
  )
}
