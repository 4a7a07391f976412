/** Seals secrets before they reach the database: AES-256-GCM under a key derived from SECRET_KEY, bound to their place. */
import { createCipheriv, createDecipheriv, createHash, createSecretKey, hkdfSync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { SentenceError } from '../../operator/sentence-error.ts'
import { readTextFile, TextFileError, writeNewFile } from '../../operator/text-file.ts'

export class SealError extends SentenceError {
  override name = 'SealError'
}

/** `v1.<key id>.<nonce>.<ciphertext and tag>`, the last two in base64url. */
const form = /^v1\.([0-9a-f]{8})\.([\w-]{16})\.([\w-]+)$/

export type Seal = ReturnType<typeof createSeal>

export function createSeal(secret: string) {
  const bytes = Buffer.from(hkdfSync('sha256', secret, 'webimgui', 'seal v1', 32))
  const keyId = createHash('sha256').update(bytes).digest('hex').slice(0, 8)
  const key = createSecretKey(bytes)
  return {
    /** Identifies the key without revealing it. */
    keyId,
    /** `place` binds the secret to its row, such as `configurations/{id}`: moved elsewhere it cannot be opened. */
    seal(plain: string, place: string) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place))
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${keyId}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`
    },
    /** @throws SealError when the key is another one or the text was altered or moved. */
    open(sealed: string, place: string) {
      const parts = form.exec(sealed)
      if (!parts)
        throw new SealError('A stored key is not sealed; enter it again.', '保存的密钥格式不正确，请重新录入。')
      const [, usedKeyId, nonce = '', text = ''] = parts
      if (usedKeyId !== keyId)
        throw new SealError(
          'A stored key was sealed with another SECRET_KEY; restore that one or enter the key again.',
          '保存的密钥是用另一个 SECRET_KEY 加密的；请恢复那个 SECRET_KEY，或重新录入密钥。',
        )
      const bytes = Buffer.from(text, 'base64url')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url')).setAAD(
          Buffer.from(place),
        )
        decipher.setAuthTag(bytes.subarray(-16))
        return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new SealError(
          'A stored key was altered or moved from its row; enter it again.',
          '保存的密钥被改动或移动过，请重新录入。',
          { cause },
        )
      }
    },
  }
}

// ── The secret ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Secret {
  text: string
  /** Stores it in the data folder; does nothing if it is already there, or was configured. */
  keep(): void
}

/**
 * The secrets that may be in use, the likeliest first: the configured one alone; otherwise that of the data folder, and a new one
 * beside it when a change of secrets was interrupted; otherwise one made now, which is written down when it is kept.
 */
export function findSecrets(dataDir: string, configured: string | undefined): [Secret, ...Secret[]] {
  if (configured) return [{ text: configured, keep() {} }]
  const file = path.join(dataDir, 'secret.key')
  const next = nextSecretFile(dataDir)
  const kept = existsSync(file) ? [{ text: readText(file), keep: () => rmSync(next, { force: true }) }] : []
  const changed = existsSync(next) ? [{ text: readText(next), keep: () => void putInPlace(dataDir) }] : []
  const [first, ...others] = [...kept, ...changed]
  if (first) return [first, ...others]
  const text = newSecret()
  return [{ text, keep: () => writeNew(file, text) }]
}

/** The configured secret, or the one in the data folder, which is made when there is none. */
export function readSecret(dataDir: string, configured: string | undefined): string {
  const [{ text, keep }] = findSecrets(dataDir, configured)
  if (!configured && !existsSync(path.join(dataDir, 'secret.key'))) keep()
  return text
}

export function newSecret() {
  return randomBytes(32).toString('base64url')
}

/**
 * Puts a secret beside the present one; it counts once the database is sealed with it. `commit` puts it in its place and tells the file
 * in which the former one is kept, if the data folder had one.
 */
export function prepareSecret(dataDir: string, text: string): { commit(): string | undefined; discard(): void } {
  const next = nextSecretFile(dataDir)
  rmSync(next, { force: true })
  writeNew(next, text)
  return {
    commit: () => putInPlace(dataDir),
    discard: () => rmSync(next, { force: true }),
  }
}

/** The previous secret stays beside it, because it alone opens earlier backups. */
function putInPlace(dataDir: string) {
  const file = path.join(dataDir, 'secret.key')
  const former = existsSync(file) ? `${file}.before-${new Date().toISOString().replace(/[:.]/g, '-')}` : undefined
  if (former !== undefined) {
    linkSync(file, former)
    chmodSync(former, 0o600)
  }
  renameSync(nextSecretFile(dataDir), file)
  return former
}

function nextSecretFile(dataDir: string) {
  return path.join(dataDir, 'secret.key.next')
}

function readText(file: string) {
  try {
    const text = readTextFile(file).trim()
    if (text === '') {
      throw new SealError(
        `The secret ${file} is empty. Restore the previous one; if no keys were stored yet, delete the file and a new one is created.`,
        `密钥文件 ${file} 是空的。请放回原来的密钥；如果还没有保存过服务密钥，删除该文件即可自动生成。`,
      )
    }
    return text
  } catch (error) {
    if (error instanceof SealError || error instanceof TextFileError) throw error
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new SealError(
      `The secret ${file} cannot be read (${reason}). Let the user that runs this server read it.`,
      `密钥文件 ${file} 无法读取（${reason}）。请让运行本服务器的用户可以读取它。`,
      { cause: error },
    )
  }
}

/** Atomic, and on disk before it is used: what is sealed with a lost secret is lost. */
function writeNew(file: string, text: string) {
  if (writeNewFile(file, text)) return
  throw new SealError(`Another process just made ${file}; start again.`, `另一个进程刚刚创建了 ${file}；请重新启动。`)
}
