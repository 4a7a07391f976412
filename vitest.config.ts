import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A test that hangs on to something is a fault of the test.
    teardownTimeout: 10_000,
    reporters: ['default', './test/support/reporter.ts'],
  },
})
