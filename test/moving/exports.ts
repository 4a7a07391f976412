/** Exports of other programs, made here by the formats that they publish. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { strToU8, zipSync } from 'fflate'
import { pngWith } from './pictures.ts'

export const peerKey = 'sk-of-a-peer-4f2a9c'

/** CookSleep/gpt_image_playground, `ExportData` of version 2. */
export async function gptImagePlayground(): Promise<Uint8Array> {
  const task = {
    ...{ id: 't1', prompt: '两只猫', status: 'done', error: null, isFavorite: true, elapsed: 9000 },
    params: {
      size: '1024x1024',
      quality: 'high',
      output_format: 'png',
      output_compression: null,
      moderation: 'auto',
      n: 2,
    },
    actualParams: { size: '1024x1024' },
    revisedPromptByImage: { aa: 'two cats' },
    ...{ inputImageIds: ['in'], outputImages: ['aa', 'bb', 'lost'], maskTargetImageId: 'in', maskImageId: 'mask' },
    ...{ createdAt: Date.UTC(2026, 3, 24, 3, 6, 40), finishedAt: Date.UTC(2026, 3, 24, 3, 6, 49) },
  }
  const maskless = { ...task, id: 't3', prompt: 'its mask is gone', outputImages: ['cc'], maskImageId: 'gone' }
  const failed = { ...task, id: 't2', outputImages: [], status: 'error', error: 'no' }
  const manifest = {
    ...{ version: 2, exportedAt: '2026-05-01T00:00:00.000Z', settings: { apiKey: peerKey, model: 'gpt-image-2' } },
    tasks: [task, failed, maskless],
    imageFiles: {
      aa: { path: 'images/aa.png', createdAt: task.createdAt, source: 'generated' },
      bb: { path: 'images/bb.png', source: 'generated' },
      in: { path: 'images/in.png', source: 'upload' },
      cc: { path: 'images/cc.png', source: 'generated' },
      mask: { path: 'images/mask.png', source: 'mask' },
      gone: { path: 'images/gone.png', source: 'mask' },
      lost: { path: '../../etc/passwd' },
    },
  }
  return zipSync({
    'images/aa.png': await pngWith(100, []),
    'images/bb.png': await pngWith(101, []),
    'images/in.png': await pngWith(102, []),
    'images/mask.png': await pngWith(103, []),
    'images/cc.png': await pngWith(104, []),
    'manifest.json': strToU8(JSON.stringify(manifest)),
  })
}

/** WinterChenS/nova-image-studio, `exportAllData`, with the jobs of its `job-store.ts`. */
export async function novaImageStudio(): Promise<Uint8Array> {
  const job = {
    ...{ id: 'j1', status: 'completed', mode: 'text-to-image', prompt: 'a fox', originalPrompt: '狐狸' },
    ...{ output_size: '2K', temperature: 1, aspect_ratio: '1:1', model: 'gemini-3-pro-image' },
    created_at: '2026-04-01T10:00:00.000Z',
  }
  const blob = (index: number) => ({
    ...{ key: `j1_${index}`, jobId: 'j1', index },
    blob: { _blobRef: `b1_${index}`, _blobMimeType: 'image/png' },
  })
  return zipSync({
    'metadata.json': strToU8(JSON.stringify({ version: '1.0', appName: 'Nova Image' })),
    'localStorage.json': strToU8(
      JSON.stringify({ 'nova-model-registry': peerKey, 'nova-jobs': JSON.stringify([job]) }),
    ),
    'indexedDB/nova-image-db.json': strToU8(JSON.stringify({ images: [{ id: 'j1' }], blobs: [blob(0), blob(1)] })),
    'blobs/b1_0': await pngWith(110, []),
  })
}

/** The tables of invoke-ai/InvokeAI that know pictures. */
export async function invokeai(folder: string) {
  mkdirSync(path.join(folder, 'databases'), { recursive: true })
  mkdirSync(path.join(folder, 'outputs/images/thumbnails'), { recursive: true })
  const database = new DatabaseSync(path.join(folder, 'databases/invokeai.db'))
  database.exec(`
    create table images (image_name text not null primary key, image_origin text not null, image_category text not null,
      width integer not null, height integer not null, session_id text, node_id text, metadata text,
      is_intermediate boolean default false, created_at datetime not null, updated_at datetime, deleted_at datetime,
      starred boolean default false, has_workflow boolean, image_subfolder text not null default '');
    create table boards (board_id text not null primary key, board_name text not null);
    create table board_images (board_id text not null, image_name text not null primary key);
    insert into boards values ('b1', '风景');
    insert into board_images values ('b1', 'one.png')`)
  const insert = database.prepare(
    'insert into images (image_name, image_origin, image_category, width, height, metadata, created_at, starred, is_intermediate) values (?, ?, ?, 16, 16, ?, ?, ?, ?)',
  )
  const metadata = {
    ...{
      positive_prompt: 'a castle',
      negative_prompt: 'fog',
      seed: 3,
      width: 512,
      height: 768,
      steps: 30,
      cfg_scale: 7,
    },
    ...{ scheduler: 'euler', model: { key: 'k', name: 'flux-dev', base: 'flux' }, generation_mode: 'txt2img' },
  }
  insert.run('one.png', 'internal', 'general', JSON.stringify(metadata), '2025-12-01 10:00:00.123', 1, 0)
  insert.run('gone.png', 'internal', 'general', null, '2025-12-02 10:00:00.123', 0, 0)
  insert.run('step.png', 'internal', 'general', null, '2025-12-02 10:00:00.123', 0, 1)
  insert.run('mask.png', 'internal', 'mask', null, '2025-12-02 10:00:00.123', 0, 0)
  database.close()
  for (const [index, name] of ['one', 'step', 'mask'].entries())
    writeFileSync(path.join(folder, `outputs/images/${name}.png`), await pngWith(120 + index, []))
}
