/** Keys of the simulated DashScope, and what each may do. */
import type { KeyRule } from '../server.ts'

export interface QwenKeyRule extends KeyRule {
  /** The refusal that the state of the key or its account brings; both are good when absent. */
  state?: 'wrong-region' | 'arrears' | 'unpurchased' | 'free-tier-exhausted'
  /** Keys of one main account share tasks, uploads and limits. */
  account?: string
  /** Only these models may be called; all when absent. */
  models?: readonly string[]
}

export const QWEN_DEMO_KEY = 'sk-simulator-demo'
/** Not known to the service at all. */
export const QWEN_INVALID_KEY = 'sk-simulator-invalid'
/** Good in another region, which looks exactly like a wrong key. */
export const QWEN_WRONG_REGION_KEY = 'sk-simulator-singapore'
export const QWEN_ARREARS_KEY = 'sk-simulator-arrears'
/** The service was never activated for this account. */
export const QWEN_UNPURCHASED_KEY = 'sk-simulator-unpurchased'
export const QWEN_FREE_TIER_KEY = 'sk-simulator-free-tier-exhausted'

export const qwenDemoKeys: Readonly<Record<string, QwenKeyRule>> = {
  [QWEN_DEMO_KEY]: { name: 'demo' },
  [QWEN_WRONG_REGION_KEY]: { name: 'wrong-region', state: 'wrong-region' },
  [QWEN_ARREARS_KEY]: { name: 'arrears', state: 'arrears', account: '1000000000000002' },
  [QWEN_UNPURCHASED_KEY]: { name: 'unpurchased', state: 'unpurchased', account: '1000000000000003' },
  [QWEN_FREE_TIER_KEY]: { name: 'free-tier-exhausted', state: 'free-tier-exhausted', account: '1000000000000004' },
}
