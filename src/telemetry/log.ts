/**
 * The log: JSON lines on standard output and readable text lines in a file. Neither ever holds a key, a token, a cookie, the
 * query of an address (signed links are keys), nor a prompt above `debug`.
 */
import { accessSync, constants, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import querystring from 'node:querystring'
import { type DestinationStream, destination, type Level, type Logger, multistream, pino } from 'pino'
import { type Settings, SettingsError } from '../settings.ts'

export type Log = Logger

type LogSettings = Pick<
  Settings,
  'logLevel' | 'logFormat' | 'logFile' | 'accessToken' | 'secretKey' | 'environmentKeys' | 'database' | 'proxy'
>

const hidden = '[redacted]'
const secretName = /authorization|cookie|api_?key|token|secret|password|credential/i
const promptName = /^(prompt|revised_?prompt|negative_?prompt)$/i
const longestText = 2000

/** One line of the level `error` or above, short enough to read. */
export interface LoggedError {
  /** ISO 8601. */
  time: string
  message: string
  /** The message of the cause, if any. */
  detail: string | null
  requestId: string | null
  generationId: string | null
}

/** The last errors of this process, kept in memory. */
export type RecentErrors = ReturnType<typeof createRecentErrors>

export function createRecentErrors(most = 50) {
  const errors: LoggedError[] = []
  return {
    /** Newest first. */
    list: () => errors.toReversed(),
    /** Receives the finished lines, without secrets. */
    stream: {
      write(line: string) {
        errors.push(loggedError(JSON.parse(line) as Record<string, unknown>))
        if (errors.length > most) errors.shift()
      },
    },
  }
}

function loggedError({ time, msg, err, reason, code, generation, request_id }: Record<string, unknown>): LoggedError {
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null)
  const cause = typeof err === 'object' && err !== null && 'message' in err ? text(err.message) : null
  return {
    time: text(time) ?? new Date().toISOString(),
    message: text(msg) ?? cause ?? '',
    detail: cause ?? text(reason) ?? text(code),
    requestId: text(request_id),
    generationId: text(generation),
  }
}

/**
 * The lines of a turn of the event loop are written at once at its end, or when the process exits, also by an uncaught error.
 * @throws SettingsError when LOG_FILE cannot be written.
 */
export function createLog(
  settings: LogSettings,
  standardOutput: DestinationStream = gathered(destination({ dest: 1, sync: true })),
  recentErrors?: RecentErrors,
): Log {
  const streams: { level: string; stream: DestinationStream }[] = [
    { level: settings.logLevel, stream: settings.logFormat === 'text' ? asText(standardOutput) : standardOutput },
  ]
  if (recentErrors && settings.logLevel !== 'silent') streams.push({ level: 'error', stream: recentErrors.stream })
  if (settings.logFile) streams.push({ level: settings.logLevel, stream: asText(openFile(settings.logFile)) })
  const withoutSecrets = secretRemover(settings)
  return pino(
    {
      level: settings.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      hooks: {
        logMethod(given, method, level) {
          const showsPrompts = level <= pino.levels.values.debug!
          const cleaned = given.map(value => (value instanceof Error ? { err: value } : value))
          method.apply(this, cleaned.map(value => clean(value, showsPrompts, 0)) as typeof given)
        },
        streamWrite: withoutSecrets,
      },
    },
    multistream(
      streams.map(({ level, stream }) => ({ level: (level === 'silent' ? 'fatal' : level) as Level, stream })),
    ),
  )
}

