/** Runs the server as a process: what it prints, how it ends, and one sentence when it cannot start. */
import { accessSync, constants, mkdirSync } from 'node:fs'
import { type App, createApp, type Listening, type Overrides } from './app.ts'
import { createLog, createRecentErrors } from './log.ts'
import { loadSettings, readEnvironment, type Settings, SettingsError } from './settings.ts'

export interface Started extends Listening {
  app: App
  settings: Settings
}

/**
 * Starts, says where it is, and ends the process on SIGTERM or SIGINT: well at the first, at once at the second.
 * `change` may alter the environment before it is read; `afterClose` runs when the server has closed.
 */
export async function start(
  options: {
    change?: (environment: Record<string, string | undefined>) => Record<string, string | undefined>
    overrides?: Overrides
    afterClose?: () => Promise<void>
  } = {},
): Promise<Started> {
  try {
    const environment = readEnvironment()
    const settings = loadSettings(options.change?.(environment) ?? environment)
    makeDataFolder(settings.dataDir)
    const recentErrors = createRecentErrors()
    const log = createLog(settings, undefined, recentErrors)
    const app = await createApp(settings, log, { recentErrors, ...options.overrides })
    const listening = await app.listen()
    endOnSignals(async () => {
      await app.close()
      await options.afterClose?.()
      log.info('stopped')
    })
    if (app.backupPath)
      log.warn(
        { copy: app.backupPath },
        'the database was brought to the present form; a copy of the old one is kept, which may hold keys in plain: delete it when all is well',
      )
    return { app, settings, ...listening }
  } catch (error) {
    console.error(explain(error))
    process.exit(1)
  }
}

/** Before the log, which lies in it and would only speak of itself. */
function makeDataFolder(folder: string) {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const words = {
      en: `DATA_DIR ${folder} cannot be used (${reason}); name another folder, or let the user that runs this server write to it.`,
      zh: `DATA_DIR ${folder} 无法使用（${reason}）；请换一个文件夹，或让运行本服务器的用户可以写入。`,
    }
    throw new SettingsError([words], { cause: error })
  }
}

function endOnSignals(close: () => Promise<void>) {
  let isClosing = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isClosing) process.exit(1)
      isClosing = true
      close().then(
        () => process.exit(0),
        error => {
          console.error(explain(error))
          process.exit(1)
        },
      )
    })
  }
}

function explain(error: unknown) {
  if (!(error instanceof Error)) return String(error)
  const words = 'zh' in error ? { en: error.message, zh: String(error.zh) } : troubleOfSystem(error)
  if (words) return `${words.en}\n${words.zh}`
  const known = ['DatabaseError', 'StorageError', 'SealError']
  return known.includes(error.name) || !error.stack ? error.message : error.stack
}

function troubleOfSystem(error: Error) {
  const code = 'code' in error ? error.code : undefined
  const port = 'port' in error ? error.port : ''
  if (code === 'EADDRINUSE') {
    return {
      en: `Port ${port} is in use by another program. Stop that program, or set PORT to another number.`,
      zh: `端口 ${port} 已被其他程序占用。请停止该程序，或把 PORT 设为其他端口。`,
    }
  }
  if (code === 'EACCES' && 'port' in error) {
    return {
      en: `Port ${port} may not be opened by this user. Set PORT to a number above 1023.`,
      zh: `当前用户无权使用端口 ${port}。请把 PORT 设为大于 1023 的端口。`,
    }
  }
  if (code === 'EADDRNOTAVAIL') {
    return {
      en: 'HOST names an address that this machine does not have. Use 127.0.0.1, or 0.0.0.0 for all.',
      zh: 'HOST 不是本机的地址。请使用 127.0.0.1，或用 0.0.0.0 监听所有地址。',
    }
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return {
      en: 'HOST is a name that this machine does not know. Use 127.0.0.1, or 0.0.0.0 for all.',
      zh: '本机无法解析 HOST 中的主机名。请使用 127.0.0.1，或用 0.0.0.0 监听所有地址。',
    }
  }
  if (code !== undefined && 'syscall' in error && 'path' in error) {
    return {
      en: `${error.path} cannot be read or written (${code}). Let the user that runs this server read and write it, or move it away.`,
      zh: `${error.path} 无法读写（${code}）。请让运行本服务器的用户可以读写它，或把它移走。`,
    }
  }
  return undefined
}
