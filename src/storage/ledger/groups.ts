/** Steps that are made in one transaction: those of all generations that come in one turn of the event loop share a commit. */

export interface Job<Result = unknown> {
  resolve(result: Result): void
  reject(error: unknown): void
}

/**
 * Calls `work` with all jobs that were added in a turn, one group after the other. Whatever it throws is the error of all of them;
 * otherwise it settles each.
 */
export function createGroups<Item extends Job>(work: (jobs: readonly Item[]) => Promise<void>) {
  let waiting: Item[] = []
  let isRunning = false

  async function run() {
    while (waiting.length > 0) {
      const jobs = waiting
      waiting = []
      try {
        await work(jobs)
      } catch (error) {
        for (const job of jobs) job.reject(error)
      }
    }
    isRunning = false
  }

  return {
    add(job: Item) {
      waiting.push(job)
      if (isRunning) return
      isRunning = true
      setImmediate(run)
    },
  }
}
