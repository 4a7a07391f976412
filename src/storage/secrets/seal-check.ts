/** Finds the secret of a database before anything is changed, and replaces it for all sealed keys at once. */
import type { Kysely } from 'kysely'
import type { Connection, Database } from '../connection.ts'
import type { Tables } from '../tables.ts'
import { whenTableMissing } from '../trouble.ts'
import { type Seal, SealError } from './seal.ts'

/** A candidate; `keep` is called when it proves right, before the database is changed. */
export interface SealCandidate {
  seal: Seal
  keep(): void
}

export const sealCheckName = 'seal-check'
const checkPlace = 'meta/seal-check'
const checkWord = 'webimgui'

export function sealedCheck(seal: Seal) {
  return seal.seal(checkWord, checkPlace)
}

/**
 * The first candidate that opens what is sealed in this database; simply the first where nothing is.
 * @throws SealError when there is none
 */
export async function provenSeal(
  kysely: Kysely<Tables>,
  candidates: readonly [SealCandidate, ...SealCandidate[]],
): Promise<SealCandidate> {
  const sealed = await sealedTexts(kysely)
  if (sealed.length === 0) return candidates[0]
  const proven = candidates.find(({ seal }) => sealed.some(({ text, place }) => opens(seal, text, place)))
  if (proven) return proven
  throw new SealError(
    'SECRET_KEY is not the one that the keys in this database were sealed with. Nothing was changed. ' +
      'Restore the previous one: in the environment, which takes precedence, or in the file secret.key of the data folder. If it is lost for good, ' +
      'run "webimgui rotate-secret --lost" once and enter the keys of the services again.',
    'SECRET_KEY 不是加密此数据库中密钥的那一个。没有做任何改动。请恢复原来的密钥：写在环境变量中（优先），或放回数据目录的 secret.key 文件。' +
      '如果确已丢失，请运行一次 "webimgui rotate-secret --lost"，然后重新录入服务密钥。',
  )
}

/** The check value; in a database that has none yet, the sealed keys. */
async function sealedTexts(kysely: Kysely<Tables>): Promise<{ text: string; place: string }[]> {
  const checks = kysely.selectFrom('meta').select('value').where('name', '=', sealCheckName)
  const check = await checks.executeTakeFirst().catch(whenTableMissing)
  if (check) return [{ text: check.value, place: checkPlace }]
  // Keys of the previous program are in plain text, and their ids may exceed the range of numbers here.
  const sealed = kysely.selectFrom('configurations').select(['id', 'api_key']).where('api_key', 'like', 'v1.%')
  const rows = (await sealed.execute().catch(whenTableMissing)) ?? []
  return rows.map(row => ({ text: row.api_key, place: placeOfKey(row.id) }))
}

function opens(seal: Seal, text: string, place: string) {
  try {
    seal.open(text, place)
    return true
  } catch (error) {
    if (error instanceof SealError) return false
    throw error
  }
}

/** The place that the sealed key of a configuration is bound to. */
export function placeOfKey(id: string) {
  return `configurations/${id}`
}

/** The place that the sealed key of a call is bound to. */
export function placeOfSent(callId: string) {
  return `provider_calls/${callId}`
}

/** A sealed key that cannot be opened is useless: its task is polled with the current key of its configuration. */
async function sealSentAnew(transaction: Connection, from: Seal, to: Seal) {
  const rows = await transaction
    .selectFrom('provider_calls')
    .select(['id', 'sent_with'])
    .where('sent_with', 'is not', null)
    .execute()
  for (const { id, sent_with } of rows) {
    const place = placeOfSent(id)
    const text = sent_with !== null && opens(from, sent_with, place) ? from.open(sent_with, place) : undefined
    await transaction
      .updateTable('provider_calls')
      .set({ sent_with: text === undefined ? null : to.seal(text, place) })
      .where('id', '=', id)
      .execute()
  }
}

/** The places that the secrets of a webhook are bound to. */
export function placesOfWebhook(id: string) {
  return { present: `webhooks/${id}`, former: `webhooks/${id}/former` }
}

/** A webhook whose secret cannot be opened is switched off: what it cannot sign is not sent. */
async function sealWebhooksAnew(transaction: Connection, from: Seal, to: Seal) {
  const rows = await transaction.selectFrom('webhooks').select(['id', 'secret', 'former_secret']).execute()
  const sealAgain = (text: string | null, place: string) =>
    text !== null && opens(from, text, place) ? to.seal(from.open(text, place), place) : undefined
  for (const { id, secret, former_secret } of rows) {
    const places = placesOfWebhook(id)
    const sealed = sealAgain(secret, places.present)
    await transaction
      .updateTable('webhooks')
      .set({
        ...(sealed === undefined ? { secret: '', state: 'off' } : { secret: sealed }),
        former_secret: sealAgain(former_secret, places.former) ?? null,
      })
      .where('id', '=', id)
      .execute()
  }
}

/**
 * Seals everything anew, all or nothing. A key that `database.seal` does not open stops it, unless `dropUnreadable`: then that
 * configuration is left without a key. The names of those come back.
 * @throws SealError
 */
export async function sealAnew(
  database: Database,
  to: Seal,
  { dropUnreadable }: { dropUnreadable: boolean },
): Promise<{ sealed: number; dropped: string[] }> {
  return database.kysely.transaction().execute(async transaction => {
    const rows = await transaction.selectFrom('configurations').select(['id', 'name', 'api_key']).execute()
    const dropped: string[] = []
    for (const { id, name, api_key } of rows.filter(row => row.api_key !== '')) {
      const place = placeOfKey(id)
      const update = transaction.updateTable('configurations').where('id', '=', id)
      if (opens(database.seal, api_key, place)) {
        await update.set({ api_key: to.seal(database.seal.open(api_key, place), place) }).execute()
      } else if (dropUnreadable) {
        await update.set({ api_key: '', key_hint: null }).execute()
        dropped.push(name)
      } else {
        throw new SealError(
          `The key of the configuration "${name}" cannot be opened, so nothing was changed. Enter that key again or delete the ` +
            'configuration; or give such keys up with "webimgui rotate-secret --lost".',
          `配置“${name}”的密钥无法解开，没有做任何改动。请重新录入该密钥或删除该配置；也可以用 "webimgui rotate-secret --lost" 放弃这类密钥。`,
        )
      }
    }
    await sealSentAnew(transaction, database.seal, to)
    await sealWebhooksAnew(transaction, database.seal, to)
    await transaction
      .updateTable('meta')
      .set({ value: sealedCheck(to) })
      .where('name', '=', sealCheckName)
      .execute()
    return { sealed: rows.filter(row => row.api_key !== '').length - dropped.length, dropped }
  })
}
