import type { ProviderFailure } from '../../../src/outgoing/failure.ts'
import type { AnswerHead } from '../../../src/providers/exchange.ts'
import { type Meaning, meaning, type ServiceError, toFailure } from '../../../src/providers/failures.ts'

const rows: Readonly<Record<string, Meaning>> = {
  bad_key: meaning('provider_key_rejected', 'refused', 'Easel does not know this key. Copy it again.', 'configuration'),
  not_nice: meaning('content_rejected', 'refused', 'Easel does not paint that. Change the prompt.'),
  busy: meaning('rate_limited', 'retry_safe', 'Easel has no hand free. Wait a little.'),
}

// In doubt something was painted, and billed.
const unknown = meaning('provider_unavailable', 'maybe_billed', 'Easel failed, and may have billed a picture.')

export function failureOf(head: AnswerHead, found: ServiceError): ProviderFailure {
  return toFailure(rows[found.code ?? ''] ?? unknown, found, head)
}
