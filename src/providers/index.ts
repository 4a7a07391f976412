/** The providers of this program. A new one is a folder and a line here. */

import { doubao } from './doubao/doubao.ts'
import { openai } from './openai/openai.ts'
import type { Provider } from './provider.ts'
import { qwen } from './qwen/qwen.ts'
import { createCatalogue } from './registry.ts'

export const providers = { doubao, qwen, openai } satisfies Record<string, Provider>
export type ProviderId = keyof typeof providers

/** The built-in catalogue. */
export const shipped = createCatalogue(providers)
