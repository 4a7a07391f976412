/** Removes files whose rows are gone already: nothing depends on them any more, so nobody has to wait until the disk allows it. */
export interface Removals {
  /** Never throws. What fails is made again by `repeat`, and found by the comparison of the next start. */
  make(remove: () => Promise<void>): Promise<void>
  repeat(): Promise<void>
}

export function createRemovals(failed: (error: unknown) => void): Removals {
  const left = new Set<() => Promise<void>>()

  async function make(remove: () => Promise<void>) {
    try {
      await remove()
      left.delete(remove)
    } catch (error) {
      left.add(remove)
      failed(error)
    }
  }

  return {
    make,
    async repeat() {
      for (const remove of [...left]) await make(remove)
    },
  }
}
