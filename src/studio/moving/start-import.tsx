/** Chooses what is imported: a ZIP of the own machine, or something in the folder that the operator allowed. */
import { useQuery } from '@tanstack/react-query'
import { Archive, ChevronLeft, Folder, Upload } from 'lucide-react'
import { useRef, useState } from 'react'
import { folderQuery, type ImportSource, useStartImport } from '../data/imports.ts'
import { bytes as showBytes } from '../text/format.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Loading, Query, toastError } from '../ui/query.tsx'

export function StartImport({ hasFolder, isBusy }: { hasFolder: boolean; isBusy: boolean }) {
  const t = useText()
  const input = useRef<HTMLInputElement>(null)
  const start = useStartImport()
  const [isChoosing, setChoosing] = useState(false)
  const [share, setShare] = useState(0)
  const isSending = start.isPending
  function begin(source: ImportSource) {
    setShare(0)
    start.mutate(source, { onError: toastError })
  }
  return (
    <div className="flex flex-wrap items-center gap-3">
      <input
        ref={input}
        type="file"
        accept=".zip,application/zip"
        className="sr-only"
        tabIndex={-1}
        aria-label={t('moving.upload')}
        onChange={({ target }) => {
          const [file] = target.files ?? []
          target.value = ''
          if (file) begin({ file, onProgress: setShare })
        }}
      />
      <Button
        look="primary"
        icon={<Upload aria-hidden className="size-5" />}
        disabled={isBusy || isSending}
        isBusy={isSending}
        onClick={() => input.current?.click()}
      >
        {isSending && share > 0 ? t('moving.uploading', { percent: Math.floor(share * 100) }) : t('moving.upload')}
      </Button>
      {hasFolder && (
        <Button
          icon={<Folder aria-hidden className="size-5" />}
          disabled={isBusy || isSending}
          onClick={() => setChoosing(true)}
        >
          {t('moving.fromFolder')}
        </Button>
      )}
      {isBusy && <p className="text-ink-faint text-sm">{t('moving.oneAtATime')}</p>}
      {isChoosing && (
        <FolderDialog
          onClose={() => setChoosing(false)}
          onChoose={path => {
            setChoosing(false)
            begin({ path })
          }}
        />
      )}
    </div>
  )
}

function FolderDialog({ onClose, onChoose }: { onClose(): void; onChoose(path: string): void }) {
  const t = useText()
  const [path, setPath] = useState('')
  const folder = useQuery(folderQuery(path))
  const below = (name: string) => (path === '' ? name : `${path}/${name}`)
  return (
    <Dialog onClose={onClose} title={t('moving.fromFolder')} size="small">
      <div className="flex flex-col gap-3 pt-1">
        <div className="flex items-center gap-2">
          <Button
            look="quiet"
            size="small"
            icon={<ChevronLeft aria-hidden className="size-4" />}
            disabled={path === ''}
            onClick={() => setPath(path.split('/').slice(0, -1).join('/'))}
          >
            {t('moving.up')}
          </Button>
          <code className="min-w-0 flex-1 truncate text-sm">/{path}</code>
        </div>
        <Query
          query={folder}
          failed={t('moving.folderFailed')}
          loading={<Loading className="flex flex-col gap-2" shapes={['h-10', 'h-10']} />}
        >
          {items => (
            <ul aria-label={t('moving.folderContent')} className="flex max-h-80 flex-col overflow-y-auto">
              {items.length === 0 && <li className="py-2 text-ink-faint text-sm">{t('moving.folderEmpty')}</li>}
              {items.map(({ name, kind, bytes }) => (
                <li key={name}>
                  <button
                    type="button"
                    className="flex min-h-10 w-full items-center gap-2 rounded-xl px-2 text-left hover:bg-sunken"
                    onClick={() => (kind === 'folder' ? setPath(below(name)) : onChoose(below(name)))}
                  >
                    {kind === 'folder' ? (
                      <Folder aria-hidden className="size-4" />
                    ) : (
                      <Archive aria-hidden className="size-4" />
                    )}
                    <span className="min-w-0 flex-1 truncate">{name}</span>
                    {kind === 'archive' && <span className="text-ink-faint text-sm">{showBytes(bytes)}</span>}
                  </button>
                </li>
              ))}
            </ul>
          )}
        </Query>
        <Button look="primary" onClick={() => onChoose(path)}>
          {t('moving.importFolder')}
        </Button>
      </div>
    </Dialog>
  )
}
