/** Runs the server as a process: what it prints, how it ends, and one sentence when it cannot start. */
import { accessSync, constants, mkdirSync } from 'node:fs'
import { type App, createApp, type Listening, type Overrides } from '../app.ts'
import { loadSettings, readEnvironment, type Settings, SettingsError } from '../settings.ts'
import { createLog, createRecentErrors } from '../telemetry/log.ts'
import { explain } from './explain.ts'

export interface Started extends Listening {
  app: App
  settings: Settings
}

/**
 * Starts, says where it is, and ends the process on SIGTERM or SIGINT: well at the first, at once at the second.
 * `change` may alter the environment before it is read; `afterClose` runs when the server has closed.
 */
export async function startProcess(
  options: {
    change?: (environment: Record<string, string | undefined>) => Record<string, string | undefined>
    overrides?: Overrides
    afterClose?: () => Promise<void>
  } = {},
): Promise<Started> {
  let close: (() => Promise<void>) | undefined
  // Before it serves there is nothing to wait for. Process 1 of a container ignores a signal that it does not handle.
  endOnSignals(async () => close?.())
  try {
    const environment = readEnvironment()
    const settings = loadSettings(options.change?.(environment) ?? environment)
    makeDataFolder(settings.dataDir)
    const recentErrors = createRecentErrors()
    const log = createLog(settings, undefined, recentErrors)
    const app = await createApp(settings, log, { recentErrors, ...options.overrides })
    const listening = await app.listen()
    close = async () => {
      await app.close()
      await options.afterClose?.()
      log.info('stopped')
    }
    if (app.backupPath)
      log.warn(
        { copy: app.backupPath },
        'the database was upgraded; a copy of the old one was kept, which may hold keys in plain text: delete it when everything works',
      )
    return { app, settings, ...listening }
  } catch (error) {
    console.error(explain(error))
    process.exit(1)
  }
}

/** Checked before the log is opened, which is in the same folder and would report only itself. */
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
