/** `generate` and `edit`: prompts become requests of one order. */
import type { GenerateRequest } from '../../api/generations.ts'
import { checkPictureFile, LocalFileError, uploadPictureFile } from '../../client/local-files.ts'
import { wholeNumber } from '../../operator/setting-values.ts'
import { readTextFile } from '../../operator/text-file.ts'
import { commandLine, refuseArguments } from '../arguments.ts'
import { attemptAtServer } from './end.ts'
import { readStandardInput } from './output.ts'
import { type OrderOptions, placeOrder } from './place-order.ts'
import { type Client, openServer, parse } from './server.ts'

interface MakeOptions extends OrderOptions {
  model?: string
  image?: string[]
  mask?: string
  number?: string
  size?: string
  param?: string[]
  config?: string
  provider?: string
  url?: string
}

export async function generate() {
  const { values, positionals } = commandLine('generate')
  const [prompt] = positionals
  if ((prompt === undefined) === (values.prompts === undefined)) {
    refuseArguments(
      'generate',
      'Give a prompt in quotes, or --prompts with a file. 请给出加引号的提示词，或用 --prompts 指定文件。',
    )
  }
  await attemptAtServer(
    async () => make(values.prompts === undefined ? [prompt ?? ''] : await readPrompts(values.prompts), values),
    values,
  )
}

export async function edit() {
  const { values, positionals } = commandLine('edit')
  const [picture = '', prompt = ''] = positionals
  await attemptAtServer(() => make([prompt], { ...values, image: [picture, ...(values.image ?? [])] }), values)
}

async function make(prompts: readonly string[], options: MakeOptions): Promise<number> {
  const { model, config, provider } = options
  const parameters = readParameters(options)
  const references = await Promise.all((options.image ?? []).map(checkReference))
  const mask = options.mask === undefined ? undefined : await checkReference(options.mask)
  const server = openServer(options)
  const common = { model, config_id: config, provider, parameters }
  return placeOrder(
    server,
    {
      sameness: [prompts, common, references.map(({ sameness }) => sameness), mask?.sameness],
      requests: prompts.map(prompt => ({ prompt, path: 'api/generate' })),
      async prepareBodies() {
        const images = await Promise.all(references.map(({ send }) => send(server.client)))
        const pictures = {
          ...(images.length > 0 ? { images } : {}),
          ...(mask ? { mask: await mask.send(server.client) } : {}),
        }
        return prompts.map(prompt => ({ prompt, ...common, ...pictures }))
      },
      estimate: (_, body) => server.client.estimate(body as GenerateRequest),
    },
    options,
  )
}

/** One a line; empty lines are none. */
async function readPrompts(file: string): Promise<string[]> {
  const text = file === '-' ? await readStandardInput() : readTextFile(file)
  const prompts = text
    .split(/\r\n|\r|\n/)
    .map(line => line.trim())
    .filter(line => line !== '')
  if (prompts.length === 0) throw new LocalFileError(`There is no prompt in ${file}. ${file} 中没有提示词。`)
  return prompts
}

function readParameters({ number, size, param = [] }: MakeOptions): Record<string, unknown> {
  const named = param.map(text => {
    const at = text.indexOf('=')
    if (at < 1) throw new LocalFileError(`--param ${text} has to look like NAME=VALUE. --param 应写成 NAME=VALUE。`)
    return [text.slice(0, at), readValue(text.slice(at + 1))] as const
  })
  return {
    ...(size === undefined ? {} : { size }),
    ...(number === undefined
      ? {}
      : { n: parse({ en: '--number', zh: '--number ' }, () => wholeNumber(number, 1, 1000)) }),
    ...Object.fromEntries(named),
  }
}

/** Numbers, `true`, `false`, `null`, lists, objects and texts in quotes are JSON; everything else is text. */
function readValue(text: string): unknown {
  if (!/^(-?\d|true$|false$|null$|\[|\{|")/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What it is, and how the server gets it. Files are looked at before anything is sent. */
async function checkReference(text: string): Promise<{ sameness: string; send(client: Client): Promise<string> }> {
  if (/^https?:\/\//i.test(text)) return { sameness: text, send: async () => text }
  try {
    const { file, sha256 } = await checkPictureFile(text)
    return { sameness: sha256, send: client => uploadPictureFile(client, file) }
  } catch (error) {
    const isId = /^[\w-]{16,200}$/.test(text)
    if (!isId || !(error instanceof LocalFileError)) throw error
    return { sameness: text, send: async () => text }
  }
}
