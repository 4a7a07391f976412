/** A limit ends what hangs and measures nothing; `TEST_PATIENCE` raises all of them at once on a slow machine. */
const patience = Number(process.env.TEST_PATIENCE ?? 1)

/** How long a test waits for a condition, in ms. */
export const maxWaitMs = 60_000 * patience
