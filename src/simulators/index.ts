/** The services that the demo plays, by the word that the program has for each. */
import { startDoubaoSimulator } from './doubao/doubao.ts'
import { DOUBAO_DEMO_KEY } from './doubao/keys.ts'
import { QWEN_DEMO_KEY } from './qwen/keys.ts'
import { startQwenSimulator } from './qwen/qwen.ts'

export async function startDemoServices(options: { timeScale: number }) {
  const [doubao, qwen] = await Promise.all([startDoubaoSimulator(options), startQwenSimulator(options)])
  return {
    services: [
      { id: 'doubao', baseUrl: doubao.baseUrl, key: DOUBAO_DEMO_KEY },
      { id: 'qwen', baseUrl: qwen.baseUrl, key: QWEN_DEMO_KEY },
    ],
    async close() {
      await Promise.all([doubao.close(), qwen.close()])
    },
  }
}
