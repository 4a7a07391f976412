/** Tokens, and what is left for whoever asks. */

import type { Me, Token } from '../../../api/tokens.ts'
import type { Remaining } from '../../../members/budget.ts'
import type { Caller } from '../../../members/caller.ts'
import type { Caps, TokenRecord, UserRecord } from '../../../storage/records.ts'

export function presentToken(token: TokenRecord, user: Pick<UserRecord, 'id' | 'name'> | undefined): Token {
  return {
    id: token.id,
    name: token.name,
    role: token.role,
    monthly_cap: token.monthlyCap,
    monthly_images: token.monthlyImages,
    models: token.models,
    created_at: token.createdAt,
    last_used_at: token.lastUsedAt,
    user: user ? { id: user.id, name: user.name } : null,
  }
}

export function presentMe(
  { role, user: asUser, models }: Caller,
  needsToken: boolean,
  {
    token,
    user,
    allowance,
  }: { token: TokenRecord | undefined; user: UserRecord | undefined; allowance: (Caps & Remaining) | undefined },
): Me {
  return {
    role,
    name: user?.name ?? token?.name ?? null,
    user: user ? { id: user.id, email: user.email } : null,
    manages_tokens: role === 'admin' ? 'all' : asUser?.tokenId === null ? 'own' : 'none',
    monthly_cap: allowance?.monthlyCap ?? null,
    monthly_images: allowance?.monthlyImages ?? null,
    models,
    left: allowance?.left ?? null,
    left_images: allowance?.leftImages ?? null,
    renews_at: allowance?.renewsAt ?? null,
    needs_token: needsToken,
  }
}
