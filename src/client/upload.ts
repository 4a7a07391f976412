import type { StoredReference } from '../api/images.ts'
import type { Connection } from './request.ts'

export interface UploadOptions {
  /** Name of the file, for people. */
  name?: string
  /** How much was sent, 0 to 1. A page learns of the end alone: browsers do not stream bodies over HTTP/1.1. */
  onProgress?(share: number): void
  signal?: AbortSignal
}

/** Stores a picture whose id can be a reference of any number of generations. @throws ApiError */
export async function uploadImage(
  connection: Connection,
  file: Blob,
  { name, onProgress, signal }: UploadOptions = {},
): Promise<StoredReference> {
  const form = new FormData()
  form.append('file', file, name ?? (file instanceof File ? file.name : 'reference'))
  const isStreamed = onProgress !== undefined && !('document' in globalThis)
  const stored = await connection.request<StoredReference>('api/images', {
    method: 'POST',
    signal,
    ...(isStreamed ? counted(form, file.size, onProgress) : { body: form }),
  })
  onProgress?.(1)
  return stored
}

/** The form as a stream that tells how far it was read. */
function counted(form: FormData, total: number, onProgress: (share: number) => void) {
  const { headers, body } = new Response(form)
  let sent = 0
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      sent += chunk.byteLength
      onProgress(Math.min(1, sent / total))
      controller.enqueue(chunk)
    },
  })
  return { headers: { 'content-type': headers.get('content-type') ?? '' }, body: body?.pipeThrough(counter) }
}

/** As large as the server takes it. */
const partBytes = 8 * 1024 * 1024

/** Sends a ZIP in parts, which pass every proxy. @returns the id that an import names it by. @throws ApiError */
export async function uploadArchive(
  connection: Connection,
  file: Blob,
  { name = 'upload.zip', onProgress, signal }: UploadOptions = {},
): Promise<string> {
  let state: { upload?: string; bytes: number } = { bytes: 0 }
  do {
    const { upload, bytes: offset } = state
    const part = file.slice(offset, offset + partBytes)
    const response = await connection.exchange('api/imports/upload', {
      method: 'POST',
      query: upload === undefined ? { name } : { upload, offset },
      headers: { 'content-type': 'application/octet-stream' },
      body: part,
      signal,
    })
    state = (await response.json()) as { upload: string; bytes: number }
    onProgress?.(file.size === 0 ? 1 : state.bytes / file.size)
  } while (state.bytes < file.size)
  return state.upload!
}
