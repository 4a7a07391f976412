import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A test that hangs on to something is a fault of the test.
    teardownTimeout: 10_000,
    reporters: ['default', './test/support/reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'server',
          include: ['test/**/*.test.ts'],
          exclude: ['test/studio/**'],
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
          expect: { poll: { timeout: 20_000 } },
          testTimeout: 60_000,
          isolate: false,
          maxWorkers: 2,
          // A browser wants the processor for itself.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
