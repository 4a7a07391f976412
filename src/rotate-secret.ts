/**
 * Seals everything with another SECRET_KEY: `npm run rotate-secret`, while the server is stopped. The new secret is made here and kept in
 * the data folder, or given in NEW_SECRET_KEY. With `--lost`, keys that the present secret does not open are given up.
 */
import { loadSettings, readEnvironment, SettingsError, secretKeyOf } from './settings.ts'
import { openDatabase } from './storage/database.ts'
import { createSeal, newSecret, prepareSecret, SealError, type Secret, secretsOf } from './storage/seal.ts'
import { sealAnew } from './storage/seal-check.ts'

try {
  await rotate(readEnvironment(), process.argv.slice(2))
} catch (error) {
  const isKnown = error instanceof Error && ['SettingsError', 'DatabaseError', 'SealError'].includes(error.name)
  console.error(isKnown ? error.message : error)
  process.exitCode = 1
}

async function rotate(environment: Record<string, string | undefined>, words: string[]) {
  const unknown = words.find(word => word !== '--lost')
  if (unknown !== undefined)
    throw new SealError(`${unknown} is not known here; the only option is --lost. Nothing was changed.`)
  const settings = loadSettings(environment)
  const given = givenSecret(environment.NEW_SECRET_KEY?.trim())
  const [first, ...others] = secretsOf(settings.dataDir, settings.secretKey)
  const candidate = ({ text, keep }: Secret) => ({ seal: createSeal(text), keep })
  const anySeal = words.includes('--lost')
  const database = await openDatabase(settings.database, [candidate(first), ...others.map(candidate)], { anySeal })
  try {
    const secret = given ?? newSecret()
    const seal = createSeal(secret)
    if (seal.keyId === database.seal.keyId)
      throw new SealError('NEW_SECRET_KEY is the one in use already; give another.')
    // Beside the old one first, so that whatever happens one of the two opens the database; the next start knows which.
    const isKept = given === undefined || settings.secretKey === undefined
    const prepared = isKept ? prepareSecret(settings.dataDir, secret) : undefined
    const { sealed, dropped } = await sealAnew(database, seal, { dropUnreadable: anySeal }).catch(error => {
      prepared?.discard()
      throw error
    })
    prepared?.commit()
    console.log(
      `Sealed anew: ${sealed} key${sealed === 1 ? '' : 's'}. Everybody has to log in again. 已重新加密，请重新登录。`,
    )
    if (dropped.length > 0) console.log(`Enter these keys again 请重新录入密钥: ${dropped.join(', ')}`)
    if (settings.secretKey !== undefined) {
      console.log(
        isKept
          ? 'The new SECRET_KEY is in the data folder: take SECRET_KEY out of the environment and .env before you start. 请从环境变量和 .env 中删除 SECRET_KEY。'
          : 'Set SECRET_KEY to the new one before you start. 启动前请把 SECRET_KEY 改为新值。',
      )
    }
  } finally {
    await database.close()
  }
}

function givenSecret(text: string | undefined) {
  if (!text) return undefined
  try {
    return secretKeyOf(text)
  } catch (error) {
    throw new SettingsError([`NEW_SECRET_KEY ${error instanceof Error ? error.message : error}`], { cause: error })
  }
}
