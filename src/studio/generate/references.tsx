/** The pictures to work from, in the order in which the prompt counts them. */

import { ArrowLeft, ArrowRight, ImagePlus, X } from 'lucide-react'
import { type ClipboardEvent, type DragEvent, type RefObject, useEffect, useEffectEvent, useRef, useState } from 'react'
import { api } from '../data/client.ts'
import { takeReferences } from '../data/dropped-files.ts'
import type { TakenRecipe } from '../data/generations.ts'
import { imageDragType, thumbnailUrl } from '../data/images.ts'
import { explain } from '../text/problems.ts'
import { useText } from '../text/text.ts'
import { IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { ImageTile } from '../ui/image-tile.tsx'
import { Menu } from '../ui/menu.tsx'
import { toast } from '../ui/toast.tsx'
import { isTyping } from '../ui/use-keys.ts'

export type ReferenceUpload = ReturnType<typeof useReferenceUpload>

export interface ReferenceUploadOptions {
  /** The prompt field: what is pasted there may be a picture. */
  field: RefObject<HTMLElement | null>
  onStored(id: string): void
  onRecipe(recipe: TakenRecipe): void
}

/** Stores files as they come; `pending` of them are still on their way. */
export function useReferenceUpload({ field, onStored, onRecipe }: ReferenceUploadOptions) {
  const t = useText()
  const [pending, setPending] = useState(0)
  const stored = useEffectEvent(onStored)
  const filled = useEffectEvent(onRecipe)

  async function store(file: File) {
    if (!file.type.startsWith('image/')) {
      toast(t('generate.notAPicture', { name: file.name }), { look: 'bad' })
      return
    }
    setPending(count => count + 1)
    try {
      onStored((await api.images.upload(file)).id)
    } catch (error) {
      toast(t('generate.uploadFailed', { name: file.name, reason: explain(error) }), { look: 'bad' })
    } finally {
      setPending(count => count - 1)
    }
  }

  async function add(files: readonly File[]) {
    // Sequentially, so that references keep the order in which they were given.
    for (const file of files) await store(file)
  }

  async function offerRecipe(file: File) {
    const { readRecipe } = await import('../data/read-recipe.ts')
    const recipe = await readRecipe(file).catch(() => undefined)
    if (!recipe) return
    toast(t('generate.recipeInside'), {
      action: { label: t('generate.takeRecipe'), onSelect: () => filled(recipe) },
    })
  }

  const take = useEffectEvent((files: readonly File[]) => {
    void add(files)
    void offerRecipe(files[0]!)
  })

  // Takes pictures that are pasted into the prompt, or while no text field has the focus.
  const paste = useEffectEvent((event: globalThis.ClipboardEvent) => {
    if (event.target !== field.current && (isTyping(event.target) || document.querySelector('[role=dialog]'))) return
    const files = readFiles(event.clipboardData)
    if (files.length === 0 || holdsText(event.clipboardData, files)) return
    event.preventDefault()
    take(files)
  })
  useEffect(() => {
    const handle = (event: globalThis.ClipboardEvent) => paste(event)
    document.addEventListener('paste', handle)
    return () => document.removeEventListener('paste', handle)
  }, [])

  useEffect(() => takeReferences(files => take(files)), [])

  return {
    pending,
    add,
    /** Takes a drop; true when it held something for us. */
    takeDrop(event: DragEvent) {
      const id = event.dataTransfer.getData(imageDragType)
      const files = readFiles(event.dataTransfer)
      if (id === '' && files.length === 0) return false
      event.preventDefault()
      if (id !== '') stored(id)
      else void add(files)
      return true
    },
  }
}

/** Office programs put a picture of copied cells beside their text; file managers put the name of a file beside it. */
function holdsText(data: DataTransfer | null, files: readonly File[]) {
  const lines = (data?.getData('text/plain') ?? '').split(/[\r\n]+/).map(line => line.trim())
  const names = new Set(files.map(({ name }) => name))
  return lines.some(line => line !== '' && !names.has(fileName(line)))
}

/** The file name in a name, a path or an address. */
function fileName(text: string) {
  const name = text.split(/[/\\]/).at(-1) ?? ''
  try {
    return /^file:/i.test(text) ? decodeURIComponent(name) : name
  } catch {
    return name
  }
}

function readFiles(data: DataTransfer | ClipboardEvent['clipboardData'] | null) {
  return [...(data?.files ?? [])]
}

export interface ReferenceStripProps {
  /** Ids of stored pictures. */
  references: readonly string[]
  upload: ReferenceUpload
  most: number
  /** The `accept` of the file chooser. */
  types: string
  onChange(change: (references: readonly string[]) => readonly string[]): void
}

export function ReferenceStrip({ references, upload, most, types, onChange }: ReferenceStripProps) {
  const t = useText()
  const input = useRef<HTMLInputElement>(null)
  const move = (from: number, to: number) => {
    const next = [...references]
    next.splice(to, 0, ...next.splice(from, 1))
    onChange(() => next)
  }
  async function forget(id: string) {
    // Swept, or of another server.
    if (!(await api.images.isGone(id))) return
    onChange(before => before.filter(other => other !== id))
    toast(t('generate.referenceGone'), { look: 'bad' })
  }
  return (
    <div className="flex flex-wrap items-center gap-2">
      {references.length > 0 && (
        <ol aria-label={t('generate.references')} className="contents">
          {references.map((id, index) => (
            <li
              // The same picture may stand here twice, and has no other name than its place.
              key={`${id}-${references.indexOf(id) === index ? 0 : index}`}
              draggable
              onDragStart={event => event.dataTransfer.setData('text/x-place', String(index))}
              onDragOver={event => event.dataTransfer.types.includes('text/x-place') && event.preventDefault()}
              onDrop={event => {
                const from = event.dataTransfer.getData('text/x-place')
                if (from === '') return
                event.preventDefault()
                event.stopPropagation()
                move(Number(from), index)
              }}
              className={classes(
                'relative size-18 overflow-hidden rounded-xl border bg-sunken',
                index < most ? 'border-line' : 'border-seal opacity-60',
              )}
            >
              <Menu
                align="start"
                trigger={
                  <button
                    type="button"
                    aria-label={t('generate.referenceActions', { number: index + 1 })}
                    className="size-full"
                  >
                    <ImageTile
                      src={thumbnailUrl(id)}
                      alt={t('generate.reference', { number: index + 1 })}
                      width={72}
                      height={72}
                      isCropped
                      onError={() => void forget(id)}
                    />
                  </button>
                }
                entries={[
                  {
                    label: t('generate.moveEarlier'),
                    icon: <ArrowLeft aria-hidden className="size-4" />,
                    onSelect: () => move(index, index - 1),
                    isDisabled: index === 0,
                  },
                  {
                    label: t('generate.moveLater'),
                    icon: <ArrowRight aria-hidden className="size-4" />,
                    onSelect: () => move(index, index + 1),
                    isDisabled: index === references.length - 1,
                  },
                  'line',
                  {
                    label: t('shell.remove'),
                    icon: <X aria-hidden className="size-4" />,
                    onSelect: () => onChange(before => before.filter((_, other) => other !== index)),
                    isDanger: true,
                  },
                ]}
              />
              <span
                aria-hidden
                className="pointer-events-none absolute bottom-1 left-1 rounded-md bg-black/65 px-1.5 text-white text-xs leading-5"
              >
                {index + 1}
              </span>
            </li>
          ))}
        </ol>
      )}
      {upload.pending > 0 && (
        <span
          role="status"
          className="grid size-18 animate-breathe place-items-center rounded-xl bg-sunken text-ink-faint text-xs"
        >
          {t('generate.uploading')}
        </span>
      )}
      <IconButton
        icon={ImagePlus}
        label={
          most === 0 ? t('generate.referencesNone') : `${t('generate.addReference')} (${t('generate.upTo', { most })})`
        }
        disabled={most === 0}
        onClick={() => input.current?.click()}
        className={references.length > 0 ? 'size-18 rounded-xl border border-line border-dashed' : ''}
      />
      <input
        ref={input}
        type="file"
        accept={types}
        multiple
        hidden
        aria-label={t('generate.addReference')}
        onChange={event => {
          void upload.add([...(event.target.files ?? [])])
          event.target.value = ''
        }}
      />
    </div>
  )
}
