/** A selection as one file. */
import { api } from '../data/client.ts'
import type { Image } from '../data/generations.ts'
import { t } from '../text/text.ts'
import { toastError } from '../ui/query.tsx'
import { toast } from '../ui/toast.tsx'

const maxImages = 1000
const maxBytes = 4_000_000_000
/** Archives up to this size are kept in memory until they are whole; larger ones are written to disk by the browser as they come. */
const maxBytesHere = 400_000_000

export async function downloadArchive(images: readonly Image[]) {
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0)
  const trouble =
    images.length === 0
      ? t('gallery.noneToDownload')
      : images.length > maxImages
        ? t('gallery.tooMany')
        : bytes > maxBytes
          ? t('gallery.tooLarge')
          : undefined
  if (trouble) {
    toast(trouble, { look: 'bad' })
    return
  }
  const ids = images.map(image => image.id)
  if (bytes > maxBytesHere) {
    postForm(api.images.archiveUrl, ids)
    return
  }
  try {
    const archive = await api.images.archive(ids)
    const name = /filename="([^"]+)"/.exec(archive.headers.get('content-disposition') ?? '')?.[1]
    save(await archive.blob(), name ?? 'webimgui.zip')
  } catch (error) {
    toastError(error)
  }
}

function save(blob: Blob, name: string) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

/** Each with a file beside it that says how it was made, as docs/moving.md describes it. */
export function exportPictures(images: readonly Image[]) {
  if (images.length === 0) toast(t('gallery.noneToDownload'), { look: 'bad' })
  else
    postForm(
      api.exportFormUrl,
      images.map(image => image.id),
    )
}

function postForm(action: string, ids: readonly string[]) {
  const form = document.createElement('form')
  form.method = 'post'
  form.action = action
  const field = document.createElement('input')
  field.type = 'hidden'
  field.name = 'ids'
  field.value = ids.join(',')
  form.append(field)
  document.body.append(form)
  form.submit()
  form.remove()
}
