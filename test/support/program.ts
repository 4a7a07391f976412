/** The program as a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/** Many starts: what one has compiled serves the next. */
export const compileCache = { NODE_COMPILE_CACHE: path.join(tmpdir(), 'webimgui-compiled') }

const root = path.join(import.meta.dirname, '../..')

export interface Program {
  child: ChildProcess
  /** Everything that it printed so far. */
  output(): string
  /** Waits until it prints this. @throws when it ends before */
  says(form: RegExp): Promise<RegExpExecArray>
  /** Sends the signal, if one is given, and waits for the end. */
  ended(signal?: NodeJS.Signals): Promise<number | null>
}

/** Ends with the test, or with the suite when it is started outside of one. */
export function startProgram(
  word: string,
  options: { dataDir: string; environment?: Record<string, string>; words?: string[]; keep?: boolean },
): Program {
  const child = spawn(process.execPath, [path.join(root, 'src/main.ts'), word, ...(options.words ?? [])], {
    cwd: options.dataDir,
    env: { PATH: process.env.PATH, DATA_DIR: options.dataDir, PORT: '0', ...compileCache, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', chunk => {
      text += chunk
      for (const listener of listeners) listener()
    })
  }
  const end = new Promise<number | null>(resolve => child.once('close', code => resolve(code)))
  const program: Program = {
    child,
    output: () => text,
    says: form =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = form.exec(text)
          if (found) resolve(found)
        }
        listeners.add(look)
        look()
        void end.then(() => reject(new Error(`it ended without saying ${form}:\n${text}`)))
      }),
    ended(signal) {
      if (signal && child.exitCode === null) child.kill(signal)
      return end
    },
  }
  if (!options.keep) onTestFinished(async () => void (await program.ended('SIGKILL')))
  return program
}
