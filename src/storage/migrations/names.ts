/** Known without loading what they do, which a database of the present form does not need. */
export const migrationNames = [
  '0001-first-tables',
  '0002-tokens-and-spending',
  '0003-seal-check',
  '0004-pool',
  '0005-listed-models',
  '0006-owner-and-days',
  '0007-half-open',
  '0008-sent-with',
  '0009-large-history',
  '0010-request-fingerprints',
  '0011-webhooks',
  '0012-imports',
  '0013-users',
  '0014-spending-sums',
  '0015-session-spending',
  '0016-ratings',
] as const

export type MigrationName = (typeof migrationNames)[number]
