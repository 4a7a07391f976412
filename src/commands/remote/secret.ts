/** Keys and tokens as people enter them: never as an argument, never shown. */
import { Refusal } from './end.ts'
import { readStandardInput } from './output.ts'

/** Standard input to its end. @throws Refusal when there is nothing */
export async function readSecret(): Promise<string> {
  const text = (await readStandardInput()).trim()
  if (text !== '') return text
  throw new Refusal('Standard input is empty.', '标准输入为空。')
}

/** Asks on a terminal. @throws Refusal where there is none, or when the person leaves */
export async function askSecret(message: string): Promise<string> {
  const { password, isCancel } = await terminal()
  const answer = await password({ message })
  if (isCancel(answer)) throw new Refusal('Nothing was done.', '未执行任何操作。')
  return answer ?? ''
}

/** The same for what may be seen. */
export async function ask(message: string, initialValue: string): Promise<string> {
  const { text, isCancel } = await terminal()
  const answer = await text({ message, initialValue })
  if (isCancel(answer)) throw new Refusal('Nothing was done.', '未执行任何操作。')
  return answer ?? ''
}

/** Loaded where a person is asked, and nowhere else. */
async function terminal() {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new Refusal(
      'There is no terminal to ask on: give what is needed as options, and secrets on standard input (see --help).',
      '没有可交互的终端：请用选项给出所需内容，密钥和令牌从标准输入读取（见 --help）。',
    )
  }
  return import('@clack/prompts')
}
