/** Imports into a running server: a ZIP is uploaded as it is, a folder is packed for the way. */
import { createWriteStream, openAsBlob } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout } from 'node:timers/promises'
import type { Import } from '../../api/imports.ts'
import type { ExportFile } from '../../moving/export/entries.ts'
import { writeZip } from '../../moving/export/zip.ts'
import { openTree } from '../../moving/open-format.ts'
import type { Tree } from '../../moving/trees/tree.ts'
import { type Client, openServer } from './server.ts'

const lookEveryMs = 500

/** Of each place, one after the other: its record at the end, and its report as text. @throws ApiError, TreeError */
export async function* importThere(
  places: readonly string[],
  tags: readonly string[],
  url: string | undefined,
  progress: (record: Import) => void,
): AsyncGenerator<{ record: Import; text: string }> {
  const { client } = openServer({ url })
  for (const place of places) {
    const upload = await withArchive(place, async file =>
      client.imports.upload(await openAsBlob(file), { name: path.basename(place) }),
    )
    const { id } = await client.imports.start({ upload, tags: [...tags] })
    const record = await follow(client, id, progress)
    yield { record, text: await client.imports.report(id, 'text') }
  }
}

async function follow(client: Client, id: string, progress: (record: Import) => void): Promise<Import> {
  for (;;) {
    const record = await client.imports.get(id)
    progress(record)
    if (record.finished_at !== null) return record
    await setTimeout(lookEveryMs)
  }
}

async function withArchive<Result>(place: string, use: (file: string) => Promise<Result>): Promise<Result> {
  const tree = await openTree(place)
  const folder = await mkdtemp(path.join(tmpdir(), 'webimgui-import-'))
  try {
    // A ZIP is read to its directory, so that what is none is refused before it is sent.
    if ((await stat(place)).isFile() && tree.placeOf === undefined) return await use(place)
    const packed = path.join(folder, 'packed.zip')
    await pipeline(Readable.from(writeZip(listFiles(tree))), createWriteStream(packed, { mode: 0o600 }))
    return await use(packed)
  } finally {
    await tree.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function* listFiles(tree: Tree): AsyncGenerator<ExportFile> {
  for await (const file of tree.list(() => {})) {
    yield {
      name: file.path,
      bytes: file.bytes,
      modifiedAt: file.modifiedAt ?? new Date().toISOString(),
      open: async () => tree.open(file, Number.MAX_SAFE_INTEGER),
    }
  }
}
