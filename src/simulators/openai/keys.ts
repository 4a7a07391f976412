/** Keys of the simulated OpenAI, and what each may do. */
import type { KeyRule } from '../server.ts'

export interface OpenaiKeyRule extends KeyRule {
  /** The refusal that every picture gets; the key is good when absent. */
  state?: 'quota' | 'busy' | 'unverified'
}

export const OPENAI_DEMO_KEY = 'sk-simulator-openai-demo'
/** 429 insufficient_quota for every picture. */
export const OPENAI_NO_QUOTA_KEY = 'sk-simulator-openai-no-quota'
/** 429 rate_limit_exceeded with `retry-after` for every picture. */
export const OPENAI_BUSY_KEY = 'sk-simulator-openai-busy'
/** An organization that may not use the gpt-image models: 403. */
export const OPENAI_UNVERIFIED_KEY = 'sk-simulator-openai-unverified'

export const openaiDemoKeys: Readonly<Record<string, OpenaiKeyRule>> = {
  [OPENAI_DEMO_KEY]: { name: 'demo' },
  [OPENAI_NO_QUOTA_KEY]: { name: 'no-quota', state: 'quota' },
  [OPENAI_BUSY_KEY]: { name: 'busy', state: 'busy' },
  [OPENAI_UNVERIFIED_KEY]: { name: 'unverified', state: 'unverified' },
}
