/** Seals secrets before they reach the database: AES-256-GCM under a key derived from SECRET_KEY, bound to their place. */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export interface Seal {
  /** `place` binds the secret to its row, such as `configurations/{id}`: moved elsewhere it cannot be opened. */
  seal(plain: string, place: string): string
  /** @throws SealError when the key is another one or the text was altered or moved. */
  open(sealed: string, place: string): string
  /** Names the key without telling it. */
  keyId: string
}

export class SealError extends Error {
  override name = 'SealError'
}

/** `v1.<key id>.<nonce>.<ciphertext and tag>`, the last two in base64url. */
const form = /^v1\.([0-9a-f]{8})\.([\w-]{16})\.([\w-]+)$/

export function createSeal(secret: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, 'webimgui', 'seal v1', 32))
  const keyId = createHash('sha256').update(key).digest('hex').slice(0, 8)
  return {
    keyId,
    seal(plain, place) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place))
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${keyId}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`
    },
    open(sealed, place) {
      const parts = form.exec(sealed)
      if (!parts) throw new SealError('A stored key is not in the sealed form; enter it again.')
      const [, usedKeyId, nonce = '', text = ''] = parts
      if (usedKeyId !== keyId)
        throw new SealError(
          'A stored key was sealed with another SECRET_KEY; bring that one back or enter the key again.',
        )
      const bytes = Buffer.from(text, 'base64url')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url')).setAAD(
          Buffer.from(place),
        )
        decipher.setAuthTag(bytes.subarray(-16))
        return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new SealError('A stored key was altered or moved from its row; enter it again.', { cause })
      }
    },
  }
}

/** The configured secret, or the one made at the first start and kept in the data folder. */
export function readSecret(dataDir: string, configured: string | undefined): string {
  if (configured) return configured
  const file = path.join(dataDir, 'secret.key')
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  mkdirSync(dataDir, { recursive: true })
  const secret = randomBytes(32).toString('base64url')
  writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: 'wx' })
  return secret
}
