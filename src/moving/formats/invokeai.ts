/**
 * The root folder of InvokeAI: `databases/invokeai.db` knows every picture, with its recipe, its star and its board; the files lie in
 * `outputs/images`. Only read, also while InvokeAI runs. Source: invoke-ai/InvokeAI,
 * `invokeai/app/services/shared/sqlite_migrator/migrations/` (tables `images`, `boards`, `board_images`, column `image_subfolder`) and
 * `invokeai/app/services/image_records/image_records_common.py`, commit 8e71a8a519 of 2026-08-19; read 2026-11.
 */
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseInvokeai } from '../metadata/invokeai.ts'
import { asText, asTime } from '../recipe.ts'
import { type Refuse, type Tree, TreeError, type TreeFile } from '../trees/tree.ts'
import type { Format, FoundPicture } from './format.ts'

const databaseNames = ['databases/invokeai.db', 'invokeai.db']
const imageFolders = ['outputs/images', 'images', '']
const maxDatabaseBytes = 8 * 1024 ** 3
/** Read together, between two turns of the event loop. */
const pageSize = 200

interface Row {
  image_name: string
  metadata: string | null
  created_at: string | null
  starred: number | null
  board_name: string | null
  image_subfolder: string | null
}

export async function openInvokeai(tree: Tree): Promise<Format | undefined> {
  const found = await findFirst(tree, databaseNames)
  if (!found) return undefined
  const { database, close } = await openDatabase(tree, found)
  try {
    const columns = new Set(
      database
        .prepare("select name from pragma_table_info('images')")
        .all()
        .map(({ name }) => String(name)),
    )
    if (!columns.has('image_name')) throw new Error('it has no table of pictures')
    const query = composeQuery(database, columns)
    return {
      name: 'InvokeAI',
      async count() {
        const { count } = database.prepare(`select count(*) as count from images where ${wanted(columns)}`).get() ?? {}
        return Number(count)
      },
      read: refuse => read(tree, database.prepare(query), refuse),
      close,
    }
  } catch (error) {
    close()
    throw damaged(tree, error)
  }
}

/** Intermediate pictures and what was given are no results. */
function wanted(columns: ReadonlySet<string>) {
  return [
    columns.has('is_intermediate') ? 'coalesce(is_intermediate, 0) = 0' : '1',
    columns.has('image_category') ? "image_category = 'general'" : '1',
    columns.has('deleted_at') ? 'deleted_at is null' : '1',
  ].join(' and ')
}

function composeQuery(database: DatabaseSync, columns: ReadonlySet<string>) {
  const hasBoards = database.prepare("select 1 from sqlite_master where name = 'board_images'").get() !== undefined
  const column = (name: string) => (columns.has(name) ? `images.${name}` : `null as ${name}`)
  const board = hasBoards
    ? '(select board_name from board_images join boards using (board_id) where board_images.image_name = images.image_name limit 1)'
    : 'null'
  const names = ['metadata', 'created_at', 'starred', 'image_subfolder'].map(column).join(', ')
  return `select images.image_name, ${names}, ${board} as board_name from images
    where images.image_name > ? and ${wanted(columns)} order by images.image_name limit ${pageSize}`
}

async function* read(
  tree: Tree,
  page: ReturnType<DatabaseSync['prepare']>,
  refuse: Refuse,
): AsyncGenerator<FoundPicture> {
  for (let last = ''; ; ) {
    const rows = page.all(last) as unknown as Row[]
    for (const row of rows) {
      const names = imageFolders.map(folder => [folder, row.image_subfolder, row.image_name].filter(Boolean).join('/'))
      const content = await findFirst(tree, names)
      if (content) yield describe(row, content)
      else refuse(names[0]!, 'missing', 'its database names it')
    }
    if (rows.length < pageSize) return
    last = rows.at(-1)!.image_name
  }
}

function describe(row: Row, content: TreeFile): FoundPicture {
  // SQLite's own form, in UTC.
  const createdAt = asTime(
    row.created_at === null ? undefined : `${row.created_at.replace(' ', 'T').replace(/Z$/, '')}Z`,
  )
  const recipe = parseInvokeai(row.metadata ?? undefined)
  const board = asText(row.board_name)?.trim().slice(0, 100)
  return {
    path: content.path,
    content,
    identity: recipe && `image:${row.image_name}`,
    index: 0,
    recipe: recipe && { ...recipe, timestamp: createdAt },
    source: 'invokeai',
    marks: { favorite: row.starred === 1, tags: board ? [board] : [] },
    createdAt: createdAt ?? content.modifiedAt,
  }
}

async function findFirst(tree: Tree, names: readonly string[]): Promise<TreeFile | undefined> {
  for (const name of names) {
    const found = await tree.find(name)
    if (found) return found
  }
  return undefined
}

/** SQLite needs a file of its own; one in a folder is opened where it lies, together with its journal. */
async function openDatabase(tree: Tree, file: TreeFile) {
  const place = tree.placeOf?.(file)
  if (place !== undefined) {
    const database = openReadOnly(place, tree)
    return { database, close: () => database.close() }
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'webimgui-invokeai-'))
  const copy = path.join(folder, 'invokeai.db')
  try {
    await pipeline(Readable.from(tree.open(file, maxDatabaseBytes)), createWriteStream(copy, { mode: 0o600 }))
    const database = openReadOnly(copy, tree)
    return {
      database,
      close() {
        database.close()
        void rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw damaged(tree, error)
  }
}

function openReadOnly(place: string, tree: Tree): DatabaseSync {
  try {
    const database = new DatabaseSync(place, { readOnly: true, timeout: 2000, allowExtension: false })
    // The database is foreign: nothing in its schema may run functions.
    database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
    return database
  } catch (error) {
    throw damaged(tree, error)
  }
}

function damaged({ name }: Tree, error: unknown) {
  if (error instanceof TreeError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new TreeError(
    `The database of InvokeAI in ${name} cannot be read (${reason}). Choose its folder outputs/images instead: the pictures hold their recipes too.`,
    `无法读取 ${name} 中的 InvokeAI 数据库（${reason}）。可改为选择 outputs/images 文件夹，图片中也有生成参数。`,
    { cause: error },
  )
}
