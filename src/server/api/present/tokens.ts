/** Tokens, and what is left for whoever asks. */

import type { Me, Token } from '../../../api/tokens.ts'
import type { Remaining } from '../../../members/budget.ts'
import type { Role, TokenRecord } from '../../../storage/records.ts'

export function presentToken(token: TokenRecord): Token {
  return {
    id: token.id,
    name: token.name,
    role: token.role,
    monthly_cap: token.monthlyCap,
    monthly_images: token.monthlyImages,
    models: token.models,
    created_at: token.createdAt,
    last_used_at: token.lastUsedAt,
  }
}

export function presentMe(
  { role, needsToken }: { role: Role; needsToken: boolean },
  token: TokenRecord | undefined,
  remaining: Remaining | undefined,
): Me {
  return {
    role,
    name: token?.name ?? null,
    monthly_cap: token?.monthlyCap ?? null,
    monthly_images: token?.monthlyImages ?? null,
    models: token?.models ?? null,
    left: remaining?.left ?? null,
    left_images: remaining?.leftImages ?? null,
    renews_at: remaining?.renewsAt ?? null,
    needs_token: needsToken,
  }
}