/** A copy without secrets, prompts and very long texts. */
function clean(value: unknown, showsPrompts: boolean, depth: number): unknown {
  if (typeof value === 'string') {
    return value.length > longestText ? `${value.slice(0, longestText)}… (${value.length} characters)` : value
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (depth > 6) return '…'
  if (value instanceof Error) {
    const { name, message, stack, cause, ...more } = value as Error & Record<string, unknown>
    // The stack without the message, which is logged once.
    const frames = stack
      ?.split('\n')
      .filter(line => /^\s+at /.test(line))
      .slice(0, 12)
      .map(line => line.trim())
    return clean(
      { name: value.name || name, message: value.message || message, ...more, cause, stack: frames },
      showsPrompts,
      depth + 1,
    )
  }
  if (Array.isArray(value)) return value.slice(0, 50).map(item => clean(item, showsPrompts, depth + 1))
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  const entries = Object.entries(value).filter(([, item]) => item !== undefined && typeof item !== 'function')
  return Object.fromEntries(
    entries.map(([name, item]) => {
      if (secretName.test(name) && typeof item !== 'boolean' && typeof item !== 'number') return [name, hidden]
      if (promptName.test(name) && !showsPrompts) return [name, hidden]
      return [name, clean(item, showsPrompts, depth + 1)]
    }),
  )
}

/** Redacts the finished line, so that messages and stacks of library errors are covered too. */
function secretRemover(settings: LogSettings) {
  const { accessToken, secretKey, environmentKeys, database, proxy } = settings
  const addresses = [database.kind === 'postgresql' ? new URL(database.url) : undefined, proxy?.https, proxy?.http]
  const passwords = addresses.flatMap(url => (url ? [url.password, querystring.unescape(url.password)] : []))
  const known = [accessToken, secretKey, ...Object.values(environmentKeys), ...passwords]
  const secrets = known.filter(secret => secret !== undefined && secret.length >= 6)
  return (line: string) => {
    let cleaned = line
    for (const secret of secrets) cleaned = cleaned.replaceAll(secret!, hidden)
    return cleaned
      .replace(/(https?:\/\/[^\s"'<>?\\]+)\?[^\s"'<>\\]*/g, '$1?…')
      .replace(/\bBearer\s+[\w.~+/=-]{6,}/gi, `Bearer ${hidden}`)
      .replace(/data:[\w.+/-]+;base64,[A-Za-z0-9+/=]{64,}/g, 'data:…')
  }
}

/** Streams whose lines of this turn are not written yet. */
const unwritten = new Set<() => void>()

/** One write takes longer than to make a line, and a request that makes a picture tells of several. */
function gathered(stream: DestinationStream): DestinationStream {
  let lines = ''
  const write = () => {
    unwritten.delete(write)
    const written = lines
    lines = ''
    if (written !== '') stream.write(written)
  }
  return {
    write(line) {
      if (lines === '') {
        writeAtExit()
        unwritten.add(write)
        setImmediate(write)
      }
      lines += line
    },
  }
}

let isWatchingExit = false
function writeAtExit() {
  if (isWatchingExit) return
  isWatchingExit = true
  process.on('exit', () => {
    for (const write of unwritten) write()
  })
}

/** `2026-11-23T08:00:00.000Z ERROR the message key=value key="a text with blanks"` */
function asText(stream: DestinationStream): DestinationStream {
  return { write: line => stream.write(`${textLine(line)}\n`) }
}

function textLine(line: string) {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`)
  return [time, String(level).toUpperCase().padEnd(5), oneLine(String(msg ?? '')), ...pairs].filter(Boolean).join(' ')
}

function shown(value: unknown) {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return oneLine(value)
  return oneLine(JSON.stringify(value) ?? String(value))
}

/** Escapes line breaks: one event stays one line. */
function oneLine(text: string) {
  return text.replace(/[\x00-\x1f\x7f\u0085\u2028\u2029]+/g, ' ')
}

function openFile(file: string) {
  let descriptor: number
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    descriptor = openSync(file, 'a', 0o640)
    accessSync(file, constants.W_OK)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const words = {
      en: `LOG_FILE ${file} cannot be written (${reason}); name another file, or "off" for none.`,
      zh: `LOG_FILE ${file} 无法写入（${reason}）；请换一个文件，或写 off 表示不要日志文件。`,
    }
    throw new SettingsError([words], { cause: error })
  }
  const stream = destination({ dest: descriptor, sync: true })
  // A full disk must not end the process: pictures matter more than lines.
  let isReported = false
  stream.on('error', (error: Error) => {
    if (isReported) return
    isReported = true
    process.stderr.write(`ERROR the log file ${file} cannot be written any more: ${error.message}\n`)
  })
  return gathered(stream)
}
