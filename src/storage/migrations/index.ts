/** All migrations in order. A released one is never edited: an old database must be able to walk the same path. */
import type { Migration } from 'kysely/migration'
import type { Seal } from '../secrets/seal.ts'
import { firstTables } from './0001-first-tables.ts'
import { tokensAndSpending } from './0002-tokens-and-spending.ts'
import { sealCheck } from './0003-seal-check.ts'
import { pool } from './0004-pool.ts'
import { listedModels } from './0005-listed-models.ts'
import { ownerAndDays } from './0006-owner-and-days.ts'
import { halfOpen } from './0007-half-open.ts'
import { sentWith } from './0008-sent-with.ts'
import { largeHistory } from './0009-large-history.ts'
import { requestFingerprints } from './0010-request-fingerprints.ts'
import { webhooks } from './0011-webhooks.ts'
import { imports } from './0012-imports.ts'
import { users } from './0013-users.ts'
import { spendingSums } from './0014-spending-sums.ts'
import { sessionSpending } from './0015-session-spending.ts'
import { ratings } from './0016-ratings.ts'
import type { MigrationName } from './names.ts'
import type { Progress } from './progress.ts'

export function createMigrations(seal: Seal, progress: Progress = () => {}): Record<MigrationName, Migration> {
  return {
    '0001-first-tables': firstTables(seal, progress),
    '0002-tokens-and-spending': tokensAndSpending,
    '0003-seal-check': sealCheck(seal),
    '0004-pool': pool,
    '0005-listed-models': listedModels,
    '0006-owner-and-days': ownerAndDays,
    '0007-half-open': halfOpen,
    '0008-sent-with': sentWith,
    '0009-large-history': largeHistory(progress),
    '0010-request-fingerprints': requestFingerprints,
    '0011-webhooks': webhooks,
    '0012-imports': imports,
    '0013-users': users,
    '0014-spending-sums': spendingSums(progress),
    '0015-session-spending': sessionSpending,
    '0016-ratings': ratings,
  }
}
