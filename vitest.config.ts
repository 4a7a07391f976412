import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { maxWaitMs } from './test/support/patience.ts'

/** Files that wait for many processes go first, so that nothing waits for them at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]) {
    const isLong = ({ moduleId }: TestSpecification) => Number(/recovery|program\.test/.test(moduleId))
    const sorted = await super.sort(files)
    const groupOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder
    return sorted.sort((one, other) => groupOf(one) - groupOf(other) || isLong(other) - isLong(one))
  }
}

export default defineConfig({
  test: {
    testTimeout: 2 * maxWaitMs,
    hookTimeout: 2 * maxWaitMs,
    expect: { poll: { timeout: maxWaitMs } },
    // A test that hangs on to something is a fault of the test.
    teardownTimeout: maxWaitMs,
    sequence: { sequencer: LongestFirst },
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
          isolate: false,
          maxWorkers: 2,
          // A browser wants the processor for itself.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
