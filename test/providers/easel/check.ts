import { ExchangeError } from '../../../src/outgoing/failure.ts'
import { ask } from '../../../src/providers/exchange.ts'
import { errorIn, unreachable } from '../../../src/providers/failures.ts'
import { parseJson } from '../../../src/providers/json.ts'
import type { CheckResult, Context } from '../../../src/providers/provider.ts'

export async function check(_model: string | undefined, context: Context): Promise<CheckResult> {
  try {
    const answer = await ask(context, { url: `${context.baseUrl}/me`, timeoutMs: 10_000 })
    if (answer.status === 200) return { code: 'ok', detail: 'The key works.' }
    const code = errorIn(parseJson(answer.body))?.code === 'bad_key' ? 'provider_key_rejected' : 'wrong_address'
    return { code, detail: 'Easel does not take this key here.' }
  } catch (error) {
    if (error instanceof ExchangeError) return unreachable(error)
    throw error
  }
}
