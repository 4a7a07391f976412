/** Temporary uploads of the simulated DashScope: a policy, a form in the manner of OSS, an `oss://` address for 48 hours. */
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import type { UploadedFile } from './inputs.ts'

const policySeconds = 300
const maxFileMegabytes = 100
const lifetimeMs = 48 * 3600 * 1000

/** An answer of the object store: XML, never JSON. */
export interface StoreAnswer {
  status: number
  body: string
}

export function storeError(status: number, code: string, message: string): StoreAnswer {
  const body = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<Error>',
    `  <Code>${code}</Code>`,
    `  <Message>${message}</Message>`,
    `  <RequestId>${randomBytes(12).toString('hex').toUpperCase()}</RequestId>`,
    '  <HostId>dashscope-result-bj.oss-cn-beijing.aliyuncs.com</HostId>',
    '</Error>',
  ].join('\n')
  return { status, body }
}

export function createUploads(uploadHost: string) {
  const secret = randomBytes(20)
  const files = new Map<string, UploadedFile>()
  const folders = new Map<string, { account: string; model: string }>()
  const sign = (policy: string) => createHmac('sha1', secret).update(policy).digest('base64')

  return {
    files: files as ReadonlyMap<string, UploadedFile>,

    /** `data` of `uploads?action=getPolicy`. */
    grant(account: string, model: string, at = Date.now()) {
      const day = new Date(at).toISOString().slice(0, 10)
      const folder = `dashscope-instant/${randomBytes(16).toString('hex')}/${day}/${randomUUID()}`
      folders.set(folder, { account, model })
      const conditions = [
        ['content-length-range', 0, maxFileMegabytes * 2 ** 20],
        ['starts-with', '$key', folder],
        { bucket: 'dashscope-file-simulator' },
        { 'x-oss-object-acl': 'private' },
        { 'x-oss-forbid-overwrite': 'true' },
      ]
      const expiration = new Date(at + policySeconds * 1000).toISOString()
      const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64')
      return {
        policy,
        signature: sign(policy),
        upload_dir: folder,
        upload_host: uploadHost,
        expire_in_seconds: policySeconds,
        max_file_size_mb: maxFileMegabytes,
        capacity_limit_mb: 999_999_999,
        oss_access_key_id: 'LTAI5tSimulatorUpload',
        x_oss_object_acl: 'private',
        x_oss_forbid_overwrite: 'true',
      }
    },

    /** The form at the upload host. */
    async receive(body: Buffer, headers: { authorization?: string; contentType?: string }): Promise<StoreAnswer> {
      if (headers.authorization !== undefined) {
        return storeError(403, 'AccessDenied', 'A form upload must not carry an Authorization header.')
      }
      const form = await readForm(body, headers.contentType)
      if (!form) {
        return storeError(412, 'PreconditionFailed', 'Bucket POST must be of the enclosure-type multipart/form-data')
      }
      const { fields, file } = form
      if (!file) {
        return storeError(
          400,
          'IncorrectNumberOfFilesInPOSTRequest',
          'POST requires exactly one file upload per request.',
        )
      }
      const missing = ['OSSAccessKeyId', 'Signature', 'policy', 'key'].find(name => !fields.get(name))
      if (missing) return storeError(400, 'InvalidArgument', `Bucket POST must contain a field named '${missing}'.`)
      const policy = fields.get('policy')!
      if (fields.get('Signature') !== sign(policy)) {
        return storeError(403, 'SignatureDoesNotMatch', signatureMismatch)
      }
      const rules = JSON.parse(Buffer.from(policy, 'base64').toString()) as {
        expiration: string
        conditions: unknown[]
      }
      if (Date.parse(rules.expiration) <= Date.now()) return againstPolicy('Policy expired.')
      const key = fields.get('key')!
      const folder = [...folders.keys()].find(each => policyNames(rules.conditions, each) && key.startsWith(`${each}/`))
      const owner = folder === undefined ? undefined : folders.get(folder)
      if (!owner) return againstPolicy('Policy Condition failed: ["starts-with", "$key"]')
      if (fields.get('x-oss-object-acl') !== 'private') {
        return againstPolicy('Policy Condition failed: ["eq", "$x-oss-object-acl", "private"]')
      }
      if (fields.get('x-oss-forbid-overwrite') !== 'true') {
        return againstPolicy('Policy Condition failed: ["eq", "$x-oss-forbid-overwrite", "true"]')
      }
      if (file.length > maxFileMegabytes * 2 ** 20) {
        return storeError(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size.')
      }
      if (files.has(key)) return storeError(409, 'FileAlreadyExists', 'The object you specified already exists.')
      files.set(key, { ...owner, bytes: file, expiresAt: Date.now() + lifetimeMs })
      return { status: fields.get('success_action_status') === '200' ? 200 : 204, body: '' }
    },
  }
}

export const signatureMismatch =
  'The request signature we calculated does not match the signature you provided. Check your key and signing method.'

const againstPolicy = (detail: string) => storeError(403, 'AccessDenied', `Invalid according to Policy: ${detail}`)

const policyNames = (conditions: unknown[], folder: string) =>
  conditions.some(each => Array.isArray(each) && each[1] === '$key' && each[2] === folder)

async function readForm(body: Buffer, contentType: string | undefined) {
  if (!contentType?.toLowerCase().startsWith('multipart/form-data')) return undefined
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => undefined)
  if (!form) return undefined
  const fields = new Map<string, string>()
  let file: Buffer | undefined
  for (const [name, value] of form) {
    // The store stops reading fields at the file: what comes after it was never sent.
    if (file) break
    if (name === 'file') file = typeof value === 'string' ? Buffer.from(value) : Buffer.from(await value.arrayBuffer())
    else if (typeof value === 'string') fields.set(name, value)
  }
  return { fields, file }
}
