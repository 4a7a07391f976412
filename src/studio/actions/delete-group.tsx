import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'

export interface DeleteGroupProps {
  /** Pictures that would be deleted. */
  count: number
  /** Pictures that would go too although they were not selected. */
  others: number
  onConfirm(): void
  onClose(): void
}

/** A group is deleted as a whole: nobody must lose a picture that was not meant. */
export function DeleteGroup({ count, others, onConfirm, onClose }: DeleteGroupProps) {
  const t = useText()
  return (
    <Dialog
      onClose={onClose}
      title={t('gallery.deleteAlsoTitle')}
      size="small"
      actions={
        <>
          <Button onClick={onClose}>{t('shell.cancel')}</Button>
          <Button look="danger" onClick={onConfirm}>
            {t('gallery.deleteAll', { count })}
          </Button>
        </>
      }
    >
      {t('gallery.deleteAlso', { others })}
    </Dialog>
  )
}
