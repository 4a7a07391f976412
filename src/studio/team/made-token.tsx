/** The one time that a token is shown, with what it is used by: a login link and a line for programs. */

import { Copy, TriangleAlert } from 'lucide-react'
import { type ReactNode, useRef, useState } from 'react'
import { copyText } from '../actions/copy.ts'
import { api } from '../data/client.ts'
import { type MadeToken, useMe } from '../data/tokens.ts'
import { useText } from '../text/text.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Dialog } from '../ui/dialog.tsx'
import { controlClasses, Field } from '../ui/field.tsx'
import { Notice } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'

export function MadeTokenDialog({ made, onClose }: { made: MadeToken; onClose(): void }) {
  const t = useText()
  const me = useMe()
  const [wasCopied, setCopied] = useState(false)
  const [isWarned, setWarned] = useState(false)
  const isHere = /^(localhost|127\.|\[::1\])/.test(new URL(document.baseURI).hostname)

  function close() {
    if (wasCopied || isWarned) onClose()
    else setWarned(true)
  }

  const copied = () => setCopied(true)
  return (
    <Dialog
      size="medium"
      onClose={close}
      title={t('team.madeTitle', { name: made.name })}
      actions={
        <Button look="primary" onClick={close}>
          {t(isWarned && !wasCopied ? 'team.closeAnyway' : 'generate.done')}
        </Button>
      }
    >
      <div className="flex flex-col gap-5 pt-1">
        <Notice look="warning" icon={<TriangleAlert aria-hidden className="self-start" />}>
          {t('team.once')}
        </Notice>
        <CopyField label={t('team.token')} text={made.token} onCopied={copied} />
        <CopyField
          label={t('team.link')}
          hint={
            me?.needs_token === false ? (
              t('team.linkOpen')
            ) : (
              <>
                {t('team.linkHint')}
                {isHere && <span className="block">{t('team.linkLocal')}</span>}
              </>
            )
          }
          text={api.url(`login?token=${made.token}`)}
          onCopied={copied}
        />
        <CopyField label={t('team.curl')} text={formatCurl(made, t('team.curlPrompt'))} isLong onCopied={copied} />
        {isWarned && !wasCopied && <Notice look="bad">{t('team.notCopied')}</Notice>}
      </div>
    </Dialog>
  )
}

/** Works as it stands in a shell: no word of it needs another quotation mark. */
function formatCurl({ token, models }: MadeToken, prompt: string) {
  const body = JSON.stringify({ prompt, ...(models?.[0] ? { model: models[0] } : {}) })
  return [
    `curl ${api.url('api/generate')} \\`,
    `  -H 'Authorization: Bearer ${token}' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${body.replaceAll("'", "'\\''")}'`,
  ].join('\n')
}

interface CopyFieldProps {
  label: string
  hint?: ReactNode
  text: string
  /** Has several lines. */
  isLong?: boolean
  onCopied(): void
}

function CopyField({ label, hint, text, isLong, onCopied }: CopyFieldProps) {
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
