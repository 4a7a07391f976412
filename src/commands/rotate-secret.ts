/**
 * Seals everything with another SECRET_KEY, while the server is stopped. The new secret is made here and kept in
 * the data folder, or given in NEW_SECRET_KEY. With `--lost`, keys that the present secret does not open are given up.
 */

import { parseSecretKey } from '../operator/setting-values.ts'
import { faultIn, loadSettings, readEnvironment, SettingsError } from '../settings.ts'
import { openDatabase } from '../storage/database.ts'
import { createSeal, findSecrets, newSecret, prepareSecret, SealError, type Secret } from '../storage/secrets/seal.ts'
import { sealAnew } from '../storage/secrets/seal-check.ts'
import { commandLine } from './arguments.ts'
import { attempt } from './explain.ts'

const { values } = commandLine('rotate-secret')

await attempt(() => rotate(readEnvironment(), values.lost ?? false))

async function rotate(environment: Record<string, string | undefined>, anySeal: boolean) {
  const settings = loadSettings(environment)
  const given = givenSecret(environment.NEW_SECRET_KEY?.trim())
  const [first, ...others] = findSecrets(settings.dataDir, settings.secretKey)
  const candidate = ({ text, keep }: Secret) => ({ seal: createSeal(text), keep })
  const database = await openDatabase(settings.database, [candidate(first), ...others.map(candidate)], {
    anySeal,
    isTool: true,
  })
  try {
    const secret = given ?? newSecret()
    const seal = createSeal(secret)
    if (seal.keyId === database.seal.keyId)
      throw new SealError(
        'NEW_SECRET_KEY is already in use; choose another one.',
        'NEW_SECRET_KEY 就是正在使用的密钥；请换一个。',
      )
    // Stored beside the old one first, so that after a crash one of the two opens the database; the next start finds out which.
    const isKept = given === undefined || settings.secretKey === undefined
    const prepared = isKept ? prepareSecret(settings.dataDir, secret) : undefined
    const { sealed, dropped } = await sealAnew(database, seal, { dropUnreadable: anySeal }).catch(error => {
      prepared?.discard()
      throw error
    })
    const former = prepared?.commit()
    console.log(
      `Sealed anew: ${sealed} key${sealed === 1 ? '' : 's'}. Everybody has to log in again. 已重新加密，请重新登录。`,
    )
    if (dropped.length > 0) console.log(`Enter these keys again 请重新录入密钥: ${dropped.join(', ')}`)
    if (settings.secretKey !== undefined) {
      console.log(
        'Backups that were made before open with the SECRET_KEY of until now alone: write it down elsewhere before you change it in the environment or .env, and keep it as long as you keep them. 此前的备份只能用现在的 SECRET_KEY 打开：修改环境变量或 .env 之前，请先把它另行保存，直到不再需要这些备份。',
      )
      console.log(
        isKept
          ? 'The new SECRET_KEY is in the data folder: take SECRET_KEY out of the environment and .env before you start. 新密钥保存在数据目录中：启动前请从环境变量和 .env 中删除 SECRET_KEY。'
          : 'Set SECRET_KEY to the new one before you start. 启动前请把 SECRET_KEY 改为新值。',
      )
    } else if (former !== undefined) {
      console.log(
        `The former secret is kept in ${former}. Backups that were made before open with it alone: keep that file as long as you keep them, then delete it. 旧密钥保存在 ${former}。此前的备份只能用它打开：保留这些备份期间请勿删除该文件。`,
      )
    }
  } finally {
    await database.close()
  }
}

function givenSecret(text: string | undefined) {
  if (!text) return undefined
  try {
    return parseSecretKey(text)
  } catch (error) {
    throw new SettingsError([faultIn('NEW_SECRET_KEY', error)], { cause: error })
  }
}
