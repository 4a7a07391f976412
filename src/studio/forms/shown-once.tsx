/** What is shown a single time, such as a token: it is not lost by a slip, and copied by a press. */

import { Copy, TriangleAlert } from 'lucide-react'
import { type ReactNode, useRef, useState } from 'react'
import { copyText } from '../actions/copy.ts'
import { useText } from '../text/text.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Dialog } from '../ui/dialog.tsx'
import { controlClasses, Field } from '../ui/field.tsx'
import { Notice } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'

export interface ShownOnceProps {
  title: string
  /** That it is shown once. */
  notice: string
  /** Has to be called when something was copied. */
  children(copied: () => void): ReactNode
  onClose(): void
}

export function ShownOnce({ title, notice, children, onClose }: ShownOnceProps) {
  const t = useText()
  const [wasCopied, setCopied] = useState(false)
  const [isWarned, setWarned] = useState(false)

  function close() {
    if (wasCopied || isWarned) onClose()
    else setWarned(true)
  }

  return (
    <Dialog
      size="medium"
      onClose={close}
      title={title}
      actions={
        <Button look="primary" onClick={close}>
          {t(isWarned && !wasCopied ? 'team.closeAnyway' : 'generate.done')}
        </Button>
      }
    >
      <div className="flex flex-col gap-5 pt-1">
        <Notice look="warning" icon={<TriangleAlert aria-hidden className="self-start" />}>
          {notice}
        </Notice>
        {children(() => setCopied(true))}
        {isWarned && !wasCopied && <Notice look="bad">{t('team.notCopied')}</Notice>}
      </div>
    </Dialog>
  )
}

export interface CopyFieldProps {
  label: string
  hint?: ReactNode
  text: string
  /** Has several lines. */
  isLong?: boolean
  onCopied(): void
}

export function CopyField({ label, hint, text, isLong, onCopied }: CopyFieldProps) {
  const t = useText()
  const field = useRef<HTMLTextAreaElement | HTMLInputElement | null>(null)
  const keep = (element: HTMLTextAreaElement | HTMLInputElement | null) => {
    field.current = element
  }

  async function copy() {
    const isCopied = await copyText(text)
    if (isCopied) onCopied()
    // Where the page may not copy, a person can copy the selection.
    else field.current?.select()
    toast(t(isCopied ? 'shell.copied' : 'shell.copyFailed'), { look: isCopied ? 'good' : 'bad' })
  }

  const looks = classes(controlClasses, 'font-mono text-sm')
  return (
    <Field label={label} hint={hint}>
      {control => (
        <div className="flex items-start gap-2">
          {isLong ? (
            <textarea
              {...control}
              ref={keep}
              readOnly
              rows={4}
              spellCheck={false}
              wrap="off"
              value={text}
              onCopy={onCopied}
              className={classes(looks, 'resize-none')}
            />
          ) : (
            <input
              {...control}
              ref={keep}
              type="text"
              readOnly
              spellCheck={false}
              value={text}
              onCopy={onCopied}
              onFocus={event => event.target.select()}
              className={looks}
            />
          )}
          <IconButton
            icon={Copy}
            iconSize={4.5}
            label={`${t('shell.copy')}: ${label}`}
            look="plain"
            onClick={() => void copy()}
          />
        </div>
      )}
    </Field>
  )
}
