import path from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { maxWaitMs } from './test/support/patience.ts'
import { preparePlace } from './test/support/place.ts'

// Every server that a test starts has threads of its own: what one of them has compiled serves the next.
process.env.NODE_COMPILE_CACHE ??= path.join(import.meta.dirname, 'node_modules/.cache/webimgui-tests')

/** Those that take longest, so that nothing waits for them at the end; those that mostly wait first, so that others work meanwhile. */
const longest = [
  /recovery/,
  /program\.test/,
  /simulation\.test/,
  /conformance/,
  /generation\/(large|answers)/,
  /server\/connections/,
  /openai\/(repeats|ai-sdk)/,
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]) {
    const rank = ({ project, moduleId }: TestSpecification) => {
      // A worker stays with its project: what belongs to the other one comes at the end of all.
      if (project.name === 'studio') return longest.length + (/stream|accessibility/.test(moduleId) ? 1 : 2)
      const found = longest.findIndex(pattern => pattern.test(moduleId))
      return found < 0 ? longest.length : found
    }
    const sorted = await super.sort(files)
    return sorted.toSorted((one, other) => rank(one) - rank(other))
  }
}

/** In both projects, which share them: more than processors, because tests wait for services and processes most of the time. */
const maxWorkers = 5

export default defineConfig({
  test: {
    env: preparePlace(),
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
          maxWorkers,
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'studio',
          include: ['test/studio/**/*.test.ts'],
          globalSetup: './test/support/studio.ts',
          maxWorkers,
          isolate: false,
        },
      },
    ],
  },
})
