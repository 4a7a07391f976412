/** The program as a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { askOnce } from './ask-once.ts'

const root = path.join(import.meta.dirname, '../..')

/** What Node needs to start a program. */
export async function programFile(name: 'main' | 'killable', isFromTree = false) {
  const folder = isFromTree ? undefined : await askOnce('programs')
  const tree = { main: 'tools/webimgui.mjs', killable: 'test/support/killable.ts' }
  return {
    file: folder === undefined ? path.join(root, tree[name]) : path.join(folder, `${name}.mjs`),
    // Many starts: what one has compiled serves the next.
    environment: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE:
        folder === undefined ? path.join(tmpdir(), 'webimgui-compiled') : path.join(folder, 'compiled'),
    },
  }
}

export interface Program {
  child: ChildProcess
  /** Everything that it printed so far. */
  output(): string
  standardOutput(): string
  /** Waits until it prints this. @throws when it ends before */
  says(form: RegExp): Promise<RegExpExecArray>
  /** Sends the signal, if one is given, and waits for the end. */
  ended(signal?: NodeJS.Signals): Promise<number | null>
}

export interface ProgramOptions {
  dataDir: string
  environment?: Record<string, string>
  words?: string[]
  /** What stands on its standard input. */
  input?: string
  /** Whoever starts it ends it. */
  keep?: boolean
  /** As `npm start` does it, instead of the bundle of this run. */
  isFromTree?: boolean
  /** Another installation of the program. */
  file?: string
  nodeOptions?: string[]
  /** Where it is started; the data folder when absent. */
  cwd?: string
}

/** Ends with the test. */
export async function startProgram(word: string, options: ProgramOptions): Promise<Program> {
  const { dataDir, words = [], nodeOptions = [] } = options
  const { file, environment } = await programFile('main', options.isFromTree)
  const child = spawn(process.execPath, [...nodeOptions, options.file ?? file, word, ...words], {
    cwd: options.cwd ?? dataDir,
    env: { DATA_DIR: dataDir, PORT: '0', ...environment, ...options.environment },
    stdio: 'pipe',
  })
  child.stdin.on('error', () => {}).end(options.input)
  let text = ''
  let standardOutput = ''
  child.stdout.on('data', (chunk: string) => (standardOutput += chunk))
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
    standardOutput: () => standardOutput,
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

/** Starts a program and waits for its end. */
export async function runProgram(word: string, options: ProgramOptions) {
  const program = await startProgram(word, options)
  return { code: await program.ended(), output: program.output(), standardOutput: program.standardOutput() }
}
