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
