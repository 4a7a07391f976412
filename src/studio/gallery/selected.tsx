/** What can be done with what is selected: by key, and in a bar at the foot. */
import { useQueryClient } from '@tanstack/react-query'
import {
  CheckCheck,
  Download,
  FolderDown,
  Heart,
  HeartOff,
  Tags as TagsIcon,
  ThumbsDown,
  Trash2,
  X,
} from 'lucide-react'
import { useState } from 'react'
import { deleteWithUndo } from '../actions/delete.ts'
import { DeleteGroup } from '../actions/delete-group.tsx'
import { addTags, markGenerations, type Rating, ratePictures, removeTag } from '../actions/mark.ts'
import { type Generation, hasEnded, knownTags } from '../data/generations.ts'
import { nameResult } from '../data/places.ts'
import { CompareLink } from '../forms/compare-link.tsx'
import { Tags } from '../forms/tags.tsx'
import { useText } from '../text/text.ts'
import { IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Dialog } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.tsx'
import { useKeys } from '../ui/use-keys.ts'
import { downloadArchive, exportPictures } from './archive.ts'
import type { Selection } from './selection.ts'

export function Selected({ selection }: { selection: Selection }) {
  const t = useText()
  const client = useQueryClient()
  const [isTagging, setTagging] = useState(false)
  const [isPacking, setPacking] = useState(false)
  const [doubtful, setDoubtful] = useState<{ generations: Generation[]; count: number; others: number }>()
  const selected = [...new Map(selection.items.map(item => [item.generation.id, item.generation])).values()]
  const images = selection.items.flatMap(item => item.images)
  const isFavorite = selected.every(generation => generation.favorite)
  const sharedTags = selected[0]?.tags.filter(tag => selected.every(({ tags }) => tags.includes(tag))) ?? []

  function favorite() {
    void markGenerations(client, selected, () => ({ favorite: !isFavorite }))
  }

  const places = selection.items.flatMap(({ generation, images }) => images.map(image => ({ generation, image })))
  const isRejected = places.every(({ image }) => image.rejected)

  function rate(rating: Rating) {
    void ratePictures(
      client,
      places.map(place => ({ ...place, rating })),
    )
  }

  async function download() {
    if (isPacking) return
    setPacking(true)
    await downloadArchive(images)
    setPacking(false)
  }

  function askToDelete() {
    const ended = selected.filter(hasEnded)
    const ids = new Set(ended.flatMap(generation => generation.images.map(({ id }) => id)))
    const chosen = images.filter(({ id }) => ids.has(id)).length
    if (ended.length < selected.length) toast(t('gallery.stillRunning'))
    if (ended.length === 0) return
    if (ids.size > chosen) setDoubtful({ generations: ended, count: ids.size, others: ids.size - chosen })
    else remove(ended, ids.size)
  }

  function remove(ended: readonly Generation[], count: number) {
    setDoubtful(undefined)
    selection.clear()
    deleteWithUndo(
      ended.map(({ id }) => id),
      count === 0 ? t('picture.deleted') : t('picture.deletedMany', { count }),
    )
  }

  useKeys(
    selected.length === 0
      ? {}
      : {
          Escape: selection.clear,
          f: favorite,
          x: () => rate({ rejected: !isRejected }),
          ...Object.fromEntries([0, 1, 2, 3, 4, 5].map(stars => [String(stars), () => rate({ stars })])),
          l: () => setTagging(true),
          d: download,
          Delete: askToDelete,
          Backspace: askToDelete,
        },
  )

  return (
    <>
      {selected.length > 0 && (
        <div className="pointer-events-none fixed inset-x-0 bottom-18 z-20 flex justify-center px-2 lg:bottom-5 lg:left-22">
          <div
            role="toolbar"
            aria-label={t('gallery.selection')}
            className="pointer-events-auto flex max-w-full animate-appear items-center gap-0.5 rounded-full border border-line bg-raised p-1.5 shadow-float"
          >
            <IconButton icon={X} label={t('gallery.clearSelection')} onClick={selection.clear} />
            <p aria-live="polite" className="min-w-8 whitespace-nowrap px-1 text-center font-medium text-sm">
              <span aria-hidden className="sm:hidden">
                {selection.items.length}
              </span>
              <span className="max-sm:sr-only">{t('gallery.selected', { count: selection.items.length })}</span>
            </p>
            <IconButton
              icon={CheckCheck}
              label={t('gallery.selectAll')}
              onClick={selection.all}
              className="max-sm:hidden"
            />
            <span aria-hidden className="mx-1 h-6 border-line border-l" />
            <IconButton
              icon={isFavorite ? HeartOff : Heart}
              label={t(isFavorite ? 'gallery.unfavorite' : 'gallery.favorite')}
              name={t('gallery.favorite')}
              onClick={favorite}
            />
            <IconButton
              icon={ThumbsDown}
              label={t(isRejected ? 'look.unreject' : 'look.reject')}
              name={t('look.reject')}
              onClick={() => rate({ rejected: !isRejected })}
            />
            <CompareLink places={places.map(({ generation, image }) => nameResult(generation, image))} />
            <IconButton
              icon={TagsIcon}
              label={t('gallery.tags')}
              name={t('gallery.tags')}
              onClick={() => setTagging(true)}
            />
            <IconButton
              icon={Download}
              label={t(isPacking ? 'gallery.downloadBegins' : 'gallery.download')}
              name={isPacking ? undefined : t('gallery.downloadShort')}
              onClick={() => void download()}
              disabled={isPacking}
              aria-busy={isPacking}
              className={classes(isPacking && 'animate-breathe')}
            />
            <IconButton
              icon={FolderDown}
              label={t('gallery.export')}
              name={t('gallery.exportShort')}
              onClick={() => exportPictures(images)}
              className="max-sm:hidden"
            />
            <IconButton
              icon={Trash2}
              label={t('shell.delete')}
              name={t('shell.delete')}
              onClick={askToDelete}
              className="text-seal-ink"
            />
          </div>
        </div>
      )}
      {isTagging && (
        <Dialog onClose={() => setTagging(false)} title={t('gallery.tags')} size="small">
          <Tags
            className="pt-1"
            autoFocus
            tags={sharedTags}
            known={knownTags(client)}
            onAdd={added => void addTags(client, selected, added)}
            onRemove={tag => void removeTag(client, selected, tag)}
          />
        </Dialog>
      )}
      {doubtful && (
        <DeleteGroup
          count={doubtful.count}
          others={doubtful.others}
          onConfirm={() => remove(doubtful.generations, doubtful.count)}
          onClose={() => setDoubtful(undefined)}
        />
      )}
    </>
  )
}
