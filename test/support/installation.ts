/** A data folder and the three services, for programs that come and go. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type DoubaoSimulator, startDoubaoSimulator } from '../../src/simulators/doubao/doubao.ts'
import { DOUBAO_DEMO_KEY } from '../../src/simulators/doubao/keys.ts'
import { OPENAI_DEMO_KEY } from '../../src/simulators/openai/keys.ts'
import { type OpenaiSimulator, startOpenaiSimulator } from '../../src/simulators/openai/openai.ts'
import { QWEN_DEMO_KEY } from '../../src/simulators/qwen/keys.ts'
import { type QwenSimulator, startQwenSimulator } from '../../src/simulators/qwen/qwen.ts'
import { type Program, startProgram } from './killable-program.ts'

export interface Installation {
  dataDir: string
  environment: Record<string, string>
  doubao: DoubaoSimulator
  qwen: QwenSimulator
  openai: OpenaiSimulator
  /** Starts the program; it ends with the installation at the latest. */
  start(words?: string[], environment?: Record<string, string>): Promise<Program>
  /** What the services have seen since their last reset. */
  seen(): { posts: DoubaoSimulator['requests']; billed: DoubaoSimulator['billed'] }
  close(): Promise<void>
}

export async function openInstallation(options: { timeScale?: number } = {}): Promise<Installation> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'webimgui-recovery-'))
  const simulation = { timeScale: options.timeScale ?? 0, plainImages: true }
  const [doubao, qwen, openai] = await Promise.all([
    startDoubaoSimulator(simulation),
    startQwenSimulator(simulation),
    // The pictures of an answer have to be too large for a row.
    startOpenaiSimulator({ ...simulation, plainImages: 'grain' }),
  ])
  const simulators = [doubao, qwen, openai]
  const environment = {
    DATA_DIR: dataDir,
    PORT: '0',
    DOUBAO_API_URL: doubao.baseUrl,
    DOUBAO_API_KEY: DOUBAO_DEMO_KEY,
    QWEN_API_URL: qwen.baseUrl,
    QWEN_API_KEY: QWEN_DEMO_KEY,
    ALLOWED_HOSTS: new URL(openai.origin).host,
  }
  const programs: Program[] = []
  return {
    ...{ dataDir, environment, doubao, qwen, openai },
    async start(words, more) {
      const program = await startProgram({ ...environment, ...more }, words)
      programs.push(program)
      return program
    },
    seen: () => ({
      // Cancelling a task is a POST too, and free.
      posts: simulators.flatMap(({ requests }) =>
        requests.filter(({ method, path }) => method === 'POST' && !path.endsWith('/cancel')),
      ),
      billed: simulators.flatMap(({ billed }) => billed),
    }),
    async close() {
      await Promise.all(programs.map(program => program.end('SIGKILL')))
      await Promise.all(simulators.map(simulator => simulator.close()))
      await rm(dataDir, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Stores a configuration for the OpenAI-style simulator. */
export async function addOpenai(program: Program, installation: Installation) {
  const { status, body } = await program.call('POST', '/api/config', {
    ...{ name: 'OpenAI style', provider: 'openai', base_url: installation.openai.baseUrl, api_key: OPENAI_DEMO_KEY },
  })
  if (status !== 201) throw new Error(`the configuration was refused: ${JSON.stringify(body)}`)
}
