import { defineConfig } from 'vitest/config'

/** A limit ends what hangs and measures nothing; a slow machine may raise all of them at once. */
const patience = Number(process.env.TEST_PATIENCE ?? 1)

export default defineConfig({
  test: {
    testTimeout: 60_000 * patience,
    hookTimeout: 120_000 * patience,
    expect: { poll: { timeout: 30_000 * patience } },
    // A test that hangs on to something is a fault of the test.
    teardownTimeout: 20_000 * patience,
    reporters: ['default', './test/support/reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'server',
          include: ['test/**/*.test.ts'],
          exclude: ['test/studio/**'],
          globalSetup: './test/support/once.ts',
          // Most of these wait for services and processes most of the time.
          maxWorkers: 4,
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'studio',
          include: ['test/studio/**/*.test.ts'],
          globalSetup: './test/support/studio.ts',
          testTimeout: 120_000 * patience,
          isolate: false,
          maxWorkers: 2,
          // A browser wants the processor for itself.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
