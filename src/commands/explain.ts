/** The message when a command fails: one sentence in both languages if it is known what to do, otherwise the stack. */
import type { Words } from '../operator/environment-file.ts'
import { SentenceError } from '../operator/sentence-error.ts'

/** Does what a command is for. The process ends with 1 where that returns false, and after the message where it fails. */
export async function attempt(action: () => Promise<unknown>) {
  try {
    if ((await action()) === false) process.exitCode = 1
  } catch (error) {
    console.error(explain(error))
    process.exitCode = 1
  }
}

export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const words = error instanceof SentenceError ? { en: error.message, zh: error.zh } : troubleOfSystem(error)
  return words ? `${words.en}\n${words.zh}` : (error.stack ?? error.message)
}

function troubleOfSystem(error: Error): Words | undefined {
  const code = 'code' in error ? error.code : undefined
  if (code === undefined) return undefined
  if ('syscall' in error && 'path' in error) {
    // A folder cannot be made where a file has its name.
    const isTaken = code === 'EEXIST' && error.syscall === 'mkdir'
    return troubleOfFile(String(error.path), isTaken ? 'ENOTDIR' : String(code))
  }
  const port = 'port' in error ? error.port : ''
  switch (code) {
    case 'EADDRINUSE':
      return {
        en: `Port ${port} is in use by another program. Stop that program, or set PORT to another number.`,
        zh: `端口 ${port} 已被其他程序占用。请停止该程序，或把 PORT 设为其他端口。`,
      }
    case 'EACCES':
      return {
        en: `Port ${port} may not be opened by this user. Set PORT to a number above 1023.`,
        zh: `当前用户无权使用端口 ${port}。请把 PORT 设为大于 1023 的端口。`,
      }
    case 'EADDRNOTAVAIL':
      return {
        en: 'HOST names an address that this machine does not have. Use 127.0.0.1, or 0.0.0.0 for all.',
        zh: 'HOST 不是本机的地址。请使用 127.0.0.1，或用 0.0.0.0 监听所有地址。',
      }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        en: 'HOST is a name that this machine cannot resolve. Use 127.0.0.1, or 0.0.0.0 for all.',
        zh: '本机无法解析 HOST 中的主机名。请使用 127.0.0.1，或用 0.0.0.0 监听所有地址。',
      }
  }
  return undefined
}

function troubleOfFile(path: string, code: string): Words {
  switch (code) {
    case 'ENOENT':
      return { en: `${path} does not exist (${code}). Check the path.`, zh: `${path} 不存在（${code}）。请检查路径。` }
    case 'ENOTDIR':
      return {
        en: `${path} cannot be a folder: there is a file of this name, or of that of a folder above it (${code}). Check the path.`,
        zh: `${path} 不能用作文件夹：它或它的上级是一个文件（${code}）。请检查路径。`,
      }
    case 'ENOSPC':
      return {
        en: `The disk of ${path} is full (${code}). Make room on it.`,
        zh: `${path} 所在磁盘已满（${code}）。请腾出空间。`,
      }
  }
  return {
    en: `${path} cannot be read or written (${code}). Let the user that runs this program read and write it, or move it away.`,
    zh: `${path} 无法读写（${code}）。请让运行本程序的用户可以读写它，或把它移走。`,
  }
}
