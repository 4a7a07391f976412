/** A user with what was spent this month. */
import type { User } from '../../../api/users.ts'
import type { UserRecord } from '../../../storage/records.ts'
import type { UsageRow } from '../../../storage/spending.ts'

export function presentUser(user: UserRecord, month: readonly UsageRow[], tokens: number): User {
  const sum = (read: (row: UsageRow) => number) => month.reduce((total, row) => total + read(row), 0)
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    issuer: user.issuer,
    role: user.role,
    state: user.disabledAt !== null ? 'disabled' : user.role === null ? 'not_let_in' : 'active',
    monthly_cap: user.monthlyCap,
    monthly_images: user.monthlyImages,
    models: user.models,
    month: {
      images: sum(({ images }) => images),
      calls: sum(({ calls }) => calls),
      amounts: month.flatMap(({ amount, currency }) => (currency === null ? [] : [{ amount, currency }])),
      unknown: sum(({ unknown }) => unknown),
    },
    tokens,
    first_seen_at: user.firstSeenAt,
    last_seen_at: user.lastSeenAt,
  }
}
