/** How a word that speaks to a server ends: its exit code, and what it says when it could not. */
import { ApiError } from '../../client/errors.ts'
import { LocalFileError } from '../../client/local-files.ts'
import { explain } from '../explain.ts'
import { plain, printJson, say } from './output.ts'

/** For scripts; docs/command-line.md has them. */
export const exitCodes = {
  done: 0,
  /** Arguments or files of this machine; nothing was done. */
  unusable: 1,
  /** By the server, or by `--max-cost`; nothing was paid. */
  refused: 2,
  /** Some pictures, or all of them, were not made. */
  missing: 3,
  /** It goes on at the server; the same command collects it. */
  unfinished: 4,
  unreachable: 5,
  interrupted: 130,
} as const

/** A refusal of this program. Nothing was sent. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly zh: string
  constructor(en: string, zh: string) {
    super(en)
    this.zh = zh
  }
}

/** Does what a word is for; a number that it returns is the exit code. With `json` an error is told to the program as well. */
export async function attemptAtServer(action: () => Promise<unknown>, { json }: { json?: boolean } = {}) {
  // Whoever reads the output may have seen enough, as `head` has.
  process.stdout.on('error', () => {})
  try {
    const code = await action()
    if (typeof code === 'number') process.exitCode = code
  } catch (error) {
    if (json)
      printJson({
        event: 'error',
        code: error instanceof ApiError ? error.code : 'refused_here',
        detail: describeError(error),
      })
    say(describeError(error))
    process.exitCode = exitCodeOf(error)
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof Refusal) return exitCodes.refused
  if (!(error instanceof ApiError)) return exitCodes.unusable
  return error.status === 0 || error.code === 'redirected' ? exitCodes.unreachable : exitCodes.refused
}

/** In the words of the server, with what to do about it. */
export function describeError(error: unknown): string {
  if (error instanceof Refusal) return `${error.message} ${error.zh}`
  if (error instanceof LocalFileError) return error.message
  if (!(error instanceof ApiError)) return explain(error)
  const faults = error.problem?.errors?.map(({ path, message }) => `- ${path ? `${path}: ` : ''}${message}`) ?? []
  // The sentence above repeats a fault that is alone.
  const more = faults.filter(fault => faults.length > 1 || !error.message.includes(fault.replace(/^- (\S+: )?/, '')))
  // A server of ours says in its own words what is not there.
  const isElsewhere = error.status === 404 && error.problem === undefined
  const advice = isElsewhere ? adviceElsewhere : adviceFor[error.code]
  return plain([error.message, ...more, ...(advice ? [advice] : [])].join('\n'))
}

const adviceElsewhere =
  'Give the address of the server alone, such as http://127.0.0.1:8000, without /v1 or /api. 请只写服务地址，例如 http://127.0.0.1:8000，不带 /v1 或 /api。'

const adviceFor: Partial<Record<ApiError['code'], string>> = {
  unauthorized:
    'Log in with `webimgui login`, or set WEBIMGUI_TOKEN. 请用 webimgui login 登录，或设置 WEBIMGUI_TOKEN。',
  offline:
    'Is it running, and is the address right? `webimgui login` keeps another one; --url and WEBIMGUI_URL give one. 服务是否在运行、地址是否正确？可用 webimgui login、--url 或 WEBIMGUI_URL 指定。',
  configuration_missing: 'Keys are added with `webimgui config add`. 用 webimgui config add 添加密钥。',
  budget_exceeded: '`webimgui usage` shows what was spent. 用 webimgui usage 查看用量。',
}
