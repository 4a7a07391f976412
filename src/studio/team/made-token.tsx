/** The one time that a token is shown, with what it is used by: a login link and a line for programs. */

import { api } from '../data/client.ts'
import { type MadeToken, useMe } from '../data/tokens.ts'
import { CopyField, ShownOnce } from '../forms/shown-once.tsx'
import { useText } from '../text/text.ts'

export function MadeTokenDialog({ made, onClose }: { made: MadeToken; onClose(): void }) {
  const t = useText()
  const me = useMe()
  const isHere = /^(localhost|127\.|\[::1\])/.test(new URL(document.baseURI).hostname)
  return (
    <ShownOnce title={t('team.madeTitle', { name: made.name })} notice={t('team.once')} onClose={onClose}>
      {copied => (
        <>
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
        </>
      )}
    </ShownOnce>
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
