const maxAtOnce = 4

/** Does the same for each, a few at a time. Returns those that failed, each with its error. */
export async function forEachSideBySide<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>) {
  const queue = [...items]
  const failed: { item: Item; error: unknown }[] = []
  async function work() {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await act(item)
      } catch (error) {
        failed.push({ item, error })
      }
    }
  }
  await Promise.all(Array.from({ length: maxAtOnce }, work))
  return failed
}
