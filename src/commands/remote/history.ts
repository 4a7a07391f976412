/** `history` finds earlier generations, `get` saves their pictures. */
import type { Generation } from '../../api/generations.ts'
import { hasEnded } from '../../client/client.ts'
import { ApiError } from '../../client/errors.ts'
import { endingOf, saveOriginal } from '../../client/local-files.ts'
import { wholeNumber } from '../../operator/setting-values.ts'
import { commandLine } from '../arguments.ts'
import { nameOf } from './collect.ts'
import { readDestination } from './destination.ts'
import { attemptAtServer, exitCodes } from './end.ts'
import { brief, print, printJson, printTable, say, spellMoney } from './output.ts'
import { type Client, openServer, parse } from './server.ts'

const maxPage = 200

export async function history() {
  const { values, positionals } = commandLine('history')
  await attemptAtServer(async () => {
    const { model, status, favorite, tag, from, to } = values
    const limit = parse({ en: '--limit', zh: '--limit ' }, () => wholeNumber(values.limit ?? '20', 1, 1_000_000))
    const { client } = openServer(values)
    const filter = {
      q: positionals.join(' '),
      model,
      status: status as Generation['status'] | undefined,
      favorite,
      tag,
      from,
      to,
    }
    const found: Generation[] = []
    let cursor: string | undefined
    do {
      const page = await client.history.page({ ...filter, limit: Math.min(maxPage, limit - found.length), cursor })
      found.push(...page.items)
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined && found.length < limit)
    if (values.json) for (const generation of found) printJson(generation)
    else if (found.length === 0) say('Nothing was found. 没有找到。')
    else printTable(found.map(toRow))
  })
}

function toRow({ id, timestamp, status, images, failures, cost, model, prompt }: Generation) {
  const all = images.length + failures.length
  return [
    id,
    new Date(timestamp).toLocaleString('sv-SE').slice(0, 16),
    status,
    failures.length > 0 ? `${images.length}/${all}` : String(images.length),
    cost ? spellMoney(cost) : '',
    model ?? '',
    brief(prompt, 60),
  ]
}

export async function get() {
  const { values, positionals: ids } = commandLine('get')
  await attemptAtServer(async () => {
    const { client } = openServer(values)
    const { folder, name: given, ending } = readDestination(values.out ?? '.', ids.length)
    let code: number = exitCodes.done
    for (const id of ids) {
      const generation = await findGeneration(client, id)
      const images = generation?.images ?? [{ id, index: 0, mime_type: await readType(client, id) }]
      for (const image of images) {
        const name = generation ? nameOf(generation, image, given) : (given ?? id.replace(/[^\w-]/g, ''))
        const place = { folder, name, ending: ending ?? endingOf(image), isReplaced: values.overwrite }
        const { file } = await saveOriginal(client, image, place)
        if (values.json) printJson({ event: 'saved', generation_id: generation?.id ?? null, image_id: image.id, file })
        else print(file)
      }
      if (!generation || (hasEnded(generation) && images.length > 0)) continue
      say(
        hasEnded(generation)
          ? `${id} has no pictures (${generation.status}). 没有图片。`
          : `${id} is still being made. 仍在生成。`,
      )
      code = hasEnded(generation) ? exitCodes.missing : exitCodes.unfinished
    }
    return code
  })
}

/** Undefined: there is none, so it may be the id of a picture. */
async function findGeneration(client: Client, id: string) {
  try {
    return await client.history.get(id)
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  }
}

async function readType(client: Client, id: string) {
  return (await client.images.read(id)).mimeType
}
