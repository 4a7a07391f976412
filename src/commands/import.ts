/** Takes over pictures of other programs: into the data folder while no server uses it, or with `--url` into a running server. */
import { createWriteStream, existsSync, mkdirSync } from 'node:fs'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Import } from '../api/imports.ts'
import { type ImportProgress, type ImportRun, startImport } from '../moving/import-run.ts'
import { reportAsJson, reportAsText } from '../moving/report.ts'
import { loadSettings, readEnvironment, type Settings } from '../settings.ts'
import { openDatabase } from '../storage/database.ts'
import { createFolderFiles } from '../storage/files/folder.ts'
import { createSeal, findSecrets, type Secret } from '../storage/secrets/seal.ts'
import { createStore } from '../storage/store.ts'
import { commandLine } from './arguments.ts'
import { attempt } from './explain.ts'
import { attemptAtServer, exitCodes } from './remote/end.ts'
import { importThere } from './remote/import.ts'

const { values, positionals } = commandLine('import')

const { url, tag: tags = [], report } = values
if (url === undefined) await attempt(() => importHere(positionals, tags, report))
else await attemptAtServer(() => importAt(url))

/** Into a running server, by its address and token. */
async function importAt(address: string) {
  let isWhole = true
  for await (const { record, text } of importThere(positionals, tags, address, ({ done, total, imported }) => {
    if (process.stdout.isTTY) show({ done, total, imported })
  })) {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
    tell(record, report !== undefined)
    if (report !== undefined) await appendFile(path.resolve(report), text)
    isWhole &&= record.state === 'done'
  }
  return isWhole ? exitCodes.done : exitCodes.missing
}

/** True unless it broke off. What was left out is no failure: the report says why. */
async function importHere(places: string[], tags: string[], reportPath: string | undefined) {
  const settings = loadSettings(readEnvironment())
  if (settings.storage.kind !== 'folder') {
    console.error('Pictures can be imported into a folder only. 目前只能导入到本地文件夹。')
    return false
  }
  const database = await openHere(settings)
  const folder = await mkdtemp(path.join(tmpdir(), 'webimgui-import-'))
  const reportFile = path.join(folder, 'report.jsonl')
  try {
    const run = startImport(
      { places: places.map(place => path.resolve(place)), tags, reportFile },
      { store: createStore(database), files: createFolderFiles(settings.storage.path) },
    )
    const progress = await watch(run)
    if (reportPath !== undefined) await writeReport(reportFile, path.resolve(reportPath), progress)
    tell({ ...progress.counts, ...progress }, reportPath !== undefined)
    return progress.state === 'done'
  } finally {
    await database.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function openHere({ database, dataDir, secretKey }: Settings) {
  const [first, ...others] = findSecrets(dataDir, secretKey)
  const candidate = ({ text, keep }: Secret) => ({ seal: createSeal(text), keep })
  // Into an empty data folder too: whoever moves in need not have started a server before.
  const isNew = database.kind === 'sqlite' && !existsSync(database.path)
  if (isNew) mkdirSync(dataDir, { recursive: true })
  return openDatabase(database, [candidate(first), ...others.map(candidate)], { isTool: !isNew })
}

/** Ctrl-C ends it in order: what was imported stays, and the same command goes on from there. */
async function watch(run: ImportRun): Promise<ImportProgress> {
  const stop = () => run.stop()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  const timer = process.stdout.isTTY
    ? setInterval(() => show({ ...run.progress(), imported: run.progress().counts.imported }), 200)
    : undefined
  try {
    return await run.ended
  } finally {
    clearInterval(timer)
    if (timer) process.stdout.write('\r\x1b[K')
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

function show({ done, total, imported }: Pick<Import, 'done' | 'total' | 'imported'>) {
  const share = total ? ` / ${total} (${Math.min(100, Math.floor((done / total) * 100))}%)` : ''
  process.stdout.write(`\r\x1b[K${done}${share}, ${imported} new 新增`)
}

function tell(
  record: Pick<Import, 'state' | 'imported' | 'already' | 'differs' | 'left_out' | 'by_source' | 'error'> & {
    by_reason: Partial<Record<string, number>>
  },
  hasReport: boolean,
) {
  const { state, error, ...counts } = record
  console.log(`${counts.imported} imported 已导入, ${counts.already} already here 已存在`)
  for (const [source, count] of Object.entries(counts.by_source)) console.log(`  ${source}: ${count}`)
  if (counts.differs > 0) {
    console.log(
      `${counts.differs} already here with another recipe; nothing of them was changed 已存在但生成参数不同，未做更改`,
    )
  }
  if (counts.left_out > 0) {
    console.log(`${counts.left_out} left out 未导入`)
    for (const [reason, count] of Object.entries(counts.by_reason)) console.log(`  ${reason}: ${count}`)
  }
  if (!hasReport && counts.differs + counts.left_out > 0) {
    console.log('--report FILE writes a line for each. 用 --report FILE 保存逐条明细。')
  }
  if (state === 'stopped') console.log('Stopped; the same command goes on. 已停止；再次执行同一命令可继续。')
  if (error) console.error(`${error.en}\n${error.zh}`)
  if (state === 'failed')
    console.error('What was imported stays; the same command goes on. 已导入的内容保留；再次执行同一命令可继续。')
}

/** As JSON where the name says so, otherwise as text. */
async function writeReport(reportFile: string, target: string, progress: ImportProgress) {
  const { counts, state, startedAt, finishedAt, error } = progress
  const head = { webimgui_import: 1, state, started_at: startedAt, finished_at: finishedAt, counts, error }
  const pieces = target.endsWith('.json') ? reportAsJson(reportFile, head) : reportAsText(reportFile, counts)
  await pipeline(Readable.from(pieces), createWriteStream(target))
}
