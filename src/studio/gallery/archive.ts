/** A selection as one file. */
import { ApiError, address, explain, type Image } from '../data/api.ts'
import { t } from '../text/text.ts'
import { toast } from '../ui/toast.tsx'

const maxPictures = 1000
const maxBytes = 4_000_000_000
/** What the page keeps in its own hands until it is whole; larger ones the browser writes to disk as they come. */
const maxBytesHere = 400_000_000

export async function downloadArchive(images: readonly Image[]) {
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0)
  const trouble =
    images.length === 0
      ? t('gallery.noneToDownload')
      : images.length > maxPictures
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
    postForm(ids)
    return
  }
  try {
    const { blob, name } = await fetchArchive(ids)
    save(blob, name)
  } catch (error) {
    toast(explain(error), { look: 'bad' })
  }
}

async function fetchArchive(ids: readonly string[]) {
  let response: Response
  try {
    response = await fetch(address('api/images/archive'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ids }),
    })
    if (response.ok) {
      const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1]
      return { blob: await response.blob(), name: name ?? 'webimgui.zip' }
    }
  } catch {
    throw new ApiError('offline', 'The server cannot be reached.')
  }
  const problem = await response.json().catch(() => undefined)
  throw new ApiError(
    problem?.code ?? 'internal_error',
    problem?.detail ?? `${response.status}`,
    response.status,
    problem,
  )
}

function save(blob: Blob, name: string) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

function postForm(ids: readonly string[]) {
  const form = document.createElement('form')
  form.method = 'post'
  form.action = address('api/images/archive')
  const field = document.createElement('input')
  field.type = 'hidden'
  field.name = 'ids'
  field.value = ids.join(',')
  form.append(field)
  document.body.append(form)
  form.submit()
  form.remove()
}
